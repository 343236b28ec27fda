#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/run/attach.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Attach"
[step.a]
run = "a"
[step.b]
needs = "a"
run = "b"
)toml";

/// What is told, in words.
class Told : public RunObserver {
  public:
    void run_attached(const std::string&, const Plan&) override { words.emplace_back("attached"); }
    void note(const std::string& text) override { words.push_back("note: " + text); }
    void task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp>) override {
        words.push_back(result.task.text() + " " + std::string(state_name(state)));
    }
    void run_ended(RunState state, bool, const Plan*) override {
        words.push_back("run " + std::string(state_name(state)));
    }
    std::vector<std::string> words;
};

RunOutcome attach(FakeWorld& world, Told& told) {
    return attach_run(*world.services, world.project, "latest", told);
}

}  // namespace

TEST_CASE("a run that has ended is told by its end alone") {
    FakeWorld world(k_flow);
    world.script = [](const TaskSpec& spec) { return spec.task.step == "b" ? fail() : succeed(); };
    const RunOutcome driven = world.start();
    Told told;
    const RunOutcome seen = attach(world, told);
    CHECK(seen.run == driven.run);
    CHECK(seen.state == RunState::failed);
    CHECK(seen.exit_code() == driven.exit_code());
    CHECK(told.words == std::vector<std::string>{"attached", "run failed"});
}

TEST_CASE("a run that nobody drives is busy, and can be resumed") {
    FakeWorld world(k_flow);
    world.waiter.interrupt();
    REQUIRE(world.start().interrupted);
    world.waiter.calm();
    Told told;
    try {
        attach(world, told);
        FAIL("it was followed");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::busy);
        CHECK(error.hint().find("amp resume") != std::string::npos);
    }
}

TEST_CASE("what happens while it is followed is told once, each time it is read") {
    FakeWorld world(k_flow);
    Told told;
    // The run is driven in the waits of the one who follows: record and lease first.
    world.waiter.interrupt();
    const std::string run = world.start().run;
    world.waiter.calm();
    OpenStore store = world.services->open_store(world.project.store_folder, false);
    std::optional<Lease> lease(
        Lease::acquire(*store.objects, *store.files, world.clock, run, {"box", 1, "x"}));
    world.waiter.at_wait = [&](int) {
        if (lease) {
            lease.reset();
            world.waiter.at_wait = {};
            world.resume();
        }
    };
    const RunOutcome outcome = attach(world, told);
    CHECK(outcome.state == RunState::succeeded);
    CHECK(std::count(told.words.begin(), told.words.end(), "b/_ succeeded") == 1);
    CHECK(told.words.back() == "run succeeded");
}

TEST_CASE("who has had enough leaves; the run goes on") {
    FakeWorld world(k_flow);
    world.waiter.interrupt();
    const std::string run = world.start().run;
    OpenStore store = world.services->open_store(world.project.store_folder, false);
    const Lease lease = Lease::acquire(*store.objects, *store.files, world.clock, run, {"box", 1, "x"});
    Told told;
    const RunOutcome outcome = attach(world, told);  // the interrupt is still there
    CHECK(outcome.left);
    CHECK(outcome.exit_code() == ExitCode::interrupted);
}

TEST_CASE("that its time has passed is told to who follows it, too") {
    FakeWorld world("[flow]\nname = 'T'\ntimeout = '10s'\n[step.a]\nrun = 'a'\n");
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        return verdict;
    };
    Told told;
    world.waiter.interrupt();
    const std::string run = world.start().run;
    world.waiter.calm();
    OpenStore store = world.services->open_store(world.project.store_folder, false);
    std::optional<Lease> lease(
        Lease::acquire(*store.objects, *store.files, world.clock, run, {"box", 1, "x"}));
    world.waiter.at_wait = [&](int) {
        if (lease) {
            lease.reset();
            world.waiter.at_wait = {};
            world.resume();
        }
    };
    CHECK(attach(world, told).timed_out);
    CHECK(std::count(told.words.begin(), told.words.end(), "note: the run's timeout has passed") == 1);
}
