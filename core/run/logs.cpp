#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/run/inspect.hpp"
#include "core/run/run_changes.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/task_text.hpp"
#include "core/store/lease.hpp"
#include "core/store/packs.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr double k_for_ever = HUGE_VAL;

bool wanted(const LogQuery& query, const TaskName& task, std::uint32_t attempt) {
    return (query.step.empty() || task.step == query.step) &&
           (!query.index || (task.index.path == query.index->path &&
                             (query.index->round == 0 || task.index.round == query.index->round))) &&
           (!query.attempt || attempt == *query.attempt);
}

bool is_log(const PackFrame& frame) {
    return frame.kind == "log" || frame.kind == "note";
}

bool is_wanted_log(const PackFrame& frame, const LogQuery& query) {
    return is_log(frame) && (!query.rank || frame.rank == query.rank);
}

/// Which attempts the query means, when it does not say: of each task the last, of a repetition the last of
/// each round.
std::set<std::pair<TaskName, std::uint32_t>> last_attempts(const RunView& view) {
    std::map<TaskName, std::uint32_t> last;
    for (const TaskView& task : view.tasks) {
        for (const AttemptResult& attempt : task.attempts) {
            last[attempt.task] = attempt.attempt;
        }
        if (task.running_since) {
            last[task.name] = task.attempt;
        }
    }
    return {last.begin(), last.end()};
}

using LogBytes = std::map<std::pair<TaskName, std::uint32_t>, std::uint64_t>;

/// A pack passes over what is broken in it; what an attempt that ended has recorded must be there.
/// @throws Error(mismatch)
void check_whole(const RunView& view, const LogQuery& query, const LogBytes& read) {
    for (const auto& [attempt, bytes] : read) {
        const auto& [name, number] = attempt;
        const auto task =
            std::find_if(view.tasks.begin(), view.tasks.end(), [&name = name](const TaskView& known) {
                return known.name.step == name.step && known.name.index.path == name.index.path;
            });
        if (task == view.tasks.end() || !wanted(query, name, number)) {
            continue;
        }
        for (const AttemptResult& result : task->attempts) {
            std::uint64_t recorded = 0;
            for (const LogPiece& piece : result.log) {
                recorded += piece.length;
            }
            if (result.task == name && result.attempt == number && recorded > bytes) {
                throw Error(ExitCode::mismatch,
                            fmt::format("{} of the {} bytes of the log of {} are damaged or missing",
                                        recorded - bytes, recorded, name.text()),
                            view.run, "run `amp fsck`");
            }
        }
    }
}

/// Everything that lies in the packs now, by task. False when the listener has had enough.
/// @throws Error(mismatch) at the end, when it is not all that was there
bool read_now(const OpenStore& store, const RunView& view, const LogQuery& query,
              const std::function<bool(const LogLine&)>& each) {
    const auto last = last_attempts(view);
    std::map<std::size_t, std::vector<LogLine>> by_task;
    std::map<std::pair<std::string, std::vector<std::uint32_t>>, std::size_t> rank;
    for (std::size_t i = 0; i < view.tasks.size(); ++i) {
        rank[{view.tasks[i].name.step, view.tasks[i].name.index.path}] = i;
    }
    LogBytes read;
    for (const auto& attempt : last) {
        read[attempt] = 0;
    }
    PackFollower follower(*store.files, view.run);
    follower.poll([&](const PackFrame& frame) {
        read[{frame.task, frame.attempt}] += is_log(frame) ? frame.bytes.size() : 0;
        const bool chosen = query.attempt || last.contains({frame.task, frame.attempt});
        if (is_wanted_log(frame, query) && chosen && wanted(query, frame.task, frame.attempt)) {
            by_task[rank[{frame.task.step, frame.task.index.path}]].push_back(
                LogLine{frame.task, frame.attempt, frame.at, frame.kind == "note", frame.bytes, frame.rank});
        }
    });
    for (const auto& [task, lines] : by_task) {
        for (const LogLine& line : lines) {
            if (!each(line)) {
                return false;
            }
        }
    }
    std::erase_if(read, [&](const auto& attempt) { return !query.attempt && !last.contains(attempt.first); });
    check_whole(view, query, read);
    return true;
}

