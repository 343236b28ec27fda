#include "core/run/driver.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/lease.hpp"
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

}  // namespace

TEST_CASE("a lost backend costs an attempt of what ran, and nothing of what waited") {
    FakeWorld world("[flow]\nname = 'L'\n[step.a]\nforeach = 'range(3)'\nrun = 'true'\n");
    world.workers = 1;
    world.script = [](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.attempt == 1 && spec.task.index.path == std::vector<std::uint32_t>{0} ? 50 : 0;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.backend->die("the keeper is gone");
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.attempt("a/0") == 2);
    CHECK(world.attempt("a/1") == 1);
    CHECK(world.attempt("a/2") == 1);
}

TEST_CASE("of several backends one is lost: what the others have goes on") {
    FakeWorld world("[flow]\nname = 'L'\n[step.a]\nforeach = 'range(2)'\nrun = 'true'\n");
    world.script = [](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.attempt == 1 ? 50 : 0;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.backend->inject(
                BackendLost{"the box is gone", std::vector{AttemptId{TaskName::parse("a/0"), 1}}});
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.attempt("a/0") == 2);
    CHECK(world.attempt("a/1") == 1);
}

TEST_CASE("a backend that dies again and again before a task starts is given up, after growing pauses") {
    FakeWorld world("[flow]\nname = 'G'\n[step.a]\nrun = 'true'\n");
    std::size_t deaths = 0;
    std::optional<double> closed_since;
    std::vector<double> pauses;
    world.waiter.at_wait = [&](int) {
        const double now = world.clock.steady_seconds();
        if (world.waiter.backend->times_opened() == deaths) {
            closed_since = closed_since.value_or(now);
            return;
        }
        if (closed_since) {
            pauses.push_back(now - *closed_since);
        }
        closed_since.reset();
        ++deaths;
        world.waiter.backend->die("the keeper is gone: no more memory");
    };
    try {
        world.start();
        FAIL("it goes on for ever");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::infrastructure);
        CHECK(error.message().find("no more memory") != std::string::npos);
    }
    CHECK(deaths == 5);
    REQUIRE(pauses.size() == 3);  // the first time there is none
    CHECK(pauses[0] > 0.1);
    CHECK(pauses[1] > 2 * pauses[0]);
    CHECK(pauses[2] > 2 * pauses[1]);
    world.waiter.at_wait = {};
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.attempt("a/_") == 1);
}

TEST_CASE("a backend is open while all tasks wait for their back-off, also when it has died meanwhile") {
    FakeWorld world("[flow]\nname = 'B'\n[step.a]\nrun = 'true'\nretry = { times = 1, delay = '100s' }\n");
    world.script = [](const TaskSpec& spec) { return spec.attempt == 1 ? fail() : succeed(); };
    std::size_t opened = 0;
    world.waiter.at_wait = [&](int n) {
        opened = world.waiter.backend->times_opened();
        if (n == 3) {
            world.waiter.backend->inject(BackendNote{"a remark"});
            world.waiter.backend->die("the keeper is gone");
        }
    };
    const double before = world.clock.steady_seconds();
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.clock.steady_seconds() - before > 50);
    CHECK(opened == 2);
    CHECK(std::find(world.notes.begin(), world.notes.end(), "a remark") != world.notes.end());
}

TEST_CASE("a driver that slept while another took over opens no backend") {
    FakeWorld world("[flow]\nname = 'S'\n[step.a]\nrun = 'true'\n");
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            const auto runs = list_runs(*world.store);
            Lease::acquire(*world.store, world.append_files, world.clock, runs.back(), {"b", 2, "bob"}, true);
            world.waiter.backend->die("the keeper is gone");
        }
    };
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 5;
        return verdict;
    };
    CHECK_THROWS_AS(world.start(), Error);
    CHECK(world.ran().size() == 1);
}

TEST_CASE("what another driver left running is adopted, not run again") {
    FakeWorld world(k_chain);
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 50;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.terminate(1);
        }
    };
    CHECK(world.start().interrupted);
    world.waiter.at_wait = nullptr;
    world.waiter.calm();
    world.forget_what_ran();

    SUBCASE("it has ended meanwhile") {
        AttemptResult ended;
        ended.task = TaskName{"a", {}};
        world.adoption = Adoption{{}, {ended}, {}};
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == Names{"b/_#1", "c/_#1"});
    }
    SUBCASE("it was ended, and the journal does not know") {
        AttemptResult ended;
        ended.task = TaskName{"a", {}};
        ended.cause = Cause::cancelled;
        ended.exit = -1;
        world.adoption = Adoption{{}, {ended}, {}};
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == Names{"a/_#2", "b/_#1", "c/_#1"});
    }
    SUBCASE("its keeper has died") {
        world.adoption = Adoption{{}, {}, {AttemptId{TaskName{"a", {}}, 1}}};
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == Names{"a/_#2", "b/_#1", "c/_#1"});
    }
}

TEST_CASE("an adopted end of a task that is not due yet is kept until it is") {
    FakeWorld world(
        "[flow]\nname = 'K'\n[step.a]\nrun = 'true'\n[step.b]\nneeds = 'a'\nforeach = 'range(2)'\nrun = "
        "'true'\n[step.c]\nneeds = 'b'\njoin = true\nrun = 'true'\n");
    world.waiter.terminate(1);
    CHECK(world.start().interrupted);
    world.waiter.calm();
    world.forget_what_ran();
    Adoption adoption;
    for (const TaskName& task : {TaskName{"a", {}}, TaskName{"b", {{0}, 0}}, TaskName{"b", {{1}, 0}}}) {
        AttemptResult ended;
        ended.task = task;
        adoption.ended.push_back(ended);
    }
    world.adoption = adoption;
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"c/_#1"});
}

TEST_CASE("a driver that was taken over tells nothing of what its backend lost") {
    FakeWorld world("[flow]\nname = 'O'\n[step.a]\nrun = 'true'\n");
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 5;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            const auto runs = list_runs(*world.store);
            Lease::acquire(*world.store, world.append_files, world.clock, runs.back(), {"b", 2, "bob"}, true);
            world.waiter.backend->die("a later driver has taken over");
        }
    };
    CHECK_THROWS_AS(world.start(), Error);
    CHECK(world.view().tasks.at(0).attempts.empty());
}
