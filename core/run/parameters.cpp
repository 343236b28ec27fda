#include "core/run/parameters.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/flow/params.hpp"
#include "core/run/secrets.hpp"
#include "core/run/step_uses.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_data_file_bytes = std::uint64_t{64} << 20;

std::optional<std::string> variable(const Services& services, const std::string& name) {
    const auto it = services.environment.find(name);
    return it == services.environment.end() ? std::nullopt : std::optional(it->second);
}

ObjectInfo hash_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Sha256 hash;
    ObjectInfo info;
    std::vector<char> buffer(std::size_t{1} << 20);
    while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
        const auto length = static_cast<std::size_t>(file.gcount());
        hash.update({buffer.data(), length});
        info.size_bytes += length;
    }
    if (!file.is_open() || file.bad()) {
        throw Error(ExitCode::not_found, fmt::format("cannot read '{}'", path), path);
    }
    info.sha256 = hash.hex();
    return info;
}

/// Stores the file's content; the parameter's value is then a file as artifacts are, laid at
/// $AMP_IN/params/NAME.
Value store_file(Services& services, OpenStore* store, const std::string& name, const std::string& path) {
    const auto info = services.files.info(services.files.canonical(path));
    if (!info || info->kind != FileInfo::Kind::file) {
        throw Error(ExitCode::invalid,
                    fmt::format("parameter '{}' needs a file, but '{}' is none", name, path), path);
    }
    const ObjectInfo object = store ? Objects(*store->objects).put_file(path) : hash_file(path);
    return FileRef{"params/" + name, object.sha256, object.size_bytes, false};
}

/// As it was given, from the caller's folder; what is not there, from the project's.
std::string placed(Services& services, const Project& project, const std::string& path) {
    return path.starts_with('/') || services.files.info(path) ? path : project.folder + "/" + path;
}

ParameterInputs parameter_inputs(Services& services, const Project& project, const ParameterSources& sources,
                                 const RunRecord* before) {
    ParameterInputs in;
    in.given = sources.given;
    in.bare = sources.bare;
    in.file = sources.file;
    if (!sources.file.empty()) {
        in.file_text = sources.file == "-" ? services.read_input()
                                           : services.files.read(sources.file, k_data_file_bytes);
    }
    in.environment = [&services](const std::string& name) { return variable(services, name); };
    in.inside_task = services.environment.contains("AMP_TASK");
    in.read_secret = read_secret;
    in.ask_secret = [&services](const std::string& name) { return ask_for_secret(services, name); };
    in.file_exists = [&services, &project](const std::string& path) {
        return services.files.info(placed(services, project, path)).has_value();
    };
    if (before) {
        in.recorded = before->params;
    }
    return in;
}

ConfigInputs config_inputs(Services& services, const Project& project, const ParameterSources& sources) {
    ConfigInputs in;
    in.given = sources.config;
    in.environment = [&services](const std::string& name) { return variable(services, name); };
    in.read = [&services, &project](const std::string& path) -> std::optional<std::string> {
        const std::string whole = placed(services, project, path);
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

ResolvedInputs resolve_inputs(Services& services, OpenStore* store, const Project& project, const Flow& flow,
                              const ParameterSources& sources, const RunRecord* before) {
    Diagnostics diagnostics;
    ResolvedParameters resolved =
        resolve_parameters(flow, parameter_inputs(services, project, sources, before), diagnostics);
    Object config = read_config(services, project, flow, sources, diagnostics);
    if (diagnostics.has_errors()) {
        throw InvalidFlow(std::move(diagnostics), flow.path, flow.source);
    }
    for (const std::string& name : resolved.secrets) {
        if (const Value& value = resolved.values.at(name); value.is_string()) {
            const std::string key = parameter_secret_key(name);
            services.secrets.insert_or_assign(key, Secret{key, name, value.as_string()});
        }
    }
    Object params = resolved.recordable();
    for (const auto& [name, path] : resolved.files) {
        params.insert_or_assign(name, store_file(services, store, name, placed(services, project, path)));
    }
    return {Value(std::move(params)), Value(std::move(config))};
}

Value shown_parameters(const Value& params, const Flow& flow) {
    Object out = params.as_object();
    for (auto& [name, value] : out) {
        if (value.is_file()) {
            const FileRef file = value.as_file();
            value = Object{{"path", file.path}, {"sha256", file.sha256}, {"size", file.size_bytes}};
        }
    }
    for (const Parameter& parameter : flow.params) {
        if (parameter.type == Parameter::Type::secret && out.contains(parameter.name)) {
            out.insert_or_assign(parameter.name, "secret");
        }
    }
    return out;
}

Value recorded_environment(const Services& services, const Flow& flow, const Subflows& subflows) {
    std::set<std::string> names = environment_uses(flow);
    for (const auto& [key, subflow] : subflows) {
        names.merge(environment_uses(subflow.flow));
    }
    Object out;
    for (const std::string& name : names) {
        if (const auto value = variable(services, name)) {
            out.emplace(name, *value);
        }
    }
    return out;
}

}  // namespace amp
