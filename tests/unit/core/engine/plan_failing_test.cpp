// Failing, retrying, catching, repeating, cleaning up: flow-format.md, section 2, a rule a test.

#include <doctest/doctest.h>

#include "tests/support/plan_play.hpp"

namespace amp::test {

TEST_CASE("after a failure nothing new starts, running tasks are given to be ended, the run is failed") {
    PlanPlay p("a; b; c; d: needs b; e: needs a,b");
    CHECK(p.take_ready(2) == "a/_ b/_");
    p.start("b/_");
    p.end("a/_", Cause::user);
    CHECK(p.plan.stopping());
    CHECK(p.tasks() == "a/_ failed, b/_ running, c/_ cancelled, d/_ waiting, e/_ waiting");
    CHECK(p.take_ready().empty());
    CHECK(p.take_cancels() == "b/_");
    CHECK(p.take_cancels().empty());
    CHECK(p.run() == "running");
    p.end("b/_", Cause::cancelled);
    CHECK(p.tasks() == "a/_ failed, b/_ cancelled, c/_ cancelled, d/_ cancelled, e/_ blocked");
    CHECK(p.run() == "failed");
}

TEST_CASE("a task that succeeds while it is being ended has succeeded") {
    PlanPlay p("a; b; c: needs b");
    p.take_ready();
    p.end("a/_", Cause::user);
    p.end("b/_");
    CHECK(p.tasks() == "a/_ failed, b/_ succeeded, c/_ cancelled");
}

TEST_CASE("with keep_going all that is not blocked still runs") {
    PlanPlay p("a; b; c: needs b; d: needs a,b; e: needs d", {.keep_going = true});
    p.end("a/_", Cause::user);
    CHECK(p.state("d/_") == "waiting");
    p.end("b/_");
    CHECK(p.tasks() == "a/_ failed, b/_ succeeded, c/_ ready, d/_ blocked, e/_ blocked");
    p.end("c/_");
    CHECK(p.run() == "failed");
}

TEST_CASE("a failed item blocks its join and its own branch alone") {
    PlanPlay p("a: foreach; b: needs a; c: needs b join", {.keep_going = true});
    p.items("a/_", 2);
    p.end("a/0", Cause::user);
    p.end("a/1");
    p.end("b/1");
    CHECK(p.tasks() == "a/0 failed, a/1 succeeded, b/0 blocked, b/1 succeeded, c/_ blocked");
}

TEST_CASE("a failed need blocks although its edge has a condition") {
    PlanPlay p("a; b; c: needs a?,b", {.keep_going = true});
    p.end("a/_", Cause::user);
    p.end("b/_");
    CHECK(p.state("c/_") == "blocked");
}

TEST_CASE("times counts the retries after the first attempt") {
    PlanPlay p("a: retry=2");
    CHECK(p.attempt("a/_") == 1);
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "ready");
    CHECK(p.attempt("a/_") == 2);
    p.end("a/_", Cause::timeout);
    p.end("a/_", Cause::oom);
    CHECK(p.state("a/_") == "failed");
    CHECK(p.attempt("a/_") == 3);
    CHECK(p.plan.oom_count(0) == 1);
    CHECK(p.plan.cause(0) == Cause::oom);
}

TEST_CASE("what is not the task's fault is retried five times, beside times") {
    PlanPlay p("a: retry=1 delay=0");
    for (const Cause cause : {Cause::evicted, Cause::preempted, Cause::node, Cause::lost, Cause::infra}) {
        p.end("a/_", cause);
        CHECK(p.state("a/_") == "ready");
    }
    p.end("a/_", Cause::user);
    CHECK(p.attempt("a/_") == 7);
    p.end("a/_", Cause::infra);
    CHECK(p.state("a/_") == "failed");
}

TEST_CASE("what is not the task's fault waits a moment where no delay is said") {
    PlanPlay p("a: retry=1; b", {.keep_going = true});
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "ready");
    p.end("a/_", Cause::infra);
    CHECK(p.state("a/_") == "retrying");
    REQUIRE(p.plan.next_due());
    CHECK(*p.plan.next_due() > p.now.plus_seconds(0.7));
    CHECK(*p.plan.next_due() <= p.now.plus_seconds(1));
    p.wait(1);
    CHECK(p.state("a/_") == "ready");
    p.end("b/_", Cause::lost);
    CHECK(p.state("b/_") == "ready");
    p.end("b/_", Cause::lost);
    CHECK(p.state("b/_") == "retrying");
}

