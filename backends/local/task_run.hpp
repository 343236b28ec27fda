#pragma once

#include <sys/types.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backends/local/container_hold.hpp"
#include "backends/local/report_file.hpp"
#include "backends/local/scratch.hpp"
#include "backends/system/event_loop.hpp"
#include "core/ports/backend.hpp"
#include "core/task/checkpoint.hpp"
#include "core/task/gang.hpp"
#include "core/task/log_recorder.hpp"
#include "core/task/masker.hpp"

namespace amp {

/// A process that was started for a task, with what it prints: most tasks have one, a gang mostly one a rank.
struct TaskProcess {
    std::uint32_t rank = 0;
    pid_t pid = -1;                    ///< and its process group
    UniqueFd handle;                   ///< a pidfd, of a rank
    UniqueFd output;                   ///< our end of its stdout and stderr
    std::unique_ptr<LogRecorder> log;  ///< made when it prints
    std::unique_ptr<Masker> masker;    ///< in front of the log
    EventLoop::TimerId log_timer = 0;
    std::shared_ptr<ContainerHold> container;  ///< which the process is the engine's client for
    bool ended = false;                        ///< it stays a zombie until the whole task is over
    RankEnd end;
};

/// One attempt within a keeper, from its submission to its end.
struct TaskRun {
    enum class State {
        waiting,    ///< in the queue
        staging,    ///< its inputs are being laid
        starting,   ///< it has all it needs, and is started in this wake-up or soon
        running,    ///< its main process lives, or one of them
        leftovers,  ///< those have ended; others of its processes have not
        collecting  ///< its outputs are being stored
    };

    explicit TaskRun(TaskSpec from)
        : id{from.task, from.attempt},
          spec(std::move(from)),
          processes(spec.gang ? process_count(*spec.gang) : 1) {
        result.task = id.task;
        result.attempt = id.attempt;
        for (std::size_t i = 0; i < processes.size(); ++i) {
            processes[i].rank = static_cast<std::uint32_t>(i);
        }
    }

    TaskProcess& first() { return processes.front(); }
    bool has_ranks() const { return processes.size() > 1; }
    bool all_ended() const {
        return std::all_of(processes.begin(), processes.end(),
                           [](const TaskProcess& process) { return process.ended; });
    }

    AttemptId id;
    TaskSpec spec;
    State state = State::waiting;
    bool in_log = false;  ///< its start stands in the keeper's log
    bool has_slots = false;
    bool lent = false;     ///< of these its worker and processors are given back while it waits
    bool dropped = false;  ///< forgotten before it started: leaves no trace
    std::unique_ptr<Scratch> scratch;
    std::vector<std::string> gpus;           ///< claimed for it
    std::vector<std::uint16_t> ports;        ///< for a gang to meet at
    std::shared_ptr<Checkpoint> checkpoint;  ///< nullptr: it has none
    EventLoop::TimerId checkpoint_timer = 0;
    std::vector<std::string> checkpoint_notes;  ///< of laying it
    bool saving = false;                        ///< its checkpoint is being saved
    bool save_again = false;                    ///< somebody has asked for it since
    std::vector<int> savers;                    ///< who waits for that, by their connections
    std::function<void()> then;                 ///< once nothing of it is being saved
    double first_try = 0;                       ///< of starting it; 0: not tried yet

    std::vector<TaskProcess> processes;         ///< by rank; as many from the beginning to the end
    std::shared_ptr<const MaskPatterns> masks;  ///< what it may not show; nullptr: nothing
    std::unique_ptr<ReportFile> report;         ///< made when it tells something
    EventLoop::TimerId report_timer = 0;
    EventLoop::TimerId report_write_timer = 0;
    EventLoop::TimerId timeout_timer = 0;
    EventLoop::TimerId kill_timer = 0;

    double heard_at = 0;         ///< when it has printed or told something last, of the loop's clock
    Cause forced = Cause::none;  ///< why we end it
    std::string forced_message;
    bool decided = false;  ///< a gang: the end of one rank has decided that of all
    bool killed = false;   ///< we have sent KILL
    double leftovers_since = 0;
    bool left_some = false;              ///< what it had left running was ended
    std::uint64_t oom_kills_before = 0;  ///< of our group, when it started

    AttemptResult result;
};

/// Its log, made when it is needed first.
inline LogRecorder& log_of(TaskRun& run, TaskProcess& process, PackWriter& packs) {
    if (!process.log) {
        process.log = std::make_unique<LogRecorder>(packs, run.id.task, run.id.attempt,
                                                    run.spec.log.head_bytes, run.spec.log.tail_bytes);
        if (run.has_ranks()) {
            process.log->set_rank(process.rank, static_cast<std::uint32_t>(run.processes.size()));
        }
    }
    return *process.log;
}

/// Why a part of what they printed could not be kept; empty: all was.
inline std::string log_failure(const TaskRun& run) {
    for (const TaskProcess& process : run.processes) {
        if (process.log && !process.log->failure().empty()) {
            return process.log->failure();
        }
    }
    return {};
}

/// What all of its processes have printed goes into its result.
inline void name_logs(TaskRun& run) {
    run.result.log.clear();
    run.result.log_bytes = run.result.log_dropped_bytes = 0;
    for (const TaskProcess& process : run.processes) {
        if (process.log) {
            const std::vector<LogPiece>& pieces = process.log->pieces();
            run.result.log.insert(run.result.log.end(), pieces.begin(), pieces.end());
            run.result.log_bytes += process.log->total_bytes();
            run.result.log_dropped_bytes += process.log->dropped_bytes();
        }
    }
}

/// Its report, made when it is needed first.
inline ReportFile& report_of(TaskRun& run, PackWriter& packs) {
    if (!run.report) {
        run.report = std::make_unique<ReportFile>(run.scratch->folder() + "/report", packs, run.id.task,
                                                  run.id.attempt, run.masks);
    }
    return *run.report;
}

}  // namespace amp
