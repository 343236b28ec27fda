#include "core/flow/project_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "core/base/text.hpp"
#include "core/flow/params.hpp"
#include "core/flow/params_pattern.hpp"
#include "core/flow/project_config_merge.hpp"
#include "core/flow/project_config_schema.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

using project_config::dotted;
using project_config::Merger;
using project_config::parse_dotted;

constexpr std::string_view k_prefix = "AMP__";

bool is_comparison(std::string_view text) {
    text = trim(text);
    constexpr std::array<std::string_view, 6> k_operators = {">=", "<=", "==", "!=", ">", "<"};
    const auto op = std::find_if(k_operators.begin(), k_operators.end(),
                                 [&](std::string_view o) { return text.starts_with(o); });
    if (op == k_operators.end()) {
        return false;
    }
    const auto number = parse_parameter(Parameter::Type::floating, text.substr(op->size()));
    return number && std::isfinite(number->as_float());
}

/// Is the backend among those of a text such as "ssh and slurm"?
bool names(std::string_view backends, std::string_view backend) {
    const std::size_t at = backends.find(backend);
    const std::size_t end = at == std::string_view::npos ? at : at + backend.size();
    return end != std::string_view::npos && (at == 0 || backends[at - 1] == ' ') &&
           (end == backends.size() || backends[end] == ' ');
}

/// What concerns the merged whole.
class WholeCheck {
  public:
    WholeCheck(const ProjectConfig& config, Diagnostics& diagnostics)
        : config_(config), diagnostics_(diagnostics) {}

    void check() {
        const std::string profile = get_string(config_.settings, "default", "local");
        if (!has_profile(config_.settings, profile)) {
            std::vector<std::string> names = {"local"};
            for (const auto& [name, table] : get_object(config_.settings, "profile")) {
                names.push_back(name);
            }
            const auto nearest = did_you_mean(profile, names);
            report("AMP2001", {"default"}, fmt::format("there is no profile '{}'", printable(profile)),
                   nearest ? fmt::format("did you mean '{}'?", *nearest)
                           : fmt::format("there are {}", amp::join(names, ", ")));
        }
        for (const auto& [name, table] : get_object(config_.settings, "profile")) {
            if (table.is_object()) {
                check_profile(name, table);
            }
        }
        for (const auto& [name, policy] : get_object(config_.settings, "policy")) {
            for (const auto& [metric, comparison] : get_object(policy, "metrics")) {
                if (comparison.is_string() && !is_comparison(comparison.as_string())) {
                    report(
                        "AMP2009", {"policy", name, "metrics", metric},
                        fmt::format("'{}' is no comparison with a number", printable(comparison.as_string())),
                        "write \">= 0.9\"");
                }
            }
        }
    }

  private:
    void check_profile(const std::string& name, const Value& table) {
        const std::string backend = get_string(table, "backend", name == "local" ? "local" : "");
        if (backend.empty()) {
            if (table.find("backend") == nullptr) {
                report("AMP2005", {"profile", name}, fmt::format("the profile '{}' has no `backend`", name),
                       "add backend = \"local\", \"ssh\", \"slurm\", \"kubernetes\" or \"batch\"");
            }
            return;
        }
        for (const auto& [key, value] : table.as_object()) {
            const std::string_view wanted = project_schema::backend_of(key);
            if (!wanted.empty() && !names(wanted, backend)) {
                report("AMP2004", {"profile", name, key},
                       fmt::format("`{}` is for the backend {}, but the profile '{}' has {}", key, wanted,
                                   name, backend),
                       "take it away, or change the backend");
            }
        }
    }

    /// At the value's origin: "amp.toml:12" is a file and line, others are sources without lines.
    void report(std::string code, const std::vector<std::string>& path, std::string message,
                std::string hint) {
        auto origin = config_.origins.lower_bound(dotted(path));  // of a table, its first value's
        Diagnostic diagnostic{
            std::move(code), Diagnostic::Severity::error, std::move(message), {}, std::move(hint), {}};
        if (origin != config_.origins.end()) {
            const std::string& text = origin->second;
            const std::size_t colon = text.rfind(':');
            const bool line = colon != std::string::npos && colon + 1 < text.size() &&
                              text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
                              !text.starts_with('-');
            diagnostic.file = line ? text.substr(0, colon) : text;
            if (line) {
                diagnostic.place = {
                    static_cast<std::uint32_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10)), 1, 1};
            }
        }
        diagnostics_.add(std::move(diagnostic));
    }

    const ProjectConfig& config_;
    Diagnostics& diagnostics_;
};

}  // namespace

ProjectConfig load_project_config(const ProjectConfigInputs& inputs, Diagnostics& diagnostics) {
    Merger merger(diagnostics);
    merger.add_built_in();
    for (const SettingsFile& file : inputs.files) {
        merger.add_file(file);
    }
    for (const auto& [name, text] : inputs.environment) {
        if (!name.starts_with(k_prefix)) {
            continue;
        }
        const auto path = merger.path_of_variable(std::string_view(name).substr(k_prefix.size()));
        if (path.empty()) {
            diagnostics.add({"AMP2003",
                             Diagnostic::Severity::error,
                             fmt::format("the variable {} names no setting", printable(name)),
                             {},
                             "write AMP__PROFILE__HPC__PARTITION for profile.hpc.partition",
                             printable(name)});
            continue;
        }
        merger.add_value(path, text, name);
    }
    for (const std::string& set : inputs.sets) {
        const std::size_t equals = set.find('=');
        const auto path = equals == std::string::npos
                              ? std::vector<std::string>()
                              : parse_dotted(trim(std::string_view(set).substr(0, equals)));
        if (path.empty()) {
            diagnostics.add({"AMP2002",
                             Diagnostic::Severity::error,
                             fmt::format("'{}' is no setting", printable(set)),
                             {},
                             "write --set profile.hpc.partition=cpu",
                             "--set"});
            continue;
        }
        merger.add_value(path, std::string_view(set).substr(equals + 1), "--set");
    }
    ProjectConfig config = merger.result();
    WholeCheck(config, diagnostics).check();
    return config;
}