TEST_CASE("exit 202 is never retried") {
    PlanPlay p("a: retry=3; b: catch retry=3", {.keep_going = true});
    p.end("a/_", Cause::user, true);
    CHECK(p.state("a/_") == "failed");
    p.end("b/_", Cause::user, true);
    CHECK(p.state("b/_") == "caught");
}

TEST_CASE("a back-off is waited for; next_due tells until when") {
    PlanPlay p("a: retry=2 delay=10 backoff=3");
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "retrying");
    CHECK(p.attempt("a/_") == 2);
    CHECK(p.plan.next_due() == p.now.plus_seconds(10));
    p.wait(9.9);
    CHECK(p.take_ready().empty());
    p.wait(0.1);
    CHECK(p.take_ready() == "a/_");
    CHECK(p.plan.next_due() == std::nullopt);
    p.end("a/_", Cause::user);
    CHECK(p.plan.next_due() == p.now.plus_seconds(30));
}

TEST_CASE("due tells of each task when its own back-off is over") {
    PlanPlay p("a: retry=2 delay=10; b: retry=2 delay=30", {.keep_going = true});
    const TaskId a = p.id("a/_");
    const TaskId b = p.id("b/_");
    CHECK(p.plan.due(a) == std::nullopt);
    const Timestamp began = p.now;
    p.end("a/_", Cause::user);
    p.end("b/_", Cause::user);
    CHECK(p.plan.due(a) == began.plus_seconds(10));
    CHECK(p.plan.due(b) == began.plus_seconds(30));
    p.wait(10);
    CHECK(p.plan.due(a) == std::nullopt);
    CHECK(p.plan.due(b) == began.plus_seconds(30));
    p.end("a/_", Cause::user);
    CHECK(p.plan.due(a) == p.now.plus_seconds(10));
}

TEST_CASE("a task that waits for its back-off is cancelled at once when the run stops") {
    PlanPlay p("a: retry=1 delay=10; b");
    p.end("a/_", Cause::user);
    p.end("b/_", Cause::user);
    CHECK(p.tasks() == "a/_ cancelled, b/_ failed");
    CHECK(p.run() == "failed");
    CHECK(p.plan.next_due() == std::nullopt);
}

TEST_CASE("caught: after the last attempt, for any cause but cancel, the step counts as done") {
    PlanPlay p("a: catch retry=1; b: needs a; c: catch");
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "ready");
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "caught");
    p.end("b/_");
    p.take_ready();
    p.apply(RunCancelled{});
    p.end("c/_", Cause::cancelled);
    CHECK(p.state("c/_") == "cancelled");
    CHECK(p.run() == "cancelled");
}

