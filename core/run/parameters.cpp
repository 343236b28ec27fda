#include "core/run/parameters.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/flow/params.hpp"
#include "core/run/step_uses.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_data_file_bytes = std::uint64_t{64} << 20;

std::optional<std::string> variable(const Services& services, const std::string& name) {
    const auto it = services.environment.find(name);
    return it == services.environment.end() ? std::nullopt : std::optional(it->second);
}

/// Stores the file's content; the parameter's value is then a file as artifacts are, laid at
/// $AMP_IN/params/NAME.
Value store_file(Services& services, OpenStore& store, const std::string& name, const std::string& path) {
    const auto info = services.files.info(services.files.canonical(path));
    if (!info || info->kind != FileInfo::Kind::file) {
        throw Error(ExitCode::invalid,
                    fmt::format("parameter '{}' needs a file, but '{}' is none", name, path), path);
    }
    const ObjectInfo object = Objects(*store.objects).put_file(path);
    return FileRef{"params/" + name, object.sha256, object.size_bytes, false};
}

ParameterInputs parameter_inputs(Services& services, const ParameterSources& sources,
                                 const RunRecord* before) {
    ParameterInputs in;
    in.given = sources.given;
    in.file = sources.file;
    if (!sources.file.empty()) {
        in.file_text = services.files.read(sources.file, k_data_file_bytes);
    }
    in.environment = [&services](const std::string& name) { return variable(services, name); };
    in.inside_task = services.environment.contains("AMP_TASK");
    in.file_exists = [&services](const std::string& path) { return services.files.info(path).has_value(); };
    if (before) {
        in.recorded = before->params;
    }
    return in;
}

ConfigInputs config_inputs(Services& services, const Project& project, const ParameterSources& sources) {
    ConfigInputs in;
    in.given = sources.config;
    in.environment = [&services](const std::string& name) { return variable(services, name); };
    in.read = [&services, folder = project.folder](const std::string& path) -> std::optional<std::string> {
        const std::string whole =
            path.starts_with('/') || services.files.info(path) ? path : folder + "/" + path;
        if (!services.files.info(whole)) {
            return std::nullopt;
        }
        return services.files.read(whole, k_data_file_bytes);
    };
    return in;
}

}  // namespace

Object read_config(Services& services, const Project& project, const Flow& flow,
                   const ParameterSources& sources, Diagnostics& diagnostics) {
    return load_config(flow, config_inputs(services, project, sources), diagnostics);
}

ResolvedInputs resolve_inputs(Services& services, OpenStore& store, const Project& project, const Flow& flow,
                              const ParameterSources& sources, const RunRecord* before) {
    Diagnostics diagnostics;
    ResolvedParameters resolved =
        resolve_parameters(flow, parameter_inputs(services, sources, before), diagnostics);
    Object config = read_config(services, project, flow, sources, diagnostics);
    if (diagnostics.has_errors()) {
        throw InvalidFlow(std::move(diagnostics), flow.path, flow.source);
    }
    Object params = resolved.recordable();
    for (const auto& [name, path] : resolved.files) {
        params.insert_or_assign(name, store_file(services, store, name, path));
    }
    return {Value(std::move(params)), Value(std::move(config))};
}

Value recorded_environment(const Services& services, const Flow& flow) {
    Object out;
    for (const std::string& name : environment_uses(flow)) {
        if (const auto value = variable(services, name)) {
            out.emplace(name, *value);
        }
    }
    return out;
}

}  // namespace amp
