#include "core/run/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/setting.hpp"
#include "core/run/run_scope.hpp"

namespace amp {
namespace {

constexpr std::int64_t k_most_nodes = 65536;
constexpr std::int64_t k_most_tasks_per_node = 1024;

bool is_static(const Setting& setting) {
    Diagnostics ignored;
    return expressions_of(setting, ignored).empty();
}

std::uint32_t count_of(const Boxed<Setting>& setting, const Scope& scope, std::string_view key,
                       std::int64_t most, std::uint32_t fallback) {
    return setting ? static_cast<std::uint32_t>(setting_int(*setting, scope, key, 1, most)) : fallback;
}

Launcher evaluate_launcher(const Step& step, const Scope& scope) {
    if (!step.launcher) {
        return Launcher::none;
    }
    const Value name = evaluate(*step.launcher, scope);
    const auto launcher = name.is_string() ? parse_launcher(name.as_string()) : std::nullopt;
    if (!launcher) {
        throw Error(ExitCode::invalid,
                    "launcher is none of none, torchrun, accelerate, deepspeed, ray, mpi, tensorflow",
                    "launcher");
    }
    return *launcher;
}

/// One process for each GPU of the node, as torchrun's own `--nproc-per-node=gpu`.
std::uint32_t usual_tasks_per_node(Launcher launcher, const Resources& node) {
    const bool torch =
        launcher == Launcher::torchrun || launcher == Launcher::accelerate || launcher == Launcher::deepspeed;
    return torch ? std::max(1U, node.gpu) : 1;
}

}  // namespace

Resources evaluate_resources(const Step& step, const Scope& scope) {
    Resources out;
    for (const auto& [name, setting] : step.resources) {
        if (name == "cpu") {
            out.cpu = setting_number(setting, scope, "resources.cpu");
        } else if (name == "memory") {
            out.memory_bytes = setting_size_bytes(setting, scope, "resources.memory");
        } else if (name == "gpu") {
            out.gpu =
                static_cast<std::uint32_t>(setting_int(setting, scope, "resources.gpu", 0, k_most_gpus));
        }
    }
    return out;
}

std::optional<Gang> evaluate_gang(const Step& step, const Scope& scope, const Resources& node) {
    if (!step.is_gang()) {
        return std::nullopt;
    }
    Gang gang;
    gang.launcher = evaluate_launcher(step, scope);
    gang.nodes = count_of(step.nodes, scope, "nodes", k_most_nodes, 1);
    gang.tasks_per_node = count_of(step.tasks_per_node, scope, "tasks_per_node", k_most_tasks_per_node,
                                   usual_tasks_per_node(gang.launcher, node));
    return gang;
}

bool has_fixed_requests(const Step& step) {
    const auto fixed = [](const Boxed<Setting>& setting) { return !setting || is_static(*setting); };
    return fixed(step.nodes) && fixed(step.tasks_per_node) && fixed(step.launcher) &&
           std::all_of(step.resources.begin(), step.resources.end(),
                       [](const auto& resource) { return is_static(resource.second); });
}

void grow_resources(Resources& resources, const RetryPolicy& retry, std::uint32_t ooms) {
    for (const auto& [name, factor] : retry.grow) {
        const double times = std::pow(factor, static_cast<double>(ooms));
        if (name == "memory") {
            resources.memory_bytes =
                static_cast<std::uint64_t>(static_cast<double>(resources.memory_bytes) * times);
        } else if (name == "cpu") {
            resources.cpu *= times;
        } else if (name == "gpu") {
            resources.gpu = static_cast<std::uint32_t>(
                std::min(std::ceil(resources.gpu * times), static_cast<double>(k_most_gpus)));
        }
    }
}

std::vector<std::string> fit_request(Resources& node, std::optional<Gang>& gang, const Capacity& machine) {
    std::vector<std::string> cuts;
    const std::uint32_t asked_nodes = gang ? gang->nodes : 1;
    std::uint32_t nodes = asked_nodes;
    const std::uint32_t asked_gpu = node.gpu;
    if (node.gpu > 0 && machine.gpu > 0) {
        nodes = std::min(nodes, machine.gpu);
    }
    if (gang) {
        nodes = std::min(nodes, std::max(1U, k_most_ranks / gang->tasks_per_node));
    }
    const std::string each = nodes > 1 ? fmt::format(" on each of {} nodes", nodes) : "";
    if (nodes < asked_nodes) {
        cuts.push_back(fmt::format("{} of {} nodes", nodes, asked_nodes));
        gang->nodes = nodes;
    }
    if (const double cpu = machine.cpu / nodes; node.cpu > cpu) {
        cuts.push_back(fmt::format("{:g} of {:g} cpu{}", cpu, node.cpu, each));
        node.cpu = cpu;
    }
    if (const std::uint64_t memory = machine.memory_bytes / nodes; memory > 0 && node.memory_bytes > memory) {
        cuts.push_back(
            fmt::format("{} of {} of memory{}", format_size(memory), format_size(node.memory_bytes), each));
        node.memory_bytes = memory;
    }
    if (const std::uint32_t gpu = machine.gpu / nodes; node.gpu > gpu) {
        cuts.push_back(fmt::format("{} of {} gpu{}", gpu, asked_gpu, each));
        node.gpu = gpu;
    }
    return cuts;
}

std::string cut_text(const std::string& step, const std::string& cut) {
    return fmt::format("step '{}' gets {}, since this machine has no more (--fit)", step, cut);
}

std::vector<std::string> expected_cuts(const Flow& flow, const RunRecord& record, const Capacity& machine) {
    std::vector<std::string> out;
    const RecordScope scope(record, flow.name);
    for (const Step& step : flow.steps) {
        try {
            Resources node = evaluate_resources(step, scope);
            std::optional<Gang> gang = evaluate_gang(step, scope, node);
            for (const std::string& cut : fit_request(node, gang, machine)) {
                out.push_back(cut_text(step.name, cut));
            }
        } catch (const Error&) {  // it depends on items or artifacts: told when the task starts
        }
    }
    return out;
}

}  // namespace amp
