#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/run/drive.hpp"
#include "core/run/inspect.hpp"
#include "core/run/start.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/scripted_backend.hpp"

namespace amp::test {

/// Time passes only while somebody waits: to the next end of an attempt, or as long as was asked.
class FakeWaiter : public Waiter {
  public:
    explicit FakeWaiter(FakeClock& clock) : clock_(clock) {}

    void wait_any(std::span<const int> fds, double seconds) override;
    int interrupts() override { return interrupts_; }
    int terminating_signal() override { return signal_; }

    ScriptedBackend* backend = nullptr;      ///< the latest that was made
    std::vector<ScriptedBackend*> backends;  ///< all that live
    /// Called at each wait with its number, from 1: a test's chance to interfere.
    std::function<void(int)> at_wait;
    void interrupt() { ++interrupts_; }
    void terminate(int signal) { signal_ = signal; }
    void calm() { interrupts_ = signal_ = 0; }

  private:
    FakeClock& clock_;
    int waits_ = 0;
    int interrupts_ = 0;
    int signal_ = 0;
};

/// Everything that a use case needs, in memory: a project in /project with a flow, a store that outlives each
/// driver, and a scripted backend a driver.
class FakeWorld {
  public:
    explicit FakeWorld(const std::string& flow);

    RunOutcome start(StartOptions options = {});
    RunOutcome resume(ResumeOptions options = {});
    RunView view(const std::string& run = "latest");
    /// "succeeded", "failed", …, of "STEP/INDEX"; "none" when there is no such task.
    std::string state(const std::string& task);
    std::uint32_t attempt(const std::string& task);
    /// What ran, in order: "STEP/INDEX#ATTEMPT" of all drivers.
    std::vector<std::string> ran() const { return ran_; }
    void forget_what_ran() { ran_.clear(); }

    FakeClock clock;
    MemoryFiles files;
    FakeWaiter waiter{clock};
    MemoryAppendFiles append_files;
    std::shared_ptr<MemoryStore> store;
    /// What becomes of each attempt; by default all succeed.
    ScriptedBackend::Script script = [](const TaskSpec&) { return succeed(); };
    /// For the next backend that is made.
    std::optional<Adoption> adoption;
    std::size_t workers = 1024;
    std::vector<std::string> notes;
    Project project;
    std::unique_ptr<Services> services;

  private:
    std::unique_ptr<Backend> make_backend();

    std::unique_ptr<Process> process_;
    std::vector<std::string> ran_;
};

}  // namespace amp::test
