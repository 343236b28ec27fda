#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/approve.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_approval = R"toml(
[flow]
name = "Approval"
[step.make]
run = "make"
[step.publish]
needs = "make"
wait = "approval"
run = "publish"
[step.tell]
needs = "publish"
run = "tell"
)toml";

using Names = std::vector<std::string>;

bool mentions(const Names& notes, const std::string& text) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

ApproveOptions publish(bool approved = true, std::string comment = {}) {
    return {"latest", "publish", std::nullopt, approved, std::move(comment)};
}

const TaskView& task(const RunView& view, const std::string& step) {
    return *std::find_if(view.tasks.begin(), view.tasks.end(),
                         [&](const TaskView& t) { return t.name.step == step; });
}

ExitCode code_of(FakeWorld& world, const ApproveOptions& options) {
    try {
        approve_tasks(*world.services, world.project, options);
        return ExitCode::ok;
    } catch (const Error& error) {
        return error.code();
    }
}

}  // namespace

TEST_CASE("a task waits for approval without being handed out, and goes on when it has it") {
    FakeWorld world(k_approval);
    int asked = 0;
    world.waiter.at_wait = [&](int wait) {
        if (wait == 10) {
            CHECK(world.ran() == Names{"make/_#1"});
            CHECK(world.state("publish/_") == "waiting");
            CHECK(task(world.view(), "publish").waits_for == "approval");
            CHECK(task(world.view(), "publish").waits_since.has_value());
            const Approved done = approve_tasks(*world.services, world.project, publish(true, "fine"));
            CHECK(done.tasks == Names{"publish/_"});
            CHECK(code_of(world, publish()) == ExitCode::not_found);  // it has been answered
            ++asked;
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(asked == 1);
    CHECK(world.ran() == Names{"make/_#1", "publish/_#1", "tell/_#1"});
    CHECK(mentions(world.notes, "publish: approved by ann: fine"));
    CHECK_FALSE(task(world.view(), "publish").waits_since.has_value());
    CHECK(code_of(world, publish()) == ExitCode::not_found);
}

TEST_CASE("a rejected task fails; a resume asks again") {
    FakeWorld world(k_approval);
    world.waiter.at_wait = [&](int wait) {
        if (wait == 5) {
            approve_tasks(*world.services, world.project, publish(false, "not on Friday"));
        }
    };
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(outcome.first_cause == Cause::user);
    CHECK(outcome.first_failure == "publish: rejected by ann: not on Friday");
    CHECK(world.state("publish/_") == "failed");
    CHECK(task(world.view(), "publish").problem == "rejected by ann: not on Friday");
    CHECK(world.state("tell/_") == "blocked");
    world.forget_what_ran();
    bool approved = false;
    world.waiter.at_wait = [&](int) {
        if (!approved && world.state("publish/_") == "waiting") {
            approved = true;
            approve_tasks(*world.services, world.project, publish());
        }
    };
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"publish/_#1", "tell/_#1"});
}

TEST_CASE("a wait survives its driver: since when stands, and an answer that came meanwhile counts") {
    FakeWorld world(k_approval);
    world.waiter.at_wait = [&](int wait) {
        if (wait == 5) {
            world.waiter.interrupt();
        }
    };
    CHECK(world.start().interrupted);
    world.waiter.calm();
    const auto since = task(world.view(), "publish").waits_since;
    REQUIRE(since.has_value());
    world.clock.advance(3600);
    CHECK(task(world.view(), "publish").waits_since == since);
    approve_tasks(*world.services, world.project, publish());
    world.waiter.at_wait = {};
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"make/_#1", "publish/_#1", "tell/_#1"});
}

TEST_CASE("an approval of what does not wait says what does") {
    FakeWorld world(k_approval);
    world.waiter.at_wait = [&](int wait) {
        if (wait == 5) {
            try {
                approve_tasks(*world.services, world.project, {"latest", "make", std::nullopt, true, ""});
                FAIL("it was approved");
            } catch (const Error& error) {
                CHECK(error.code() == ExitCode::not_found);
                CHECK(error.hint().find("/publish (approval)") != std::string::npos);
            }
            world.waiter.interrupt();
        }
    };
    world.start();
}

