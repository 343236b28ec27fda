#include "core/run/secret_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/run/drive.hpp"

namespace amp {
namespace {

constexpr std::string_view k_file = "file:";

void add_sources(const Services& services, const Flow& flow, const std::string& folder,
                 std::set<std::string>& paths) {
    const auto home = services.environment.find("HOME");
    for (const Step& step : flow.steps) {
        for (const auto& [variable, source] : step.secrets) {
            if (!source.starts_with(k_file)) {
                continue;
            }
            const std::string path = source.substr(k_file.size());
            if (!path.starts_with("~/")) {
                paths.insert(path.starts_with('/') ? path : fmt::format("{}/{}", folder, path));
            } else if (home != services.environment.end()) {
                paths.insert(fmt::format("{}{}", home->second, path.substr(1)));
            }
        }
    }
}

void add_given(const Flow& flow, const ParameterSources& given, std::set<std::string>& paths) {
    for (const auto& [name, text] : given.given) {
        const auto parameter = std::find_if(flow.params.begin(), flow.params.end(),
                                            [&name = name](const Parameter& p) { return p.name == name; });
        if (parameter != flow.params.end() && parameter->type == Parameter::Type::secret &&
            text.starts_with('@')) {
            paths.insert(text.substr(1));
        }
    }
}

/// Relative to the project, as its code is listed; those elsewhere are none of it.
std::set<std::string> inside(Files& files, const std::set<std::string>& paths, const std::string& folder) {
    const std::string root = files.canonical(folder) + "/";
    std::set<std::string> out;
    for (const std::string& path : paths) {
        if (!files.info(path)) {
            continue;  // whoever looks the secret up says so
        }
        if (std::string real = files.canonical(path); real.starts_with(root)) {
            out.insert(real.substr(root.size()));
        }
    }
    return out;
}

}  // namespace

void check_secret_files(Services& services, OpenStore& store, const Project& project, const Flow& flow,
                        const Subflows& subflows, const ParameterSources& given) {
    std::set<std::string> paths;
    add_sources(services, flow, project.folder, paths);
    for (const auto& [key, subflow] : subflows) {
        add_sources(services, subflow.flow, project.folder, paths);
    }
    add_given(flow, given, paths);
    const std::set<std::string> suspects = inside(services.files, paths, project.folder);
    if (suspects.empty()) {
        return;
    }
    const CodeManifest code =
        scan_project(services, store, project.folder, flow, code_limits(project.settings), false);
    std::vector<std::string> found;
    for (const CodeEntry& entry : code.entries) {
        if (suspects.contains(entry.path)) {
            found.push_back(printable(entry.path));
        }
    }
    if (!found.empty()) {
        throw Error(ExitCode::invalid,
                    fmt::format("{} {} a secret, and would be kept with the run as code of the project",
                                join(found, ", "), found.size() == 1 ? "holds" : "hold"),
                    project.folder,
                    fmt::format("name {} in .gitignore or .ampignore, or move {} out of the project",
                                found.size() == 1 ? "it" : "them", found.size() == 1 ? "it" : "them"));
    }
}

}  // namespace amp
