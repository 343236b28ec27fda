#include "core/run/project.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/toml_document.hpp"

namespace amp {
namespace {

constexpr std::string_view k_file = "amp.toml";
constexpr std::string_view k_store = ".amp";
constexpr std::string_view k_local = "local";
constexpr std::uint64_t k_max_file = std::uint64_t{8} << 20;

std::string parent_of(const std::string& folder) {
    const std::size_t slash = folder.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : folder.substr(0, slash);
}

std::string beside(const std::string& folder, std::string_view name) {
    return folder == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", folder, name);
}

/// The nearest folder upwards that holds `name`.
std::optional<std::string> nearest_with(Files& files, std::string folder, std::string_view name) {
    while (true) {
        if (files.info(beside(folder, name))) {
            return folder;
        }
        if (folder == "/") {
            return std::nullopt;
        }
        folder = parent_of(folder);
    }
}

std::string project_folder(Files& files) {
    const std::string current = files.current_folder();
    if (const auto folder = nearest_with(files, current, k_file)) {
        return *folder;
    }
    return nearest_with(files, current, k_store).value_or(current);
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

[[noreturn]] void refuse(const Diagnostics& diagnostics, const std::string& path) {
    const Diagnostic first = diagnostics.sorted().front();
    const std::string& file = first.file.empty() ? path : first.file;
    throw Error(
        ExitCode::invalid, first.message,
        first.place.line == 0 ? file : fmt::format("{}:{}:{}", file, first.place.line, first.place.column),
        first.hint);
}

/// amp.toml of the project.
void read_settings(Services& services, Project& project) {
    project.settings = Object{};
    const std::string path = beside(project.folder, k_file);
    if (!services.files.info(path)) {
        return;
    }
    const std::string text = services.files.read(path, k_max_file);
    Diagnostics diagnostics;
    project.settings = parse_toml(text, diagnostics).root.value();
    if (diagnostics.has_errors()) {
        refuse(diagnostics, path);
    }
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

/// The profile asked for, else the project's default, else "local", which needs no table.
std::string chosen_profile(const Project& project, const std::string& asked) {
    std::string profile = asked.empty() ? get_string(project.settings, "default", k_local) : asked;
    const Object& profiles = get_object(project.settings, "profile");
    if (profile == k_local || profiles.contains(profile)) {
        return profile;
    }
    std::vector<std::string> names = {std::string(k_local)};
    for (const auto& [name, table] : profiles) {
        names.push_back(name);
    }
    const auto meant = did_you_mean(profile, names);
    throw Error(
        asked.empty() ? ExitCode::invalid : ExitCode::usage, fmt::format("there is no profile '{}'", profile),
        beside(project.folder, k_file),
        meant ? fmt::format("did you mean '{}'?", *meant) : fmt::format("there are: {}", join(names, ", ")));
}

}  // namespace

Project find_project(Services& services, const std::vector<std::string>&, const std::string& profile) {
    Project project;
    project.folder = project_folder(services.files);
    read_settings(services, project);
    project.profile = chosen_profile(project, profile);
    project.store_folder = store_folder(services, project);
    return project;
}

}  // namespace amp
