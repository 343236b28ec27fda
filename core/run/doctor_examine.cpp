// What `amp doctor` looks at, before it judges.

#include <fmt/format.h>

#include <algorithm>

#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/package/code_manifest.hpp"
#include "core/run/containers.hpp"
#include "core/run/doctor.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr double k_tool_s = 10;

bool is_kept(const OpenStore& store, const std::string& run) {
    for (const std::uint32_t epoch : keeper_epochs(store, run)) {
        if (store.files->locked(layout::keeper_log(run, epoch))) {
            return true;
        }
    }
    return false;
}

void look_at_runs(Services& services, const OpenStore& store, ProjectFacts& facts) {
    for (const std::string& run : list_runs(*store.objects)) {
        if (store.objects->size(layout::summary(run))) {
            continue;  // it has ended
        }
        const auto lease = read_lease(*store.objects, run);
        if (!lease || lease->released ||
            is_driven(*store.objects, *store.files, services.clock, run, services.host)) {
            continue;
        }
        (lease->host == services.host ? facts.stale_leases : facts.silent_runs).push_back(run);
    }
}

void look_at_processes(const HostFacts& host, const OpenStore& store, ProjectFacts& facts) {
    for (const FoundProcess& process : host.task_processes) {
        const bool ours =
            is_run_id(process.run) && store.objects->size(layout::run_record(process.run)).has_value();
        if (ours && !is_kept(store, process.run)) {
            facts.dead_processes.push_back(fmt::format("pid {} {} ({})", process.pid, process.command,
                                                       process.task.empty() ? process.run : process.task));
        }
    }
}

void look_at_store(Services& services, const HostFacts& host, ProjectFacts& facts) {
    try {
        const OpenStore store = services.open_store(host.store.folder, false);
        look_at_runs(services, store, facts);
        look_at_processes(host, store, facts);
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found) {
            facts.store_error = error;
        }
    }
}

/// The most memory that a step of flow.toml asks for, and whether one wants a container; what is an
/// expression is not known here.
void look_at_flow(Services& services, ProjectFacts& facts) {
    constexpr std::uint64_t k_flow_bytes = std::uint64_t{64} << 20;
    const std::string path = facts.folder + "/flow.toml";
    try {
        if (!services.files.info(path)) {
            return;
        }
        Diagnostics diagnostics;
        const Flow flow = load_flow(services.files.read(path, k_flow_bytes), path, diagnostics);
        for (const Step& step : flow.steps) {
            const auto memory = step.resources.find("memory");
            if (memory != step.resources.end() && memory->second.value.is_string() && !memory->second.text) {
                const std::uint64_t bytes = parse_size(memory->second.value.as_string()).value_or(0);
                facts.asked_memory_bytes = std::max(facts.asked_memory_bytes, bytes);
            }
            if (step.environment) {
                facts.environment_tools.insert(step.environment->tool);
            }
            facts.wants_engine =
                facts.wants_engine || (step.container && step.container->value == Value(true));
        }
    } catch (const Error&) {
        // `amp validate` tells of it.
    }
}

void ask_engine(Services& services, const Value& settings, ProjectFacts& facts) {
    try {
        const Engine engine = find_engine(services.process, wanted_engine(services, settings));
        facts.engine = engine.name + " " + engine.version + (engine.rootless ? ", without root" : "");
    } catch (const Error& error) {
        facts.engine_problem = error.message();
    }
}

void ask_gpu_tool(Services& services, HostFacts& host) {
    if (!host.gpu_tool || host.gpus.empty()) {
        return;
    }
    try {
        const ToolResult result = services.process.run({"nvidia-smi", "-L"}, "/", k_tool_s);
        if (result.timed_out || result.exit != 0) {
            host.gpu_problem = result.timed_out ? "nothing, for 10 s" : result.out + result.err;
        }
    } catch (const Error& error) {
        host.gpu_problem = error.message();
    }
}

}  // namespace

std::vector<Diagnosis> examine(Services& services, const std::vector<std::string>& overrides,
                               const std::string& profile) {
    ProjectFacts facts;
    std::string store_folder;
    Value settings;
    try {
        const Project project = find_project(services, overrides, profile);
        facts.folder = project.folder;
        store_folder = project.store_folder;
        settings = project.settings;
    } catch (const Error& error) {
        facts.settings_error = error;
        facts.folder = services.files.current_folder();
        store_folder = facts.folder + "/.amp";
    }
    HostFacts host = services.look_at_host(store_folder);
    ask_gpu_tool(services, host);
    facts.git_refuses = git_refuses(services.process, facts.folder);
    look_at_flow(services, facts);
    ask_engine(services, settings, facts);
    look_at_store(services, host, facts);
    return diagnose(host, facts);
}

}  // namespace amp
