// Resume with nothing changed: flow-format.md, section 2.

#include <doctest/doctest.h>

#include "tests/support/plan_play.hpp"

namespace amp::test {

TEST_CASE("finished tasks stay; failed, cancelled and blocked ones run again as the next attempt") {
    PlanPlay p("a; b: needs a; c: needs b; d: when; e: needs a");
    p.end("a/_");
    p.when("d/_", false);
    CHECK(p.take_ready() == "b/_ e/_");
    p.end("b/_", Cause::user);
    p.end("e/_", Cause::cancelled);
    CHECK(p.run() == "failed");
    CHECK(p.apply(RunReopened{}));
    CHECK(p.run() == "running");
    CHECK_FALSE(p.plan.stopping());
    CHECK(p.tasks() == "a/_ succeeded, b/_ ready, c/_ waiting, d/_ skipped, e/_ ready");
    CHECK(p.attempt("b/_") == 2);
    CHECK(p.attempt("e/_") == 2);
    CHECK(p.take_questions().empty());
    p.end("b/_");
    CHECK(p.attempt("c/_") == 1);
    p.end("c/_");
    p.end("e/_");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("budgets and oom counts are fresh after resume") {
    PlanPlay p("a: retry=1");
    p.end("a/_", Cause::oom);
    p.end("a/_", Cause::oom);
    CHECK(p.state("a/_") == "failed");
    p.apply(RunReopened{});
    CHECK(p.plan.oom_count(0) == 0);
    p.end("a/_", Cause::user);
    CHECK(p.state("a/_") == "ready");
    CHECK(p.attempt("a/_") == 4);
}

TEST_CASE("decisions stand: no list and no condition is asked for again") {
    PlanPlay p("a; b: needs a? when foreach each; c: needs b join");
    p.end("a/_");
    p.edges("b/_", {true});
    p.items("b/_", 3);
    p.when("b/0", true);
    p.when("b/1", false);
    p.end("b/0", Cause::user);
    CHECK(p.tasks() == "a/_ succeeded, b/0 failed, b/1 skipped, b/2 cancelled, c/_ blocked");
    p.take_questions();
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_ succeeded, b/0 ready, b/1 skipped, b/2 waiting, c/_ waiting");
    CHECK(p.take_questions() == "when b/2");
    p.when("b/2", true);
    p.end("b/0");
    p.end("b/2");
    CHECK(p.state("c/_") == "ready");
}

TEST_CASE("a decision that failed is made again") {
    PlanPlay p("a: foreach; b: needs a join");
    p.fail_decision(Question::Kind::items, "a/_");
    p.apply(RunReopened{});
    CHECK(p.take_questions() == "items a/_");
    p.items("a/_", 1);
    CHECK(p.tasks() == "a/0 ready, b/_ waiting");
}

TEST_CASE("caught tasks are kept, unless told") {
    PlanPlay p("a: catch; b: needs a; c: needs b");
    p.end("a/_", Cause::user);
    p.end("b/_", Cause::user);
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_ caught, b/_ ready, c/_ waiting");
    p.end("b/_", Cause::user);
    p.apply(RunReopened{true});
    CHECK(p.tasks() == "a/_ ready, b/_ waiting, c/_ waiting");
}

TEST_CASE("clean-up runs again at the new end, and is asked again") {
    PlanPlay p("a; b: needs a; z: cleanup");
    p.end("a/_", Cause::user);
    p.when("z/_", true);
    p.end("z/_");
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_ ready, b/_ waiting, z/_ waiting");
    p.end("a/_");
    p.end("b/_");
    CHECK(p.take_questions() == "when z/_");
    CHECK_FALSE(p.plan.has_failed(2, {}, std::nullopt));
    p.when("z/_", true);
    CHECK(p.attempt("z/_") == 2);
    p.end("z/_");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("clean-up with foreach keeps its list, and is skipped item by item when not wanted any more") {
    PlanPlay p("a; z: foreach cleanup");
    p.end("a/_", Cause::user);
    p.when("z/_", true);
    p.items("z/_", 2);
    p.end("z/0");
    p.end("z/1");
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_ ready, z/0 waiting, z/1 waiting");
    p.end("a/_");
    CHECK(p.take_questions() == "when z/_");
    p.when("z/_", false);
    CHECK(p.tasks() == "a/_ succeeded, z/0 skipped, z/1 skipped");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("a repetition goes on at the round that failed") {
    PlanPlay p("a: repeat=3 until");
    p.end("a/_@1");
    p.until("a/_@1", false);
    p.end("a/_@2", Cause::user);
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_@2 ready");
    CHECK(p.attempt("a/_@2") == 2);
}

TEST_CASE("a round that had succeeded when the run was stopped is not done again") {
    PlanPlay p("a: repeat=3 until; b");
    p.end("a/_@1");
    p.end("b/_", Cause::user);
    CHECK(p.state("a/_@1") == "cancelled");
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_@1 waiting, b/_ ready");
    CHECK(p.take_questions() == "until a/_@1");
}

TEST_CASE("a task whose cancel was asked for before the run was reopened runs again") {
    PlanPlay p("a; b");
    p.take_ready();
    p.start("a/_");
    p.end("b/_", Cause::user);
    CHECK(p.take_cancels() == "a/_");
    p.apply(RunReopened{});
    CHECK(p.state("a/_") == "running");
    p.end("a/_", Cause::cancelled);
    CHECK(p.state("a/_") == "ready");
    CHECK(p.attempt("a/_") == 2);
    CHECK_FALSE(p.plan.stopping());
}

TEST_CASE("an attempt from before counts, although clean-up before it runs again; a later stop finds it") {
    PlanPlay p("a; b: needs a cleanup; c: needs b repeat=3 until");
    p.end("a/_");
    p.when("b/_", true);
    p.end("b/_");
    CHECK(p.state("c/_@1") == "ready");
    p.apply(RunCancelled{});
    p.apply(RunReopened{});
    CHECK(p.tasks() == "a/_ succeeded, b/_ waiting, c/_@1 waiting");
    CHECK(p.apply(TaskEnded{2, {{}, 1}, 1, Cause::none, false}));
    CHECK(p.take_questions() == "when b/_, until c/_@1");
    p.apply(RunTimedOut{});
    CHECK(p.state("c/_@1") == "cancelled");
}

TEST_CASE("a reopened run can be stopped and reopened again") {
    PlanPlay p("a; b: needs a");
    for (int i = 1; i <= 5; ++i) {
        CHECK(p.attempt("a/_") == static_cast<std::uint32_t>(i));
        p.end("a/_", Cause::user);
        CHECK(p.run() == "failed");
        p.apply(RunReopened{});
    }
    p.end("a/_");
    p.end("b/_");
    CHECK(p.run() == "succeeded");
}

}  // namespace amp::test