TEST_CASE("a step waits for a file, until its timeout") {
    FakeWorld world(R"toml(
[flow]
name = "File"
[step.a]
wait = { file = "ready", timeout = "1h" }
)toml");
    SUBCASE("it comes") {
        world.waiter.at_wait = [&](int wait) {
            if (wait == 20) {
                CHECK(world.state("a/_") == "waiting");
                world.files.add("/project/ready", "");
            }
        };
        CHECK(world.start().state == RunState::succeeded);
        CHECK(world.ran().empty());  // it has nothing to run
        CHECK(world.state("a/_") == "succeeded");
    }
    SUBCASE("it does not come") {
        const double begun = world.clock.steady_seconds();
        const RunOutcome outcome = world.start();
        CHECK(outcome.state == RunState::failed);
        CHECK(outcome.first_cause == Cause::timeout);
        CHECK(world.clock.steady_seconds() - begun == doctest::Approx(3600).epsilon(0.01));
    }
    SUBCASE("it does not come, and would be told") {
        world.files.tells_changes = true;
        const double begun = world.clock.steady_seconds();
        CHECK(world.start().first_cause == Cause::timeout);
        CHECK(world.clock.steady_seconds() - begun == doctest::Approx(3600).epsilon(0.01));
        CHECK(world.files.looks < 500);  // and not twice a second
    }
    SUBCASE("other files come first") {
        world.files.tells_changes = true;
        double came = 0;
        world.waiter.at_wait = [&](int wait) {
            world.files.add("/project/other" + std::to_string(wait), "");
            if (wait == 20) {
                world.files.add("/project/ready", "");
                came = world.clock.steady_seconds();
            }
        };
        CHECK(world.start().state == RunState::succeeded);
        CHECK(world.clock.steady_seconds() - came < 11);
    }
    SUBCASE("the time before a kill counts") {
        world.waiter.at_wait = [&](int wait) {
            if (wait == 5) {
                world.waiter.interrupt();
            }
        };
        CHECK(world.start().interrupted);
        world.waiter.calm();
        world.waiter.at_wait = {};
        world.clock.advance(3600);
        const double begun = world.clock.steady_seconds();
        CHECK(world.resume().state == RunState::failed);
        CHECK(world.clock.steady_seconds() - begun < 10);
    }
}

TEST_CASE("a step waits until an expression is true, or for a time") {
    FakeWorld world(R"toml(
[flow]
name = "Until"
[step.a]
wait = { until = "now() >= '2030'" }
[step.b]
catch = true
wait = { until = "1 / 0" }
)toml");
    world.waiter.at_wait = [&](int wait) {
        if (wait == 20) {
            CHECK(world.state("a/_") == "waiting");
            CHECK(world.state("b/_") == "caught");
            world.clock.advance(10 * 366 * 86400.0);
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.view().tasks.at(1).artifacts.contains("error"));
}

TEST_CASE("each item waits on its own; the others go on") {
    FakeWorld world(R"toml(
[flow]
name = "Items"
[step.a]
foreach = "[1, 2, 3]"
run = "a {{ item }}"
wait = "approval"
)toml");
    world.waiter.at_wait = [&](int wait) {
        if (wait == 3) {
            approve_tasks(*world.services, world.project, {"latest", "a", TaskIndex{{1}, 0}, true, ""});
        } else if (wait == 10) {
            CHECK(world.ran() == Names{"a/1#1"});
            const Approved rest =
                approve_tasks(*world.services, world.project, {"latest", "a", std::nullopt, true, ""});
            CHECK(rest.tasks == Names{"a/0", "a/2"});
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.ran() == Names{"a/1#1", "a/0#1", "a/2#1"});
}
