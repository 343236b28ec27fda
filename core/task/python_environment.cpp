#include "core/task/python_environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

using Tool = PythonEnvironment::Tool;

constexpr std::size_t k_key_digits = 20;
constexpr std::size_t k_machine_digits = 8;
constexpr std::size_t k_told = 400;  // of what a tool has said

constexpr std::array<std::string_view, 19> k_network = {"NewConnectionError",
                                                        "Failed to establish a new connection",
                                                        "Temporary failure in name resolution",
                                                        "Name or service not known",
                                                        "Network is unreachable",
                                                        "No route to host",
                                                        "Connection refused",
                                                        "Connection reset",
                                                        "ConnectTimeoutError",
                                                        "ReadTimeoutError",
                                                        "Read timed out",
                                                        "timed out",
                                                        "dns error",
                                                        "error sending request",
                                                        "Max retries exceeded",
                                                        "CondaHTTPError",
                                                        "Could not resolve host",
                                                        "Download error",
                                                        "Failed to download"};
constexpr std::string_view k_disk = "No space left on device";

std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

std::string own_python(const EnvironmentPlaces& places) {
    return places.folder + "/bin/python";
}

[[noreturn]] void lacks(const std::string& what, const std::string& hint) {
    throw Error(ExitCode::invalid, what, "", hint);
}

/// With a Python that is not what was asked for nothing is made.
void check_python(const EnvironmentOrder& order, const EnvironmentTools& tools) {
    if (tools.python.empty()) {
        lacks("there is no python3 in PATH", "install Python, or uv, which brings its own");
    }
    const std::string asked = minor_python(order.python);
    if (!asked.empty() && asked != tools.python_version) {
        lacks(fmt::format("Python {} is asked for, and here is {} ({})", printable(order.python),
                          tools.python_version, tools.python),
              "install that one, or uv, which brings its own");
    }
}

std::vector<std::string> pip_words(const EnvironmentPlaces& places, const EnvironmentTools& tools) {
    std::vector<std::string> words = {own_python(places), "-I"};
    if (tools.venv) {
        words.insert(words.end(), {"-m", "pip"});
    } else {
        words.push_back(places.pip + "/pip");
    }
    words.insert(words.end(),
                 {"install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"});
    return words;
}

/// An empty environment, and the words that install into it.
std::vector<std::string> add_empty(std::vector<EnvironmentCall>& calls, const EnvironmentOrder& order,
                                   const EnvironmentTools& tools, const EnvironmentPlaces& places) {
    if (!tools.uv.empty()) {
        std::vector<std::string> words = {tools.uv, "venv", "--no-project", "--no-progress"};
        if (!order.python.empty()) {
            words.insert(words.end(), {"--python", minor_python(order.python)});
        }
        words.push_back(places.folder);
        calls.push_back({std::move(words), places.files, {}});
        return {tools.uv, "pip", "install", "--no-progress", "--python", own_python(places)};
    }
    check_python(order, tools);
    if (!tools.venv && places.pip.empty()) {
        lacks(fmt::format("{} has no ensurepip, without which no environment gets pip", tools.python),
              "install it (Debian: python3-venv), or uv");
    }
    std::vector<std::string> words = {tools.python, "-I", "-m", "venv"};
    if (!tools.venv) {
        words.emplace_back("--without-pip");
    }
    words.push_back(places.folder);
    calls.push_back({std::move(words), places.files, {}});
    return pip_words(places, tools);
}

std::vector<EnvironmentCall> conda_calls(const EnvironmentTools& tools, const EnvironmentPlaces& places,
                                         const std::string& file) {
    if (tools.conda.empty()) {
        lacks("there is neither micromamba nor mamba nor conda in PATH",
              "install micromamba: one executable, https://mamba.readthedocs.io");
    }
    const bool micro = tools.conda.ends_with("/micromamba");
    std::vector<std::string> words = {tools.conda};
    if (micro) {
        words.insert(words.end(), {"create", "--yes"});
    } else {
        words.insert(words.end(), {"env", "create", "--quiet"});
    }
    words.insert(words.end(), {"--prefix", places.folder, "--file", file});
    return {{std::move(words), folder_of(file), {}}};
}

