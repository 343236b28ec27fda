#include "core/run/run_reader.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

std::optional<TaskId> task_of(const RunEvent& event, const Plan& plan) {
    return std::visit(
        [&]<class T>(const T& e) -> std::optional<TaskId> {
            if constexpr (requires { e.step; }) {
                return plan.find(e.step, e.index);
            } else if constexpr (std::is_same_v<T, DecisionFailed>) {
                return plan.find(e.question.step, e.question.index);
            } else {
                return std::nullopt;
            }
        },
        event.event);
}

/// Does the event name what is not (or no longer) in the store?
bool is_lost(const OpenStore& store, const RunEvent& event, const PackLengths& accepted) {
    if (event.result) {
        return !objects_present(store, *event.result, accepted);
    }
    AttemptResult reused;
    reused.artifacts = event.artifacts;
    return !objects_present(store, reused);
}

}  // namespace

ReadRun read_whole_run(const OpenStore& store, const std::string& run,
                       const std::function<void(const RunEvent&, std::optional<TaskId>)>& each,
                       std::unique_ptr<const RecordedFlow> flow) {
    ReadRun r;
    r.record = std::make_unique<const RunRecord>(run_record_from(read_run(*store.objects, run)));
    r.flow = flow ? std::move(flow) : load_recorded_flow(*r.record);
    r.data = std::make_unique<RunData>(*r.record, r.flow->flow, r.flow->graph);
    const PackLengths accepted = accepted_packs(*store.files, run);
    bool lost = false;
    r.journal_end = read_journal(*store.files, run, [&](const Record& record) {
        if (const auto end = run_end_from(record)) {
            r.end = end;
            return;
        }
        const auto event = run_event_from(record, r.flow->graph);
        if (event && is_lost(store, *event, accepted)) {
            lost = true;
            return;
        }
        if (!event || !r.data->apply(*event)) {
            return;
        }
        if (std::holds_alternative<RunReopened>(event->event)) {
            r.end.reset();
        }
        if (each) {
            each(*event, task_of(*event, r.data->plan()));
        }
    });
    if (lost && r.end && r.end->state == RunState::succeeded && !r.data->plan().ended()) {
        r.end.reset();  // something that it made is gone: a resume makes it again
    }
    return r;
}

bool awaits_driver(Services& services, const OpenStore& store, const RunRecord& record) {
    return awaits_driver(services, store, record.run, record.created);
}

bool awaits_driver(Services& services, const OpenStore& store, const std::string& run, Timestamp since) {
    constexpr double k_moment_s = 10;
    return services.clock.now().seconds_since(since) < k_moment_s && !read_lease(*store.objects, run);
}

namespace {

std::vector<std::uint32_t> epochs_below(const OpenStore& store, const std::string& prefix) {
    std::vector<std::uint32_t> epochs;
    for (const std::string& key : store.files->list(prefix)) {
        std::uint32_t epoch = 0;
        const char* begin = key.data() + prefix.size();
        const char* end = key.data() + key.size();
        if (std::from_chars(begin, end, epoch).ptr == end) {
            epochs.push_back(epoch);
        }
    }
    std::sort(epochs.begin(), epochs.end());
    return epochs;
}

void add_open(const OpenStore& store, const std::string& run, std::uint32_t epoch, Witness witness,
              std::vector<LiveStart>& out) {
    std::map<std::pair<TaskName, std::uint32_t>, Timestamp> open;
    const auto take = [&open](const Record& record) {
        if (record.type != "start" && record.type != "end") {
            return;
        }
        const std::pair key{TaskName::parse(get_string(record.payload, "task")),
                            static_cast<std::uint32_t>(get_int(record.payload, "attempt", 1))};
        if (record.type == "start") {
            open[key] = parse_time(get_string(record.payload, "at")).value_or(Timestamp{});
        } else {
            open.erase(key);
        }
    };
    read_keeper_log(*store.files, run, epoch, take, witness);
    for (const auto& [key, at] : open) {
        out.push_back(LiveStart{key.first, key.second, at});
    }
}

}  // namespace

std::vector<std::uint32_t> keeper_epochs(const OpenStore& store, const std::string& run) {
    return epochs_below(store, layout::keeper_prefix(run));
}

std::vector<LiveStart> live_starts(const OpenStore& store, const std::string& run) {
    std::vector<LiveStart> out;
    for (const std::uint32_t epoch : keeper_epochs(store, run)) {
        if (store.files->locked(layout::keeper_log(run, epoch))) {
            add_open(store, run, epoch, Witness::keeper, out);
        }
    }
    for (const std::uint32_t epoch : epochs_below(store, layout::starts_prefix(run))) {
        if (store.files->locked(layout::starts_log(run, epoch))) {
            add_open(store, run, epoch, Witness::driver, out);
        }
    }
    return out;
}

}  // namespace amp
