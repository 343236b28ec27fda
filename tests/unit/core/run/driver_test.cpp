#include "core/run/driver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/base/error.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_chain =
    "[flow]\nname = 'Chain'\n[step.a]\nrun = 'true'\n[step.b]\nneeds = 'a'\nrun = 'true'\n[step.c]\nneeds = "
    "'b'\nrun = 'true'\n";

using Names = std::vector<std::string>;

/// What is told of back-offs.
class Retries : public RunObserver {
  public:
    void task_ended(const AttemptResult& result, TaskState, std::optional<Timestamp> retry_at) override {
        if (retry_at) {
            seconds[result.task.step] = static_cast<double>(retry_at->ms - result.ended.ms) / 1000;
        }
    }
    std::map<std::string, double> seconds;
};

}  // namespace

TEST_CASE("a repetition that comes to its end without `until` says so") {
    FakeWorld world(
        "[flow]\nname = 'T'\n[step.a]\nrun = 'x'\noutputs = { n = { path = 'n.json', type = 'json' } "
        "}\nrepeat = { until = 'a.n > 1', max = 2 }\n");
    world.script = [](const TaskSpec&) { return succeed_with({{"n", value_artifact(1)}}); };
    CHECK(world.start().state == RunState::failed);
    REQUIRE(world.notes.size() == 1);
    CHECK(world.notes[0] == "a/_@2: `until` is still false after round 2, the last of `max`");
}

TEST_CASE("a chain runs in order, each task once, and the record says so") {
    FakeWorld world(k_chain);
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::succeeded);
    CHECK(outcome.exit_code() == ExitCode::ok);
    CHECK(world.ran() == Names{"a/_#1", "b/_#1", "c/_#1"});
    const RunView view = world.view();
    CHECK(view.state == "succeeded");
    CHECK(view.ended);
    CHECK(view.tasks.size() == 3);
    CHECK(view.user == "ann");
}

TEST_CASE("a foreach over a list that a step made, joined") {
    FakeWorld world(R"toml(
[flow]
name = "Fan"
[step.list]
run = "true"
outputs = { xs = { path = "xs.json", type = "json" } }
[step.each]
needs = "list"
foreach = "list.xs"
run = ["echo", "{{ item }}"]
[step.merge]
needs = "each"
join = true
run = "true"
)toml");
    world.script = [](const TaskSpec& spec) {
        return spec.task.step == "list" ? succeed_with({{"xs", value_artifact(List{"x", "y", "z"})}})
                                        : succeed();
    };
    CHECK(world.start().state == RunState::succeeded);
    auto ran = world.ran();
    std::sort(ran.begin(), ran.end());
    CHECK(ran == Names{"each/0#1", "each/1#1", "each/2#1", "list/_#1", "merge/_#1"});
    CHECK(world.view().tasks.size() == 5);
}

TEST_CASE("a failure is retried after its back-off, and then fails the run") {
    FakeWorld world(
        "[flow]\nname = 'R'\n[step.a]\nrun = 'true'\nretry = { times = 2, delay = '10s', backoff = 2.0, "
        "jitter = 0.0 }\n");
    world.script = [](const TaskSpec&) { return fail(Cause::user, 7); };
    const double before = world.clock.steady_seconds();
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(outcome.exit_code() == ExitCode::flow_failed);
    CHECK(world.ran() == Names{"a/_#1", "a/_#2", "a/_#3"});
    CHECK(world.clock.steady_seconds() - before >= 30);
    CHECK(world.view().tasks.at(0).attempts.size() == 3);
    CHECK(world.view().tasks.at(0).attempts.back().exit == 7);
}

TEST_CASE("no attempt follows another when what it needs is nowhere any more") {
    FakeWorld world(R"toml(
[flow]
name = "Gone"
[step.make]
run = "true"
outputs = { x = "x" }
[step.use]
needs = "make"
run = "true"
inputs = { x = "make.x" }
)toml");
    const ObjectInfo object = Objects(*world.store).put("x");
    const Artifact made{Artifact::Kind::file, {}, object.sha256, object.size_bytes, {}, 0};
    world.script = [&](const TaskSpec& spec) {
        if (spec.task.step == "make") {
            return succeed_with({{"x", made}});
        }
        if (spec.attempt == 2) {
            world.store->remove(layout::object(made.sha256, false));
        }
        return fail(Cause::infra, -1);
    };
    CHECK(world.start().state == RunState::failed);
    CHECK(world.ran() == Names{"make/_#1", "use/_#1", "use/_#2"});
}

