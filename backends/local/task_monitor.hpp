#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/local/device_samples.hpp"
#include "backends/local/task_run.hpp"
#include "backends/system/process_scan.hpp"

namespace amp {

/// Watches tasks while they run: samples what they use, and finds those that hang.
///
/// Samples are points of metrics of the attempt (core/task/usage_sample says which), in its report beside
/// what it tells itself. All tasks with one interval are due at the same times, multiples of it, the first of
/// which is a whole interval after their start; so one pass over /proc serves all of them, and a shorter task
/// costs an entry in a map. One timer wakes for the earliest; without tasks there is none. A pass takes at
/// most a twentieth of the time, whatever the intervals say.
///
/// Whose a process is, its parents tell: up to a main process of a task (in a container: the first process
/// there, found by its lock). What lost its parent is our child now; its group or its token tells then.
///
/// A task hangs when it has neither printed nor told anything for so long. One that waits for the flow that
/// it has spawned does not.
class TaskMonitor {
  public:
    struct Hooks {
        std::function<void(TaskRun&, std::string message)> hung;
        std::function<void(const std::string&)> say;  ///< of a tool that is in trouble, once
    };
    /// @param folder of ours, for what tools are told
    TaskMonitor(EventLoop& loop, PackWriter& packs, Hooks hooks, std::string folder);

    /// It was just started.
    void watch(TaskRun& run);
    /// As watch, where GPUs are not ours to deal out.
    /// @param gpus that it sees, as CUDA_VISIBLE_DEVICES names them; empty: all
    void watch(TaskRun& run, std::vector<std::string> gpus);
    /// It has ended: its report may be ended in another thread.
    void let_go(TaskRun& run);

  private:
    struct Watched {
        double since = 0;                              ///< when it was sampled last, or started
        Usage usage;                                   ///< as it was then
        double due = 0;                                ///< infinite, where it is not sampled
        std::optional<std::vector<std::string>> gpus;  ///< unset: none are sampled
        EventLoop::TimerId hang_timer = 0;
    };
    using Due = std::vector<std::pair<TaskRun*, Watched*>>;

    void wake_for_earliest();
    void sample_due();
    void sample(const Due& due);
    std::map<std::int64_t, std::size_t> roots_of(const Due& due) const;
    void add_orphans(const Due& due, const std::vector<ScannedProcess>& all,
                     std::map<std::int64_t, std::size_t>& roots);
    std::string token_of(const ScannedProcess& process);
    void tell_usage(const Due& due, const std::vector<Usage>& usages);
    void tell_gpus(const Due& due);
    void tell_neurons(const Due& due, ProcessOwners& owners);
    void tell(TaskRun& run, const std::vector<UsagePoint>& points);
    void look_for_hang(TaskRun& run, double after_s);
    void judge_hang(TaskRun& run);

    EventLoop& loop_;
    PackWriter& packs_;
    Hooks hooks_;
    std::string folder_;
    std::map<TaskRun*, Watched> watched_;
    EventLoop::TimerId timer_ = 0;
    double wakes_at_ = 0;     ///< when that fires
    double rests_until_ = 0;  ///< so that passes do not take all of our time
    /// Tokens of our children that lead no task, by their numbers and beginnings.
    std::map<std::pair<pid_t, std::uint64_t>, std::string> tokens_;
    std::unique_ptr<GpuSampler> gpus_;        ///< made when it is needed first
    std::unique_ptr<NeuronSampler> neurons_;  ///< so is this
};

}  // namespace amp