void follow(Services& services, const OpenStore& store, const std::string& run, const LogQuery& query,
            const std::function<bool(const LogLine&)>& each) {
    const RunRecord record = run_record_from(read_run(*store.objects, run));
    RunChanges changes(services, store, run);
    PackFollower follower(*store.files, run);
    bool more = true;
    while (more) {
        // Asked before the packs are read, so that what a driver wrote last is not missed.
        const bool driven = is_driven(*store.objects, *store.files, services.clock, run, services.host) ||
                            !live_starts(store, run).empty() || awaits_driver(services, store, record);
        follower.poll([&](const PackFrame& frame) {
            if (more && is_wanted_log(frame, query) && wanted(query, frame.task, frame.attempt)) {
                more = each(LogLine{frame.task, frame.attempt, frame.at, frame.kind == "note", frame.bytes,
                                    frame.rank});
            }
        });
        if (!driven || services.waiter.get().interrupts() > 0 ||
            services.waiter.get().terminating_signal() != 0) {
            return;
        }
        changes.wait(k_for_ever);
    }
}

/// Has any task that the query means come to this attempt? @throws Error(not_found) naming those that exist
void check_attempt(const RunView& view, const LogQuery& query) {
    std::set<std::uint32_t> known;
    for (const TaskView& task : view.tasks) {
        for (const AttemptResult& attempt : task.attempts) {
            if (wanted({.step = query.step, .index = query.index}, attempt.task, attempt.attempt)) {
                known.insert(attempt.attempt);
            }
        }
        if (task.running_since &&
            wanted({.step = query.step, .index = query.index}, task.name, task.attempt)) {
            known.insert(task.attempt);
        }
    }
    if (!query.attempt || known.contains(*query.attempt)) {
        return;
    }
    const std::string what = query.step.empty() ? ""
                                                : fmt::format(" of '{}{}'", query.step,
                                                              query.index ? "/" + query.index->text() : "");
    throw Error(ExitCode::not_found,
                fmt::format("run {} has no attempt {}{}", view.run, *query.attempt, what), view.run,
                known.empty() ? std::string("it has not been started")
                              : fmt::format("there are: {}", fmt::join(known, ", ")));
}

/// Had any of these attempts such a rank, as far as that is known? @throws Error(not_found)
void check_rank(const RunView& view, const LogQuery& query) {
    bool known = false;
    std::size_t most = 0;
    for (const TaskView& task : view.tasks) {
        for (const AttemptResult& attempt : task.attempts) {
            if (wanted(query, attempt.task, attempt.attempt)) {
                known = true;
                most = std::max(most, attempt.ranks.size());
            }
        }
    }
    if (query.rank && known && *query.rank >= most) {
        throw Error(ExitCode::not_found,
                    fmt::format("run {} has no rank {}{}", view.run, *query.rank,
                                query.step.empty() ? "" : fmt::format(" of '{}'", query.step)),
                    view.run,
                    most == 0 ? std::string("it is no gang of several processes")
                              : fmt::format("there are 0 to {}", most - 1));
    }
}

/// Of tasks that never ran: why there is nothing of them.
std::string why_nothing(const RunView& view, const LogQuery& query,
                        const std::vector<const TaskView*>& meant) {
    if (meant.size() != 1) {
        Plan::Counts counts{};
        for (const TaskView* task : meant) {
            ++counts[static_cast<std::size_t>(task->state)];
        }
        std::string states;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            states += counts[i] == 0 ? ""
                                     : fmt::format("{}{} {}", states.empty() ? "" : ", ", counts[i],
                                                   state_name(static_cast<TaskState>(i)));
        }
        return fmt::format("no task of {} has run: {}", query.step.empty() ? "run " + view.run : query.step,
                           states);
    }
    const TaskView& task = *meant.front();
    const std::string name = task_text(task.name);
    if (!task.made_by.empty()) {
        const std::string maker = task_text(task.made_by);
        return fmt::format("{} was taken over from {}: amp logs {}", name, maker, maker);
    }
    const std::string what =
        task.waits_since ? "waits for " + task.waits_for : "is " + std::string(state_name(task.state));
    return fmt::format("{} {}, and has not run: amp why {}/{}", name, what, view.run, name);
}

