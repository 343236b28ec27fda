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

void too_much(const Step& step, std::string_view key, std::string_view code, std::string wanted,
              std::string given, Diagnostics& diagnostics) {
    diagnostics.error(
        std::string(code), step.resources.find(key)->second.place,
        fmt::format("step '{}' asks for {}, but at most {} can be given", step.name, wanted, given),
        "ask for less, or run it where there is more");
}

}  // namespace

void validate_requests(const Flow& flow, const MachineLimits& limits, Diagnostics& diagnostics) {
    if (!limits.known) {
        return;
    }
    for (const Step& step : flow.steps) {
        if (const auto cpu = static_number(step, "cpu"); cpu && limits.cpu > 0 && *cpu > limits.cpu) {
            too_much(step, "cpu", "AMP1601", fmt::format("{} processors", *cpu),
                     fmt::format("{}", limits.cpu), diagnostics);
        }
        const auto memory = step.resources.find("memory");
        if (memory != step.resources.end() && memory->second.value.is_string() && !memory->second.text) {
            const auto bytes = parse_size(memory->second.value.as_string());
            if (bytes && limits.memory_bytes > 0 && *bytes > limits.memory_bytes) {
                too_much(step, "memory", "AMP1602", format_size(*bytes) + " of memory",
                         format_size(limits.memory_bytes), diagnostics);
            }
        }
        if (const auto gpu = static_number(step, "gpu"); gpu && limits.gpu > 0 && *gpu > limits.gpu) {
            too_much(step, "gpu", "AMP1603", fmt::format("{} GPUs", *gpu), fmt::format("{}", limits.gpu),
                     diagnostics);
        }
    }
}

}  // namespace amp