TEST_CASE("a run with caught tasks succeeds") {
    PlanPlay p("a: foreach catch; b: needs a join");
    p.items("a/_", 2);
    p.end("a/0", Cause::user);
    p.end("a/1");
    p.end("b/_");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("until is asked after a succeeded round; each round counts attempts and retries anew") {
    PlanPlay p("a: repeat=3 until retry=1; b: needs a");
    CHECK(p.tasks() == "a/_@1 ready, b/_ waiting");
    p.end("a/_@1", Cause::user);
    p.end("a/_@1");
    CHECK(p.attempt("a/_@1") == 2);
    CHECK(p.take_questions() == "until a/_@1");
    p.until("a/_@1", false);
    CHECK(p.tasks() == "a/_@2 ready, b/_ waiting");
    CHECK(p.attempt("a/_@2") == 1);
    p.end("a/_@2", Cause::user);
    CHECK(p.state("a/_@2") == "ready");
    p.end("a/_@2");
    CHECK_FALSE(p.until("a/_@1", true));
    p.until("a/_@2", true);
    CHECK(p.tasks() == "a/_@2 succeeded, b/_ ready");
}

TEST_CASE("max reached without until fails with cause user, unless on_max is ok, or it is caught") {
    PlanPlay p("a: repeat=1 until; b: repeat=1 until ok; c: repeat=1 until catch", {.keep_going = true});
    for (const char* task : {"a/_@1", "b/_@1", "c/_@1"}) {
        p.end(task);
        p.until(task, false);
    }
    CHECK(p.tasks() == "a/_@1 failed, b/_@1 succeeded, c/_@1 caught");
    CHECK(p.plan.cause(0) == Cause::user);
}

TEST_CASE("a repetition without until goes on to its max") {
    PlanPlay p("a: repeat=2");
    p.end("a/_@1");
    CHECK(p.state("a/_@2") == "ready");
    p.end("a/_@2");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("within a foreach each item repeats on its own") {
    PlanPlay p("a: foreach repeat=3 until; b: needs a join");
    p.items("a/_", 2);
    p.end("a/0@1");
    p.end("a/1@1");
    p.until("a/0@1", true);
    p.until("a/1@1", false);
    CHECK(p.tasks() == "a/0@1 succeeded, a/1@2 ready, b/_ waiting");
}

TEST_CASE("clean-up without needs runs after every other step, whatever became of them") {
    PlanPlay p("a; b: needs a; z: cleanup; y: cleanup");
    p.end("a/_", Cause::user);
    CHECK(p.plan.cleaning_up());
    CHECK(p.take_questions() == "when z/_, when y/_");
    CHECK(p.plan.has_failed(2, {}, std::nullopt));
    CHECK(p.plan.has_failed(2, {}, StepId{0}));
    CHECK(p.plan.has_failed(2, {}, StepId{1}));
    p.when("z/_", true);
    p.when("y/_", false);
    CHECK(p.take_ready() == "z/_");
    p.end("z/_");
    CHECK(p.tasks() == "a/_ failed, b/_ blocked, z/_ succeeded, y/_ skipped");
    CHECK(p.run() == "failed");
}

TEST_CASE("clean-up with needs runs after them, also while the rest goes on, and is not ended by a failure") {
    PlanPlay p("a; b: needs a cleanup; c: needs b; d");
    CHECK(p.take_ready() == "a/_ d/_");
    p.end("a/_");
    CHECK_FALSE(p.plan.has_failed(1, {}, std::nullopt));
    p.when("b/_", true);
    CHECK(p.take_ready() == "b/_");
    p.end("d/_", Cause::user);
    CHECK(p.take_cancels().empty());
    CHECK(p.plan.cleaning_up());
    p.end("b/_");
    CHECK(p.tasks() == "a/_ succeeded, b/_ succeeded, c/_ cancelled, d/_ failed");
}

TEST_CASE("a clean-up step's own failure turns a green run red") {
    PlanPlay p("a; z: cleanup");
    p.end("a/_");
    p.when("z/_", true);
    p.end("z/_", Cause::user);
    CHECK(p.run() == "failed");
}

TEST_CASE("clean-up of an item looks at its own branch") {
    PlanPlay p("a: foreach; b: needs a; c: needs b cleanup; d: needs c join", {.keep_going = true});
    p.items("a/_", 2);
    p.end("a/0", Cause::user);
    p.end("a/1");
    p.end("b/1");
    CHECK(p.take_questions() == "when c/0, when c/1");
    CHECK(p.plan.has_failed(2, {{0}, 0}, std::nullopt));
    CHECK(p.plan.has_failed(2, {{0}, 0}, StepId{0}));
    CHECK_FALSE(p.plan.has_failed(2, {{1}, 0}, std::nullopt));
    p.when("c/0", true);
    p.when("c/1", false);
    p.end("c/0");
    CHECK(p.state("d/_") == "ready");
}

TEST_CASE("failed() sees an ancestor behind clean-up that succeeded; caught is not failed") {
    PlanPlay p("a; b: needs a cleanup; c: needs b cleanup; d: catch; e: needs d cleanup",
               {.keep_going = true});
    p.end("a/_", Cause::user);
    p.when("b/_", true);
    p.end("b/_");
    CHECK(p.plan.has_failed(2, {}, std::nullopt));
    p.end("d/_", Cause::user);
    CHECK_FALSE(p.plan.has_failed(4, {}, std::nullopt));
}

TEST_CASE("cancel ends what runs and then cleans up") {
    PlanPlay p("a; b: needs a; c: foreach; z: cleanup");
    p.take_ready();
    CHECK(p.apply(RunCancelled{}));
    CHECK_FALSE(p.apply(RunCancelled{}));
    CHECK(p.take_cancels() == "a/_");
    CHECK_FALSE(p.plan.cleaning_up());
    p.end("a/_", Cause::cancelled);
    CHECK(p.plan.cleaning_up());
    CHECK_FALSE(p.plan.has_failed(3, {}, std::nullopt));
    p.when("z/_", true);
    p.end("z/_");
    CHECK(p.tasks() == "a/_ cancelled, b/_ cancelled, c/_ cancelled, z/_ succeeded");
    CHECK(p.run() == "cancelled");
}

TEST_CASE("the run's timeout fails it; during the clean-up a second one ends that too") {
    PlanPlay p("a; y: cleanup; z: cleanup");
    p.take_ready();
    CHECK(p.apply(RunTimedOut{}));
    CHECK_FALSE(p.apply(RunTimedOut{}));
    p.end("a/_", Cause::cancelled);
    p.when("y/_", true);
    CHECK(p.take_ready() == "y/_");
    CHECK(p.apply(RunTimedOut{}));
    CHECK(p.take_cancels() == "y/_");
    CHECK(p.state("z/_") == "cancelled");
    p.end("y/_", Cause::cancelled);
    CHECK(p.run() == "failed");
}

TEST_CASE("a task that came back without having started is ready with the same attempt") {
    PlanPlay p("a; b");
    p.take_ready(1);
    CHECK(p.attempt("a/_") == 1);
    CHECK(p.apply(TaskReturned{0, {}}));
    CHECK(p.state("a/_") == "ready");
    CHECK(p.attempt("a/_") == 1);
    CHECK(p.take_ready() == "b/_ a/_");
    p.apply(RunCancelled{});
    p.apply(TaskReturned{0, {}});
    CHECK(p.state("a/_") == "cancelled");
}

TEST_CASE("a task that waits is asked about when all else is decided, and costs no place") {
    PlanPlay p("a; b: needs a wait when; c: needs b");
    CHECK(p.take_questions().empty());
    CHECK(p.take_ready() == "a/_");
    p.end("a/_");
    CHECK(p.take_questions() == "when b/_");
    CHECK(p.when("b/_", true));
    CHECK(p.take_questions() == "wait b/_");
    CHECK(p.state("b/_") == "waiting");
    CHECK(p.take_ready().empty());
    CHECK(p.apply(WaitBegan{1, {}}));
    CHECK(p.apply(WaitEnded{1, {}}));
    CHECK_FALSE(p.apply(WaitEnded{1, {}}));
    CHECK(p.take_ready() == "b/_");
}

TEST_CASE(
    "a wait in vain fails with its cause, and is asked anew when the run is reopened; one that is over is "
    "not") {
    PlanPlay p("a: wait; b: wait");
    p.take_questions();
    CHECK(p.apply(WaitEnded{1, {}}));
    CHECK(p.apply(DecisionFailed{Question{Question::Kind::wait, 0, {}}, Cause::timeout}));
    CHECK(p.state("a/_") == "failed");
    CHECK(p.plan.cause(*p.plan.find(0, {})) == Cause::timeout);
    CHECK(p.state("b/_") == "cancelled");
    CHECK(p.apply(RunReopened{}));
    CHECK(p.take_questions() == "wait a/_");
    CHECK(p.take_ready() == "b/_");
}

TEST_CASE("a cancel ends what waits") {
    PlanPlay p("a: wait");
    p.take_questions();
    p.apply(RunCancelled{});
    CHECK(p.state("a/_") == "cancelled");
    CHECK_FALSE(p.apply(WaitEnded{0, {}}));
    CHECK(p.run() == "cancelled");
}

TEST_CASE("a reused task is cached and counts as succeeded") {
    PlanPlay p("a; b: needs a");
    p.take_ready();
    CHECK(p.apply(TaskReused{0, {}}));
    CHECK(p.tasks() == "a/_ cached, b/_ ready");
    CHECK(p.attempt("a/_") == 0);
}

TEST_CASE(
    "starts and ends are taken from ready and retrying too, so that a crashed driver's tasks are adopted") {
    PlanPlay p("a: retry=1 delay=60; b: needs a");
    CHECK(p.end("a/_", Cause::user));
    CHECK(p.state("a/_") == "retrying");
    CHECK(p.start("a/_"));
    CHECK_FALSE(p.start("a/_"));
    CHECK(p.plan.next_due() == std::nullopt);
    CHECK(p.end("a/_"));
    CHECK(p.state("b/_") == "ready");
}

TEST_CASE("a task that a replay takes for cancelled may turn out to have run") {
    PlanPlay p("a: foreach; b: needs a join; c; d: needs c; z: cleanup");
    p.items("a/_", 1);
    p.end("c/_", Cause::user);
    CHECK(p.tasks() == "a/0 cancelled, b/_ cancelled, c/_ failed, d/_ blocked, z/_ waiting");
    CHECK(p.take_questions() == "when z/_");
    CHECK(p.apply(TaskStarted{0, {{0}, 0}, 1}));
    CHECK(p.tasks() == "a/0 running, b/_ waiting, c/_ failed, d/_ blocked, z/_ waiting");
    CHECK(p.take_cancels() == "a/0");
    CHECK_FALSE(p.when("z/_", true));
    p.end("a/0", Cause::user);
    CHECK(p.tasks() == "a/0 failed, b/_ blocked, c/_ failed, d/_ blocked, z/_ waiting");
    CHECK(p.when("z/_", true));
}

}  // namespace amp::test