/// Only where a step or a task is named: else there is too much to be said.
std::string earlier_attempts(const RunView& view, const LogQuery& query,
                             const std::vector<const TaskView*>& meant) {
    std::vector<const TaskView*> again;
    std::copy_if(meant.begin(), meant.end(), std::back_inserter(again),
                 [](const TaskView* task) { return task->attempt > 1; });
    if (again.empty() || query.attempt || query.step.empty()) {
        return "";
    }
    if (again.size() > 1) {
        return fmt::format("{} of these tasks have earlier attempts: --attempt N shows them", again.size());
    }
    const TaskView& task = *again.front();
    const std::uint32_t last = task.attempt - 1;
    return fmt::format("this is attempt {} of {}; the {}: amp logs {}/{} --attempt {}", task.attempt,
                       task_text(task.name), last == 1 ? "earlier one" : "earlier ones", view.run,
                       task_text(task.name), last == 1 ? "1" : fmt::format("N (1 to {})", last));
}

std::vector<std::string> remarks(const RunView& view, const LogQuery& query) {
    std::vector<const TaskView*> meant;
    bool ran = false;
    for (const TaskView& task : view.tasks) {
        if (wanted({.step = query.step, .index = query.index}, task.name, 0)) {
            meant.push_back(&task);
            ran = ran || task.attempt > 0;
        }
    }
    if (!ran && !meant.empty()) {
        return {why_nothing(view, query, meant)};
    }
    if (meant.size() == 1 && !meant.front()->child.empty()) {
        const TaskView& task = *meant.front();
        const std::string& run = task.failed_below.empty() ? task.child : task.failed_below;
        return {fmt::format("{} is run {}: amp logs {}", task_text(task.name), task.child, task_text(run))};
    }
    const std::string earlier = earlier_attempts(view, query, meant);
    return earlier.empty() ? std::vector<std::string>() : std::vector{earlier};
}

}  // namespace

void check_task(const RunView& view, const std::string& step, const std::optional<TaskIndex>& index) {
    bool step_found = step.empty();
    bool task_found = !index.has_value();
    std::vector<std::string> steps;
    for (const StepView& known : view.steps) {
        step_found = step_found || known.name == step;
        steps.push_back(known.name);
    }
    for (const TaskView& task : view.tasks) {
        task_found = task_found || (index && task.name.step == step && task.name.index.path == index->path);
    }
    if (!step_found || !task_found) {
        const std::string name = step + (index ? "/" + index->text() : "");
        throw Error(ExitCode::not_found,
                    fmt::format("run {} has no {} '{}'", view.run, step_found ? "task" : "step", name),
                    view.run,
                    near_hint(step_found ? "" : step, steps,
                              fmt::format("`amp show {}` lists its steps and tasks", view.run)));
    }
}

std::vector<std::string> read_logs(Services& services, const Project& project, const LogQuery& query,
                                   const std::function<bool(const LogLine&)>& each) {
    const RunView view = view_run(services, project, query.run);
    const OpenStore store = services.open_store(project.store_folder, false);
    const bool at_work =
        view.state == "running" || view.state == "pending" || !live_starts(store, view.run).empty();
    if (!query.follow || !at_work) {
        check_task(view, query.step, query.index);
        check_attempt(view, query);
        check_rank(view, query);
        return read_now(store, view, query, each) ? remarks(view, query) : std::vector<std::string>();
    }
    follow(services, store, view.run, query, each);
    return {};
}

}  // namespace amp
