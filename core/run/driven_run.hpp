#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/run/drive.hpp"
#include "core/run/driver.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/task_router.hpp"

namespace amp {

/// One run while it is driven: its lease, journal, backend and driver, from taking the lease to giving it
/// back. When this goes without finish(), it is as if the orchestrator had died.
BackendRequest backend_request(const RunRecord& record, std::uint32_t epoch, std::size_t workers);

class DrivenRun {
  public:
    struct Setup {
        Services& services;
        OpenStore& store;
        RunObserver& observer;
        SubRuns& runs;
        TreeSlots* slots = nullptr;  ///< shared with other runs
        std::function<void(const AttemptId&)> end_child;
        bool child = false;  ///< of another run
    };
    /// @throws Error(busy) when somebody else drives it
    DrivenRun(Setup setup, const std::string& run, DriveOptions options,
              std::unique_ptr<const RecordedFlow> flow);

    /// Waits until it may begin (`concurrency`). False: it may not, which is an outcome and is finished.
    bool take_turn();
    /// Takes over what earlier drivers left; unless the run has succeeded already, which is an outcome.
    void begin();
    /// All that can be done now.
    void advance();
    /// How driving it ended; nullopt: not yet.
    const std::optional<RunOutcome>& outcome() const { return outcome_; }
    /// Writes how it ended, and gives it back. Once there is an outcome.
    void finish();

    Driver& driver() { return *driver_; }
    TaskRouter& router() { return *router_; }
    const RunData& data() const { return *read_.data; }
    const RunRecord& record() const { return *read_.record; }
    bool has_subflows() const;
    /// Before begin(): its tasks wait for shared slots.
    void share(TreeSlots& slots) { setup_.slots = &slots; }

  private:
    void read_origin();
    void end_before_start();
    bool code_changed();
    void write_end();
    std::vector<Secret> find_secrets();

    Setup setup_;
    DriveOptions options_;
    Lease lease_;
    ReadRun read_;
    std::optional<ReadRun> origin_;
    std::optional<JournalWriter> journal_;
    std::unique_ptr<TaskRouter> router_;
    std::optional<Driver> driver_;
    std::optional<RunOutcome> outcome_;
};

}  // namespace amp
