#pragma once

#include <optional>
#include <string>

#include "backends/local/output_reader.hpp"
#include "backends/local/port_claims.hpp"
#include "backends/local/process_table.hpp"
#include "backends/local/report_reader.hpp"
#include "backends/local/stager.hpp"
#include "backends/local/task_exec.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/local/task_monitor.hpp"
#include "core/task/claim.hpp"
#include "core/task/code_cache.hpp"

namespace amp {

/// One attempt of `amp task exec`, from its inputs to its outputs: what is a keeper's work for each of its
/// tasks, with the same parts.
class ExecRun {
  public:
    ExecRun(const ExecSpec& spec, const Claim& claim, ObjectStore& objects, AppendFiles& files,
            const ExecTalk& talk);
    /// Kills what is left of it, and removes what others have left that were killed.
    ~ExecRun();
    ExecRun(const ExecRun&) = delete;
    ExecRun& operator=(const ExecRun&) = delete;

    /// @param signals a signalfd
    /// @return how it ended; all objects that it names are durable. Once
    AttemptResult run(int signals);
    /// False: it ended before there was a process of it.
    bool was_started() const { return started_; }

  private:
    void begin();
    void prepare();
    void lay_code();
    void learn_secrets();
    void launch();
    void started();
    void heard_signals();
    void notice(Cause cause, const std::string& message);
    void save_in_time();
    void save(double quiet_s);
    void saved(const std::string& problem, const std::vector<std::string>& notes);
    void processes_gone();
    void judge_memory();
    void judge_notice();
    void collect();
    void end(Cause cause, const std::string& message);
    void finish();
    std::string masked(const std::string& text) const { return run_.masks ? run_.masks->mask(text) : text; }

    const ExecSpec& spec_;
    const Claim& claim_;
    ObjectStore& objects_;
    const ExecTalk& talk_;
    EventLoop loop_;
    PackWriter packs_;
    ScratchPool pool_;
    std::optional<LaidCode> code_;
    std::string python_folder_;
    TaskLauncher launcher_;
    PortClaims ports_;
    TaskRun run_;
    Variables secrets_;
    OutputReader output_;
    ReportReader reports_;
    ProcessTable processes_;
    TaskMonitor monitor_;
    Stager stager_;
    bool alone_;  ///< in its memory group there is nobody else's process
    int signals_ = -1;
    Cause notice_ = Cause::none;  ///< what a signal has told us
    std::string notice_message_;
    bool started_ = false;
    bool done_ = false;
};

}  // namespace amp
