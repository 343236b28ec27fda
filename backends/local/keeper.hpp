#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "backends/agent/messages.hpp"
#include "backends/local/containers.hpp"
#include "backends/local/gpu_claims.hpp"
#include "backends/local/keeper_door.hpp"
#include "backends/local/keeper_options.hpp"
#include "backends/local/output_reader.hpp"
#include "backends/local/port_claims.hpp"
#include "backends/local/process_table.hpp"
#include "backends/local/report_reader.hpp"
#include "backends/local/stager.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/local/task_monitor.hpp"
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
    void driver_missed();
    void obey(const agent::Frame& frame);
    void accept(TaskSpec spec);
    void learn(std::vector<Secret> secrets);
    void cancel(const AttemptId& id, bool at_once);
    void cancel_asked(const std::string& who);

    // A task's way, in order.
    bool may_start() const;
    void start_ready();
    bool prepare(TaskRun& run);
    void launch(TaskRun& run);
    void retry_later(TaskRun& run);
    bool claim_gpus(TaskRun& run);
    void make_room(TaskRun& run);
    void started(TaskRun& run, Timestamp now);
    void look_at_ranks(const TaskRun& run);
    void processes_gone(TaskRun& run);
    void release_slots(TaskRun& run);
    void end(TaskRun& run, Cause cause, const std::string& message);
    void end(TaskRun& run);
    void record_end(const AttemptResult& result);
    void remark(const AttemptId& id, const std::string& what);
    void forget(TaskRun& run);
    std::string masked(const std::string& text) const { return masks_ ? masks_->mask(text) : text; }
    static std::string key_of(const AttemptId& id);

    // Checkpoints (keeper_checkpoints.cpp).
    void give_checkpoint(TaskRun& run);
    void save_in_time(TaskRun& run);
    void save_checkpoint(TaskRun& run, double quiet_s);
    void checkpoint_saved(TaskRun& run, const std::string& problem, const std::vector<std::string>& notes);
    void save_at_end(TaskRun& run, std::function<void()> then);
    void discard_checkpoint(TaskRun& run);
    void checkpoint_asked(int peer, TaskRun& run);
    void forget_saver(int peer);
    void tell_saver(int peer, const std::string& problem);
    void collect(TaskRun& run);

    // Places of attempts that have failed, kept for people (keeper_holds.cpp).
    bool may_hold(const TaskRun& run);
    void hold(TaskRun& run);
    void free_hold(const AttemptId& id);
    void free_holds();
    void keep_holds_a_while();
    agent::OpenPlace open_place(const AttemptId& id);

    // What tasks spawn (keeper_spawns.cpp).
    struct Spawn {
        int peer = -1;
        AttemptId id;
        Value request;
        std::string answer;  ///< the last word, which waits for the task's slots; empty: not yet
    };
    void spawn_asked(int peer, const agent::Frame& frame);
    void spawn_answered(const SpawnAnswer& answer);
    void peer_left(int peer);
    void lend_slots(TaskRun& run);
    void slots_back(TaskRun& run);
    void ask_again();
    void refuse_spawns();
    bool waits(const AttemptId& id) const;
    bool has_open_wait(const AttemptId& id, std::uint64_t but) const;

    // A wake-up.
    void work(int signals);
    void say_last_words(const std::string& text);
    void heard_signals(int signals);
    void settle();
    void flush_log();
    void store_failed();
    /// Cannot record or store any more: nothing is started, and another keeper goes on.
    bool is_broken() const { return log_broken_ || store_broken_; }
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
    std::string python_folder_;  ///< empty: it could not be made
    Containers containers_;
    TaskLauncher launcher_;
    SlotQueue queue_;
    GpuClaims gpus_;
    PortClaims ports_;
    std::map<AttemptId, std::unique_ptr<TaskRun>> runs_;
    std::map<AttemptId, std::unique_ptr<TaskRun>> holds_;  ///< have failed; their places are kept
    EventLoop::TimerId holds_timer_ = 0;                   ///< nobody drives: they are not kept for long
    std::uint32_t epoch_ = 0;                              ///< of the driver that came last
    std::unordered_set<std::string> ended_;                ///< key_of
    std::set<std::string> remarks_;                        ///< of a step, each told once
    std::map<std::string, std::shared_ptr<Checkpoint>> checkpoints_;  ///< by task: they outlive attempts
    std::vector<TaskRun*> ready_;  ///< with slots, scratch and inputs: to be started
    agent::EventBatch events_;
    std::map<std::string, Secret, std::less<>> secrets_;  ///< by key; nowhere but here
    std::shared_ptr<const MaskPatterns> masks_;           ///< of these; nullptr: none
    ObjectStore& objects_;
    OutputReader output_;
    ReportReader reports_;
    ProcessTable processes_;
    TaskMonitor monitor_;
    Stager stager_;
    KeeperDoor door_;

    /// An end as it is told, until the log has it.
    struct Unlogged {
        AttemptStarted attempt;
        std::string text;
    };
    std::vector<Unlogged> unlogged_;
    std::map<std::uint64_t, Spawn> spawns_;  ///< by ticket
    /// No two keepers of a run give the same: an answer may come to the next one.
    std::uint64_t last_ticket_ = std::uint64_t{options_.number} << 32U;
    EventLoop::TimerId orphan_timer_ = 0;  ///< nobody answers those who wait
    bool log_dirty_ = false;
    bool log_broken_ = false;         ///< cannot be written any more
    bool store_broken_ = false;       ///< a sync of outputs has failed
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