std::vector<std::string> settings_paths(
    const std::string& project_folder,
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
    std::vector<std::string> paths = {"/etc/xdg/amp/config.toml"};
    const auto home = variable("HOME");
    const auto own = variable("XDG_CONFIG_HOME");
    if (own && own->starts_with('/')) {
        paths.push_back(*own + "/amp/config.toml");
    } else if (home && !home->empty()) {
        paths.push_back(*home + "/.config/amp/config.toml");
    }
    const std::string folder = project_folder == "/" ? "" : project_folder;
    paths.push_back(folder + "/amp.toml");
    paths.push_back(folder + "/.amp/local.toml");
    return paths;
}

const Value* find_setting(const Value& settings, std::string_view key) {
    const Value* value = &settings;
    for (const std::string& name : parse_dotted(key)) {
        value = value == nullptr ? nullptr : value->find(name);
    }
    return value == &settings ? nullptr : value;
}

bool has_profile(const Value& settings, std::string_view profile) {
    const Value* profiles = settings.find("profile");
    return profile == "local" || (profiles != nullptr && profiles->find(profile) != nullptr);
}

std::string backend_of(const Value& settings, std::string_view profile) {
    const Value* profiles = settings.find("profile");
    const Value* table = profiles == nullptr ? nullptr : profiles->find(profile);
    return table == nullptr ? "local" : get_string(*table, "backend", "local");
}

Value step_overrides(const Value& settings, std::string_view profile) {
    const Value* profiles = settings.find("profile");
    const Value* table = profiles == nullptr ? nullptr : profiles->find(profile);
    const Value* steps = table == nullptr ? nullptr : table->find("step");
    return steps == nullptr ? Value() : *steps;
}

std::vector<std::string> profile_names(const Value& settings) {
    std::vector<std::string> names = {"local"};
    if (const Value* profiles = settings.find("profile"); profiles != nullptr && profiles->is_object()) {
        for (const auto& [name, table] : profiles->as_object()) {
            if (name != "local") {
                names.push_back(name);
            }
        }
    }
    return names;
}

namespace {

void check_profiles_of_steps(const Flow& flow, const Value& settings, Diagnostics& diagnostics) {
    for (const Step& step : flow.steps) {
        if (!step.on || !step.on->value.is_string() || has_expression(step.on->value.as_string()) ||
            has_profile(settings, step.on->value.as_string())) {
            continue;
        }
        const std::string& wanted = step.on->value.as_string();
        const std::vector<std::string> names = profile_names(settings);
        const auto meant = did_you_mean(wanted, names);
        diagnostics.error("AMP2010", step.on->place,
                          fmt::format("step '{}' runs on the profile '{}', which the project does not have",
                                      step.name, printable(wanted)),
                          meant ? fmt::format("did you mean '{}'?", *meant)
                                : fmt::format("profiles stand in amp.toml: there {} {}",
                                              names.size() == 1 ? "is" : "are", join(names, ", ")));
    }
}

}  // namespace

void check_against_project(const Flow& flow, const Value& settings, std::string_view profile,
                           Diagnostics& diagnostics) {
    const Value* naming = settings.find("naming");
    const std::string pattern = naming == nullptr ? std::string() : get_string(*naming, "flow");
    if (!pattern.empty() && !matches_pattern(flow.name, pattern)) {
        diagnostics.error(
            "AMP2006", {1, 1, 1},
            fmt::format("the flow's name '{}' does not match the project's pattern '{}'", flow.name, pattern),
            "rename the flow, or change [naming] in amp.toml");
    }
    check_profiles_of_steps(flow, settings, diagnostics);
    std::vector<std::string> names;
    for (const Step& step : flow.steps) {
        names.push_back(step.name);
    }
    const Value overrides = step_overrides(settings, profile);
    if (!overrides.is_object()) {
        return;
    }
    for (const auto& [name, keys] : overrides.as_object()) {
        const bool known = std::find(names.begin(), names.end(), name) != names.end();
        if (const auto nearest = known ? std::nullopt : did_you_mean(name, names)) {
            diagnostics.warning(
                "AMP2008", {},
                fmt::format("the profile '{}' overrides a step '{}', which this flow does not have", profile,
                            name),
                fmt::format("did you mean '{}'?", *nearest));
        }
    }
}

std::optional<std::string> tag_mistake(const Value& settings, std::string_view tag) {
    const Value* naming = settings.find("naming");
    const std::string pattern = naming == nullptr ? std::string() : get_string(*naming, "tag");
    if (pattern.empty() || matches_pattern(tag, pattern)) {
        return std::nullopt;
    }
    return fmt::format("the tag '{}' does not match the project's pattern '{}'", printable(tag), pattern);
}

}  // namespace amp
