#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "backends/agent/messages.hpp"
#include "backends/local/gpu_claims.hpp"
#include "backends/local/keeper_door.hpp"
#include "backends/local/keeper_options.hpp"
#include "backends/local/output_reader.hpp"
#include "backends/local/process_table.hpp"
#include "backends/local/stager.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/local/task_run.hpp"
#include "core/store/keeper_log.hpp"
#include "core/task/slots.hpp"

namespace amp {

/// Does the local tasks of one run: takes them from a driver, queues and starts them, records their starts
/// and ends in its log before it reports them. See README.md. The process must be made ready before
/// (keeper_main).
class Keeper {
  public:
    /// @param binary what tasks find as `amp`
    /// @throws Error when the log is held by another keeper, or there is no place for scratch folders
    Keeper(const KeeperOptions& options, const std::string& binary, ObjectStore& objects, AppendFiles& files,
           UniqueFd channel);

    /// Works until there is nothing more to do and nobody to do it for.
    /// @param signals a signalfd for SIGCHLD and SIGTERM
    void run(int signals);

  private:
    // What a driver says.
    agent::Welcome welcome(std::uint32_t epoch);
    void driver_left();
    void obey(const agent::Frame& frame);
    void accept(TaskSpec spec);
    void cancel(const AttemptId& id, bool at_once);
    void cancel_asked(const std::string& who);

    // A task's way, in order.
    bool may_start() const;
    void start_ready();
    bool prepare(TaskRun& run);
    void launch(TaskRun& run);
    void retry_later(TaskRun& run);
    bool claim_gpus(TaskRun& run);
    void processes_gone(TaskRun& run);
    void release_slots(TaskRun& run);
    void end(TaskRun& run, Cause cause, const std::string& message);
    void end(TaskRun& run);
    void record_end(const AttemptResult& result);
    void forget(TaskRun& run);
    static std::string key_of(const AttemptId& id);

    // A wake-up.
    void heard_signals(int signals);
    void settle();
    void flush_log();
    void end_all(Cause cause, const std::string& message);
    void drop_unstarted();
    void tell_waiting();
    bool is_done();

    KeeperOptions options_;
    std::string host_;
    EventLoop loop_;
    PackWriter packs_;
    KeeperLogWriter log_;
    ScratchPool scratch_;
    TaskLauncher launcher_;
    SlotQueue queue_;
    GpuClaims gpus_;
    std::map<AttemptId, std::unique_ptr<TaskRun>> runs_;
    std::unordered_set<std::string> ended_;  ///< key_of
    std::vector<TaskRun*> ready_;            ///< with slots, scratch and inputs: to be started
    agent::EventBatch events_;
    OutputReader output_;
    ProcessTable processes_;
    Stager stager_;
    KeeperDoor door_;

    /// An end as it is told, until the log has it.
    struct Unlogged {
        AttemptStarted attempt;
        std::string text;
    };
    std::vector<Unlogged> unlogged_;
    bool log_dirty_ = false;
    bool log_broken_ = false;         ///< cannot be written any more: what runs is ended, nothing is started
    bool closing_ = false;            ///< nothing more will come
    bool terminated_ = false;         ///< SIGTERM
    std::uint64_t failures_ = 0;      ///< ends that were failures, since the driver came
    std::uint64_t acknowledged_ = 0;  ///< of these, those after which the driver said `go_on`
    EventLoop::TimerId linger_timer_ = 0;
    EventLoop::TimerId tell_timer_ = 0;
    bool lingered_ = false;
    bool had_driver_ = false;
};

}  // namespace amp
