#include "core/ports/task_spec_parts.hpp"

#include <array>

namespace amp {
namespace {

constexpr std::array<std::string_view, 7> k_launchers = {"none", "torchrun", "accelerate", "deepspeed",
                                                         "ray",  "mpi",      "tensorflow"};
constexpr std::array<std::string_view, 6> k_output_types = {"automatic", "file", "dir",
                                                            "json",      "text", "metrics"};
constexpr std::array<std::string_view, 3> k_environment_tools = {"uv", "requirements", "conda"};

}  // namespace

std::string_view launcher_name(Launcher launcher) {
    return k_launchers[static_cast<std::size_t>(launcher)];
}

std::optional<Launcher> parse_launcher(std::string_view name) {
    return find_name<Launcher>(k_launchers, name);
}

Launcher launcher_from(const std::string& name) {
    return need_name<Launcher>(k_launchers, name, "launcher");
}

std::string_view environment_tool_name(PythonEnvironment::Tool tool) {
    return k_environment_tools[static_cast<std::size_t>(tool)];
}

Value to_value(const TaskOutput& output) {
    Object out{{"name", output.name}, {"path", output.path}};
    if (output.type != TaskOutput::Type::automatic) {
        out["type"] = k_output_types[static_cast<std::size_t>(output.type)];
    }
    if (output.optional) {
        out["optional"] = true;
    }
    return out;
}

TaskOutput output_from(const Value& value) {
    return {
        get_string(value, "name"), get_string(value, "path"),
        need_name<TaskOutput::Type>(k_output_types, get_string(value, "type", "automatic"), "output type"),
        get_bool(value, "optional")};
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
    const Value* files = value.find("files");
    return {need_name<PythonEnvironment::Tool>(k_environment_tools, get_string(value, "tool"),
                                               "environment tool"),
            get_string(value, "key"), files == nullptr ? Artifact{} : artifact_from(*files)};
}

}  // namespace amp
