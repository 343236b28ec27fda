#include "core/run/project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/first_error.hpp"
#include "core/flow/project_config.hpp"
#include "core/run/start.hpp"

namespace amp {
namespace {

constexpr std::string_view k_file = "amp.toml";
constexpr std::string_view k_store = ".amp";
constexpr std::string_view k_checked_out = ".amp-run";
constexpr std::string_view k_local = "local";
constexpr std::uint64_t k_max_file = std::uint64_t{8} << 20;

std::string parent_of(const std::string& folder) {
    const std::size_t slash = folder.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : folder.substr(0, slash);
}

std::string beside(const std::string& folder, std::string_view name) {
    return folder == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", folder, name);
}

/// The nearest folder upwards that holds one of `names`.
std::optional<std::string> nearest_with(Files& files, std::string folder,
                                        std::initializer_list<std::string_view> names) {
    while (true) {
        for (const std::string_view name : names) {
            if (files.info(beside(folder, name))) {
                return folder;
            }
        }
        if (folder == "/") {
            return std::nullopt;
        }
        folder = parent_of(folder);
    }
}

std::string project_folder(Files& files) {
    const std::string current = files.current_folder();
    if (const auto folder = nearest_with(files, current, {k_file, k_checked_out})) {
        return *folder;
    }
    return nearest_with(files, current, {k_store}).value_or(current);
}

std::string_view variable(const Services& services, std::string_view name) {
    const auto found = services.environment.find(name);
    return found == services.environment.end() ? std::string_view{} : std::string_view(found->second);
}

/// @param base what a relative path begins at
std::string store_at(const Services& services, std::string_view url, const std::string& base,
                     const std::string& origin) {
    if (url.find("://") != std::string_view::npos) {
        throw Error(ExitCode::usage,
                    fmt::format("the store '{}' is not supported yet: only a folder is", url), origin,
                    "name a folder, or leave it out for .amp in the project");
    }
    std::filesystem::path path = base;
    if (url.starts_with("~/") && !variable(services, "HOME").empty()) {
        path = std::filesystem::path(variable(services, "HOME")) / url.substr(2);
    } else {
        path /= url;
    }
    std::string text = path.lexically_normal().string();
    while (text.size() > 1 && text.ends_with('/')) {
        text.pop_back();
    }
    return text;
}

/// With the lines of the first file that has errors; of other layers there are none.
[[noreturn]] void refuse(const Diagnostics& diagnostics, const std::vector<SettingsFile>& files) {
    const Diagnostic first = first_error(diagnostics);
    if (first.message.empty()) {  // it is behind very many warnings
        throw Error(ExitCode::invalid, "the settings have errors");
    }
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const SettingsFile& known) { return known.path == first.file; });
    Diagnostics told;
    for (Diagnostic diagnostic : diagnostics.sorted()) {
        diagnostic.file = diagnostic.file == first.file ? "" : diagnostic.file;
        told.add(std::move(diagnostic));
    }
    const std::string where = first.place.line > 0
                                  ? fmt::format("{}:{}:{}", first.file, first.place.line, first.place.column)
                                  : first.file;
    throw InvalidFlow(Error(ExitCode::invalid, first.message, where, first.hint), std::move(told), first.file,
                      file == files.end() ? "" : file->text);
}

/// Where a container's or a service's user is given another's HOME, what lies there is not for it.
bool has_settings(Services& services, const std::string& path, const std::string& folder) {
    try {
        return services.files.info(path).has_value();
    } catch (const Error&) {
        if (path.starts_with(folder + "/")) {
            throw;
        }
        return false;
    }
}

/// All layers of settings, as `amp help config` lists them.
ProjectConfig read_settings(Services& services, const std::string& folder,
                            const std::vector<std::string>& overrides) {
    const auto variable_of = [&services](const std::string& name) -> std::optional<std::string> {
        const auto found = services.environment.find(name);
        return found == services.environment.end() ? std::nullopt : std::optional(found->second);
    };
    ProjectConfigInputs inputs;
    for (const std::string& path : settings_paths(folder, variable_of)) {
        if (has_settings(services, path, folder)) {
            inputs.files.push_back({path, services.files.read(path, k_max_file)});
        }
    }
    inputs.environment = services.environment;
    inputs.sets = overrides;
    Diagnostics diagnostics;
    ProjectConfig config = load_project_config(inputs, diagnostics);
    if (diagnostics.has_errors()) {
        refuse(diagnostics, inputs.files);
    }
    return config;
}

std::string store_folder(const Services& services, const Project& project) {
    const Value* store = project.settings.find("store");
    if (const std::string url = store ? get_string(*store, "url") : ""; !url.empty()) {
        const auto origin = project.origins.find("store.url");
        return store_at(services, url, project.folder, origin == project.origins.end() ? "" : origin->second);
    }
    if (const std::string_view url = variable(services, "AMP_STORE"); !url.empty()) {
        return store_at(services, url, services.files.current_folder(), "AMP_STORE");
    }
    return beside(project.folder, k_store);
}

/// The profile asked for, else the project's default (which its settings were checked for), else "local".
std::string chosen_profile(const Project& project, const std::string& asked) {
    if (asked.empty()) {
        return get_string(project.settings, "default", k_local);
    }
    if (has_profile(project.settings, asked)) {
        return asked;
    }
    const std::vector<std::string> names = profile_names(project.settings);
    const auto meant = did_you_mean(asked, names);
    throw Error(
        ExitCode::usage, fmt::format("there is no profile '{}'", asked), beside(project.folder, k_file),
        meant ? fmt::format("did you mean '{}'?", *meant)
              : fmt::format("{}: {}", names.size() == 1 ? "there is" : "there are", join(names, ", ")));
}

}  // namespace

Project find_project(Services& services, const std::vector<std::string>& overrides,
                     const std::string& profile) {
    Project project;
    project.folder = project_folder(services.files);
    ProjectConfig config = read_settings(services, project.folder, overrides);
    project.settings = std::move(config.settings);
    project.origins = std::move(config.origins);
    project.profile = chosen_profile(project, profile);
    project.store_folder = store_folder(services, project);
    return project;
}

void check_place(Services& services, const Project& project, const std::string& flow) {
    Files& files = services.files;
    const std::string& folder = project.folder;
    if (files.info(beside(folder, k_file)) || files.info(beside(folder, k_checked_out))) {
        return;
    }
    if (folder == "/") {
        throw Error(
            ExitCode::usage, "the project would be '/', and all files of this machine its code", folder,
            "go to the folder of the project first; or, where / is the project, make an amp.toml there");
    }
    if (flow.empty() || files.info(beside(folder, k_store))) {
        return;
    }
    const std::string path = files.canonical(flow);
    if (!path.starts_with(files.canonical(folder) + "/")) {
        throw Error(ExitCode::usage,
                    fmt::format("'{}' lies outside of {}, which would be its project", flow, folder), folder,
                    fmt::format("`cd {}` first; or, where {} is the project, make an amp.toml there",
                                parent_of(path), folder));
    }
}

}  // namespace amp