TEST_CASE("of two tasks that wait for back-offs, each is told when its own is over") {
    FakeWorld world(
        "[flow]\nname = 'R'\n[step.soon]\nrun = 'true'\nretry = { times = 1, delay = '10s', jitter = 0.0 }\n"
        "[step.late]\nrun = 'true'\nretry = { times = 1, delay = '90s', jitter = 0.0 }\n");
    world.script = [](const TaskSpec&) { return fail(); };
    Retries retries;
    StartOptions options;
    options.keep_going = true;
    CHECK(start_run(*world.services, world.project, options, retries).state == RunState::failed);
    world.waiter.backend = nullptr;
    CHECK(retries.seconds.at("soon") == doctest::Approx(10).epsilon(0.1));
    CHECK(retries.seconds.at("late") == doctest::Approx(90).epsilon(0.1));
}

TEST_CASE("by default a failure ends what runs, and nothing new starts") {
    FakeWorld world(
        "[flow]\nname = 'F'\n[step.bad]\nrun = 'true'\n[step.slow]\nrun = 'true'\n[step.after]\nneeds = "
        "'slow'\nrun = 'true'\n");
    world.script = [](const TaskSpec& spec) {
        Verdict verdict = spec.task.step == "bad" ? fail() : succeed();
        verdict.takes_s = spec.task.step == "bad" ? 1 : 100;
        return verdict;
    };
    CHECK(world.start().state == RunState::failed);
    CHECK(world.state("bad/_") == "failed");
    CHECK(world.state("slow/_") == "cancelled");
    CHECK(world.state("after/_") != "succeeded");
}

TEST_CASE("keep_going runs all that is not blocked") {
    FakeWorld world(
        "[flow]\nname = 'K'\n[step.bad]\nrun = 'true'\n[step.other]\nrun = 'true'\n[step.then]\nneeds = "
        "'other'\nrun = 'true'\n"
        "[step.blocked]\nneeds = 'bad'\nrun = 'true'\n");
    world.script = [](const TaskSpec& spec) { return spec.task.step == "bad" ? fail() : succeed(); };
    StartOptions options;
    options.keep_going = true;
    CHECK(world.start(options).state == RunState::failed);
    CHECK(world.state("then/_") == "succeeded");
    CHECK(world.state("blocked/_") == "blocked");
}

TEST_CASE("resume with nothing changed goes on with the same run; what has finished stays") {
    FakeWorld world(k_chain);
    world.script = [](const TaskSpec& spec) { return spec.task.step == "b" ? fail() : succeed(); };
    const std::string run = world.start().run;
    world.script = [](const TaskSpec&) { return succeed(); };
    world.forget_what_ran();
    const RunOutcome outcome = world.resume();
    CHECK(outcome.run == run);
    CHECK(outcome.state == RunState::succeeded);
    CHECK(world.ran() == Names{"b/_#2", "c/_#1"});
}

TEST_CASE("an interrupt ends what runs; the run is interrupted and can be resumed") {
    FakeWorld world(k_chain);
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.interrupt();
        }
    };
    const RunOutcome outcome = world.start();
    CHECK(outcome.interrupted);
    CHECK(outcome.exit_code() == ExitCode::interrupted);
    CHECK(world.view().state == "interrupted");
    world.waiter.at_wait = nullptr;
    world.waiter.calm();
    CHECK(world.resume().state == RunState::succeeded);
}

TEST_CASE("a second interrupt kills, and the journal has what was killed") {
    FakeWorld world(k_chain);
    bool heeds_kill = true;
    world.script = [&](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        verdict.heeds_cancel = false;
        verdict.heeds_kill = heeds_kill;
        return verdict;
    };
    double killed = 0;  // at the first wait behind it
    world.waiter.at_wait = [&](int n) {
        if (n == 2 || n == 3) {
            world.waiter.interrupt();
        }
        killed = n == 4 ? world.clock.steady_seconds() : killed;
    };
    SUBCASE("it is gone at once") {
        CHECK(world.start().exit_code() == ExitCode::interrupted);
        CHECK(world.state("a/_") == "cancelled");
        REQUIRE(world.view().tasks.at(0).attempts.size() == 1);
        CHECK(world.view().tasks.at(0).attempts.at(0).cause == Cause::cancelled);
    }
    SUBCASE("it hangs: it is not waited for, and said") {
        heeds_kill = false;
        CHECK(world.start().exit_code() == ExitCode::interrupted);
        REQUIRE(!world.notes.empty());
        CHECK(world.notes.back().starts_with("1 task was killed, and not seen to end"));
        CHECK(world.view().tasks.at(0).attempts.empty());
        CHECK(killed > 0);
        CHECK(world.clock.steady_seconds() - killed < 2);
    }
    CHECK(world.view().state == "interrupted");
}

