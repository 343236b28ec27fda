#include <fmt/format.h>

#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

/// The number of a request that holds no expression.
std::optional<double> static_number(const Step& step, std::string_view key) {
    const auto it = step.resources.find(key);
    return it != step.resources.end() && it->second.value.is_number()
               ? std::optional(it->second.value.as_float())
               : std::nullopt;
}

/// The number of a gang's nodes (1: no gang); nullopt: it is known only at its start.
std::optional<double> static_count(const Boxed<Setting>& setting) {
    if (!setting) {
        return 1;
    }
    return setting->value.is_number() ? std::optional(setting->value.as_float()) : std::nullopt;
}

/// What all nodes together ask for, in words.
std::string on_nodes(std::string each, double nodes) {
    return nodes > 1 ? each + fmt::format(" on each of {} nodes", nodes) : each;
}

void too_much(const Step& step, std::string_view key, std::string_view code, const std::string& wanted,
              const std::string& given, Diagnostics& diagnostics) {
    const auto setting = step.resources.find(key);
    const Place place = setting != step.resources.end() ? setting->second.place : step.place_of("nodes");
    diagnostics.error(
        std::string(code), place,
        fmt::format("step '{}' asks for {}, but this machine has {}", step.name, wanted, given),
        "ask for less, or run it where there is more; `amp run --fit` makes do with what is here");
}

std::string gpus(double count) {
    return count == 0 ? "none" : fmt::format("{} GPU{}", count, count == 1 ? "" : "s");
}

/// `on` chooses another profile, whose machines are not this one.
bool runs_elsewhere(const Step& step) {
    return step.on && step.on->value != Value("local");
}

void check_sizes(const Step& step, double nodes, const MachineLimits& limits, Diagnostics& diagnostics) {
    const auto cpu = step.resources.contains("cpu") ? static_number(step, "cpu") : std::optional(1.0);
    const bool asked = step.resources.contains("cpu") || nodes > 1;
    if (asked && cpu && limits.cpu && *cpu * nodes > *limits.cpu) {
        too_much(step, "cpu", "AMP1601",
                 on_nodes(fmt::format("{} processor{}", *cpu, *cpu == 1 ? "" : "s"), nodes),
                 fmt::format("{}", *limits.cpu), diagnostics);
    }
    const auto memory = step.resources.find("memory");
    if (memory != step.resources.end() && memory->second.value.is_string() && !memory->second.text) {
        const auto bytes = parse_size(memory->second.value.as_string());
        if (bytes && limits.memory_bytes &&
            static_cast<double>(*bytes) * nodes > static_cast<double>(*limits.memory_bytes)) {
            too_much(step, "memory", "AMP1602", on_nodes(format_size(*bytes) + " of memory", nodes),
                     format_size(*limits.memory_bytes), diagnostics);
        }
    }
    if (const auto gpu = static_number(step, "gpu"); gpu && limits.gpu && *gpu * nodes > *limits.gpu) {
        too_much(step, "gpu", "AMP1603", on_nodes(gpus(*gpu), nodes), gpus(*limits.gpu), diagnostics);
    }
}

void check_step(const Step& step, const MachineLimits& limits, Diagnostics& diagnostics) {
    const auto nodes = static_count(step.nodes);
    check_sizes(step, nodes.value_or(1), limits, diagnostics);
    const auto per_node = static_count(step.tasks_per_node);
    if (nodes && per_node && *nodes * *per_node > k_most_ranks) {
        diagnostics.error("AMP1607", step.place_of(step.nodes ? "nodes" : "tasks_per_node"),
                          fmt::format("step '{}' asks for {} ranks, and one machine has at most {}",
                                      step.name, *nodes * *per_node, k_most_ranks),
                          "ask for less, or run it where there is more");
    }
}

}  // namespace

void validate_requests(const Flow& flow, const MachineLimits& limits, Diagnostics& diagnostics) {
    for (const Step& step : flow.steps) {
        if (!runs_elsewhere(step)) {
            check_step(step, limits, diagnostics);
        }
    }
}

}  // namespace amp
