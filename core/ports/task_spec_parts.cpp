#include "core/ports/task_spec_parts.hpp"

#include <algorithm>
#include <array>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::array<std::string_view, 7> k_launchers = {"none", "torchrun", "accelerate", "deepspeed",
                                                         "ray",  "mpi",      "tensorflow"};

}  // namespace

std::string_view launcher_name(Launcher launcher) {
    return k_launchers[static_cast<std::size_t>(launcher)];
}

std::optional<Launcher> parse_launcher(std::string_view name) {
    const auto found = std::find(k_launchers.begin(), k_launchers.end(), name);
    return found == k_launchers.end() ? std::nullopt
                                      : std::optional(static_cast<Launcher>(found - k_launchers.begin()));
}

std::string_view environment_tool_name(PythonEnvironment::Tool tool) {
    switch (tool) {
        case PythonEnvironment::Tool::uv:
            return "uv";
        case PythonEnvironment::Tool::requirements:
            return "requirements";
        case PythonEnvironment::Tool::conda:
            break;
    }
    return "conda";
}

Value to_value(const Monitor& monitor) {
    return Object{{"interval_s", monitor.interval_s},
                  {"gpu", monitor.gpu},
                  {"neuron", monitor.neuron},
                  {"hang_s", monitor.hang_s}};
}

Monitor monitor_from(const Value& value) {
    Monitor monitor;
    monitor.interval_s = get_float(value, "interval_s", monitor.interval_s);
    monitor.gpu = get_bool(value, "gpu", monitor.gpu);
    monitor.neuron = get_bool(value, "neuron", monitor.neuron);
    monitor.hang_s = get_float(value, "hang_s", monitor.hang_s);
    return monitor;
}

Value to_value(const PythonEnvironment& environment) {
    return Object{{"tool", environment_tool_name(environment.tool)},
                  {"key", environment.key},
                  {"files", to_value(environment.files)}};
}

PythonEnvironment environment_from(const Value& value) {
    using Tool = PythonEnvironment::Tool;
    const std::string name = get_string(value, "tool");
    const Value* files = value.find("files");
    for (const Tool tool : {Tool::uv, Tool::requirements, Tool::conda}) {
        if (environment_tool_name(tool) == name) {
            return {tool, get_string(value, "key"), files == nullptr ? Artifact{} : artifact_from(*files)};
        }
    }
    throw Error(ExitCode::mismatch, "environment tool '" + name + "' is unknown");
}

}  // namespace amp