TEST_CASE("in a full store what runs ends and is recorded, nothing more starts, and a resume goes on") {
    FakeWorld world(k_chain);
    world.append_files.limit_room(std::uint64_t{8} << 20);
    world.script = [](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "b" ? 50 : 0;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {  // b runs, and something else takes all the room
            const auto other = world.append_files.open("other", 0);
            CHECK_THROWS_AS(other->append(std::string(8 << 20, 'x')), Error);
        }
    };
    try {
        world.start();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::store_full);
    }
    world.waiter.at_wait = nullptr;
    CHECK(world.view().state == "interrupted");
    CHECK(world.state("a/_") == "succeeded");
    CHECK(world.state("b/_") == "succeeded");
    CHECK(world.ran() == Names{"a/_#1", "b/_#1"});
    world.append_files.limit_room(100);
    CHECK_THROWS_AS(world.resume(), Error);
    CHECK(world.ran() == Names{"a/_#1", "b/_#1"});
    world.append_files.limit_room(std::uint64_t{8} << 20);
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"a/_#1", "b/_#1", "c/_#1"});
}

TEST_CASE("a run that was read can be moved") {
    FakeWorld world(k_chain);
    const std::string run = world.start().run;
    const OpenStore store = world.services->open_store(world.project.store_folder, false);
    ReadRun read = read_whole_run(store, run);
    const ReadRun moved = std::move(read);
    CHECK(&moved.data->record() == moved.record.get());
    CHECK(moved.data->record().run == run);
}

TEST_CASE("SIGTERM is graceful too, and says so in the exit code") {
    FakeWorld world(k_chain);
    world.waiter.terminate(15);
    const RunOutcome outcome = world.start();
    CHECK(outcome.interrupted);
    CHECK(outcome.exit_code() == ExitCode::terminated);
}

TEST_CASE("a hang-up leaves what runs alone") {
    FakeWorld world(k_chain);
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        return verdict;
    };
    std::size_t cancelled = 99;
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.terminate(1);
            cancelled = world.waiter.backend->cancelled().size();
        }
    };
    CHECK(world.start().interrupted);
    CHECK(cancelled == 0);
}

TEST_CASE("a cancel ends the run as cancelled") {
    FakeWorld world(k_chain);
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 1) {
            world.waiter.backend->ask_cancel("bob");
        }
    };
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::cancelled);
    CHECK(outcome.exit_code() == ExitCode::cancelled);
    CHECK(world.state("a/_") == "cancelled");
    CHECK(world.view().state == "cancelled");
}

TEST_CASE("the run's timeout fails it, after its clean-up") {
    FakeWorld world(
        "[flow]\nname = 'T'\ntimeout = '60s'\n[step.a]\nrun = 'true'\n[step.tidy]\nwhen = 'always()'\nrun = "
        "'true'\n");
    world.script = [](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "a" ? 1000 : 0;
        return verdict;
    };
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(outcome.exit_code() == ExitCode::timeout);
    CHECK(world.state("tidy/_") == "succeeded");
}

TEST_CASE("duplicated, late and unknown answers change nothing") {
    FakeWorld world(k_chain);
    for (const auto answer : {Verdict::Answer::duplicate, Verdict::Answer::late, Verdict::Answer::unknown}) {
        world.script = [answer](const TaskSpec&) {
            Verdict verdict = succeed();
            verdict.answer = answer;
            return verdict;
        };
        world.forget_what_ran();
        CHECK(world.start().state == RunState::succeeded);
        CHECK(world.ran() == Names{"a/_#1", "b/_#1", "c/_#1"});
    }
}

TEST_CASE("an expression that fails at the start of a task fails the task, with its reason") {
    FakeWorld world("[flow]\nname = 'E'\n[step.a]\nrun = ['echo', '{{ 1 / (attempt - 1) }}']\n");
    CHECK(world.start().state == RunState::failed);
    CHECK(world.ran().empty());
    CHECK(world.view().tasks.at(0).attempts.at(0).message.find("zero") != std::string::npos);
}

TEST_CASE("the lease is renewed while a run takes long") {
    FakeWorld world("[flow]\nname = 'S'\n[step.a]\nrun = 'true'\n");
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 500;
        return verdict;
    };
    CHECK(world.start().state == RunState::succeeded);
}
