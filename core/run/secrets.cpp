#include "core/run/secrets.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/params.hpp"
#include "core/task/masker.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most = std::size_t{64} << 10;  // execve takes 128 KiB for a variable
constexpr double k_command_s = 60;
constexpr std::size_t k_shown_stderr = 500;

std::string checked(std::string value) {
    if (value.ends_with('\n')) {
        value.pop_back();
        if (value.ends_with('\r')) {
            value.pop_back();
        }
    }
    if (value.empty()) {
        throw Error(ExitCode::invalid, "it is empty");
    }
    if (value.size() > k_most) {
        throw Error(ExitCode::invalid, "it is longer than 64 KiB");
    }
    if (value.find('\0') != std::string::npos) {
        throw Error(ExitCode::invalid, "it holds a NUL, which no variable can");
    }
    return value;
}

std::string of_environment(const Services& services, const std::string& name) {
    const auto found = services.environment.find(name);
    if (found == services.environment.end()) {
        throw Error(ExitCode::invalid, fmt::format("the variable '{}' is not set", name));
    }
    return checked(found->second);
}

std::string of_file(const Services& services, const std::string& project_folder, const std::string& path) {
    if (path.starts_with("~/")) {
        const auto home = services.environment.find("HOME");
        return read_secret((home == services.environment.end() ? "" : home->second) + path.substr(1));
    }
    return read_secret(path.starts_with('/') ? path : project_folder + "/" + path);
}

// What it prints on failure may hold secrets that are known already.
std::string of_command(Services& services, const std::string& project_folder, const std::string& command) {
    const ToolResult result = services.process.run({"/bin/sh", "-c", command}, project_folder, k_command_s);
    if (result.timed_out) {
        throw Error(ExitCode::invalid, fmt::format("its command took over {} s", k_command_s));
    }
    if (result.exit != 0 || result.signal != 0) {
        std::vector<Secret> known;
        for (const auto& [key, secret] : services.secrets) {
            known.push_back(secret);
        }
        const std::string said = MaskPatterns(known).mask(trim(result.err));
        throw Error(ExitCode::invalid,
                    fmt::format("its command failed{}: {}",
                                result.signal != 0 ? fmt::format(" (signal {})", result.signal)
                                                   : fmt::format(" (exit {})", result.exit),
                                printable(said.substr(0, k_shown_stderr))));
    }
    return checked(result.out);
}

std::string look_up(Services& services, const std::string& project_folder, const std::string& source) {
    const std::size_t colon = source.find(':');
    const std::string kind = source.substr(0, colon);
    const std::string rest = source.substr(colon + 1);
    if (kind == "env") {
        return of_environment(services, rest);
    }
    if (kind == "file") {
        return of_file(services, project_folder, rest);
    }
    if (kind == "cmd") {
        return of_command(services, project_folder, rest);
    }
    throw Error(ExitCode::invalid, fmt::format("'{}:' is not in this version yet", kind));
}

/// From where a parameter comes when it was not given: the environment, else the user.
std::string look_up(const Services& services, const Parameter& parameter) {
    for (const std::string& variable : {parameter_variable(parameter.name), parameter.env}) {
        if (!variable.empty() && services.environment.contains(variable)) {
            return of_environment(services, variable);
        }
    }
    if (const auto answer = ask_for_secret(services, parameter.name)) {
        return checked(*answer);
    }
    throw Error(ExitCode::invalid, fmt::format("set ${}, or give -p {}=@FILE",
                                               parameter_variable(parameter.name), parameter.name));
}

class Collector {
  public:
    explicit Collector(Services& services) : services_(services) {}

    template <class LookUp>
    void add(const std::string& key, const std::string& name, const LookUp& look_up) {
        try {
            auto known = services_.secrets.find(key);
            if (known == services_.secrets.end()) {
                known = services_.secrets.emplace(key, Secret{key, name, look_up()}).first;
            }
            found_.insert_or_assign(key, known->second);
        } catch (const Error& error) {
            missing_ += fmt::format("{}secret '{}': {}", missing_.empty() ? "" : "; ", name, error.message());
        }
    }

    std::vector<Secret> take() {
        if (!missing_.empty()) {
            throw Error(
                ExitCode::invalid, missing_, {},
                "nothing was started; secrets are never stored, and are looked up for each run and resume");
        }
        std::vector<Secret> out;
        for (const auto& [key, secret] : found_) {
            out.push_back(secret);
        }
        return out;
    }

  private:
    Services& services_;
    std::map<std::string, Secret> found_;
    std::string missing_;
};

}  // namespace

std::string parameter_secret_key(std::string_view parameter) {
    return fmt::format("param:{}", parameter);
}

std::optional<std::string> ask_for_secret(const Services& services, std::string_view name) {
    return services.ask_secret ? services.ask_secret(fmt::format("{} (a secret, not shown): ", name))
                               : std::nullopt;
}

std::string read_secret(const std::string& path) {
    std::ifstream file(path == "-" ? "/dev/stdin" : path, std::ios::binary);
    std::string text(k_most + 3, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (!file.is_open() || file.bad() || (text.empty() && !file.eof())) {
        throw Error(ExitCode::not_found, fmt::format("cannot read '{}'", path), path);
    }
    return checked(std::move(text));
}

std::vector<Secret> look_up_secrets(Services& services, const std::string& project_folder, const Flow& flow) {
    Collector secrets(services);
    for (const Parameter& parameter : flow.params) {
        if (parameter.type == Parameter::Type::secret) {
            secrets.add(parameter_secret_key(parameter.name), parameter.name,
                        [&] { return look_up(services, parameter); });
        }
    }
    for (const Step& step : flow.steps) {
        for (const auto& secret : step.secrets) {
            secrets.add(secret.second, secret.first,
                        [&] { return look_up(services, project_folder, secret.second); });
        }
    }
    return secrets.take();
}

void look_up_all_secrets(Services& services, const std::string& project_folder, const Flow& flow,
                         const Subflows& subflows) {
    look_up_secrets(services, project_folder, flow);
    for (const auto& [key, subflow] : subflows) {
        look_up_secrets(services, project_folder, subflow.flow);
    }
}

}  // namespace amp