/// Exactly the packages that were carried: nothing is looked for, and nothing is asked.
std::vector<EnvironmentCall> carried_calls(const EnvironmentOrder& order, const EnvironmentTools& tools,
                                           const EnvironmentPlaces& places) {
    std::vector<EnvironmentCall> calls;
    std::vector<std::string> words = add_empty(calls, order, tools, places);
    if (places.packages.empty()) {
        return calls;
    }
    words.insert(words.end(), {"--no-index", "--no-deps"});
    words.insert(words.end(), places.packages.begin(), places.packages.end());
    calls.push_back({std::move(words), places.files, {}});
    return calls;
}

std::string first_lines_of_failure(std::string_view output) {
    std::string text;
    std::string last;
    for (const std::string_view line : split(output, '\n')) {
        const std::string_view words = trim(line);
        if (words.empty()) {
            continue;
        }
        last = words;
        const bool begins = words.starts_with("ERROR") || words.starts_with("error") ||
                            words.starts_with("Error") || words.starts_with("critical");
        if (begins || !text.empty()) {
            text += (text.empty() ? "" : " ") + std::string(words);
        }
        if (text.size() > k_told) {
            break;
        }
    }
    text = text.empty() ? last : text;
    if (text.size() > k_told) {
        text = to_utf8(text.substr(0, k_told)) + "…";
    }
    return text;
}

}  // namespace

Value to_value(const EnvironmentOrder& order) {
    return Object{{"tool", environment_tool_name(order.tool)},
                  {"file", order.file},
                  {"python", order.python},
                  {"hashes", order.hashes},
                  {"exported", order.exported},
                  {"carried", order.carried}};
}

EnvironmentOrder environment_order_from(const Value& value) {
    const std::string tool = get_string(value, "tool");
    for (const Tool each : {Tool::uv, Tool::requirements, Tool::conda}) {
        if (environment_tool_name(each) == tool) {
            return {each,
                    get_string(value, "file"),
                    get_string(value, "python"),
                    get_bool(value, "hashes"),
                    get_bool(value, "exported"),
                    get_string(value, "carried")};
        }
    }
    throw Error(ExitCode::mismatch, fmt::format("an environment by '{}' is not known", printable(tool)));
}

std::string minor_python(std::string_view version) {
    std::size_t dots = 0;
    for (std::size_t i = 0; i < version.size(); ++i) {
        if (version[i] == '.' && ++dots == 2) {
            return std::string(version.substr(0, i));
        }
        if (version[i] != '.' && std::isdigit(static_cast<unsigned char>(version[i])) == 0) {
            return std::string(version);
        }
    }
    return std::string(version);
}

std::string environment_name(const std::string& key, const std::string& machine,
                             const std::string& interpreter) {
    return key.substr(0, k_key_digits) + "-" +
           sha256_hex(machine + "\n" + interpreter).substr(0, k_machine_digits);
}

std::vector<EnvironmentCall> environment_calls(const EnvironmentOrder& order, const EnvironmentTools& tools,
                                               const EnvironmentPlaces& places) {
    std::string file = places.files + "/" + order.file;
    if (order.tool == Tool::conda) {
        return conda_calls(tools, places, file);
    }
    if (!order.carried.empty()) {
        return carried_calls(order, tools, places);
    }
    if (order.tool == Tool::uv && !tools.uv.empty()) {
        std::vector<std::string> words = {tools.uv, "sync", "--frozen", "--no-install-workspace",
                                          "--no-progress"};
        if (!order.python.empty()) {
            words.insert(words.end(), {"--python", order.python});
        }
        return {{std::move(words), folder_of(file), {{"UV_PROJECT_ENVIRONMENT", places.folder}}}};
    }
    if (order.tool == Tool::uv) {
        if (!order.exported) {
            lacks("there is no uv in PATH",
                  "install it (pip install uv), or start the run where uv is: then pip does here");
        }
        file = places.given + "/exported.txt";
    }
    std::vector<EnvironmentCall> calls;
    std::vector<std::string> words = add_empty(calls, order, tools, places);
    if (order.hashes) {
        words.emplace_back("--require-hashes");
    }
    words.insert(words.end(), {"-r", file});
    calls.push_back({std::move(words), folder_of(file), {}});
    return calls;
}

EnvironmentFailure judge_environment_failure(std::string_view output) {
    const auto said = [output](std::string_view words) {
        return output.find(words) != std::string_view::npos;
    };
    EnvironmentFailure failure;
    failure.network = std::any_of(k_network.begin(), k_network.end(), said);
    failure.temporary = failure.network || said(k_disk);
    failure.text = first_lines_of_failure(output);
    return failure;
}

}  // namespace amp
