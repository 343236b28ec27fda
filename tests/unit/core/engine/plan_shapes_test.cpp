// Stacks, joins, conditions: flow-format.md, section 2, a rule a test.

#include <doctest/doctest.h>

#include "tests/support/plan_play.hpp"

namespace amp::test {

TEST_CASE("steps without needs are ready at once; a chain runs in order") {
    PlanPlay p("a; b: needs a; c");
    CHECK(p.run() == "pending");
    CHECK(p.tasks() == "a/_ ready, b/_ waiting, c/_ ready");
    CHECK(p.take_ready() == "a/_ c/_");
    p.end("a/_");
    CHECK(p.run() == "running");
    CHECK(p.take_ready() == "b/_");
    p.end("b/_");
    p.end("c/_");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("a flow without steps has succeeded") {
    CHECK(PlanPlay("").run() == "succeeded");
}

TEST_CASE("a foreach runs once an item, and what needs it pairs by index") {
    PlanPlay p("a: foreach; b: needs a; c: needs b,a");
    CHECK(p.take_questions() == "items a/_");
    CHECK(p.take_questions().empty());
    p.items("a/_", 2);
    CHECK(p.tasks() == "a/0 ready, a/1 ready, b/0 waiting, b/1 waiting, c/0 waiting, c/1 waiting");
    p.end("a/1");
    CHECK(p.state("b/1") == "ready");
    CHECK(p.state("b/0") == "waiting");
    p.end("b/1");
    CHECK(p.state("c/1") == "ready");
    CHECK(p.plan.item_count(0, {}) == 2);
}

TEST_CASE("a plain need is shared by all items, also of inner foreaches") {
    PlanPlay p("a: foreach; b; c: needs a foreach; d: needs c,b");
    p.items("a/_", 2);
    p.end("a/0");
    p.items("c/0", 2);
    p.end("c/0.0");
    CHECK(p.state("d/0.0") == "waiting");
    p.end("b/_");
    CHECK(p.state("d/0.0") == "ready");
    CHECK(p.state("d/0.1") == "waiting");
    p.end("c/0.1");
    CHECK(p.state("d/0.1") == "ready");
    p.end("a/1");
    p.items("c/1", 1);
    p.end("c/1.0");
    CHECK(p.state("d/1.0") == "ready");
}

TEST_CASE("a join runs when all items have ended") {
    PlanPlay p("a: foreach; b: needs a; c: needs b join");
    p.items("a/_", 2);
    p.end("a/0");
    p.end("a/1");
    p.end("b/1");
    CHECK(p.state("c/_") == "waiting");
    p.end("b/0");
    CHECK(p.state("c/_") == "ready");
}

TEST_CASE("a join closes the innermost foreach; one in the outer is paired by its index") {
    PlanPlay p("a: foreach; b: needs a foreach; c: needs b,a join");
    p.items("a/_", 2);
    p.end("a/0");
    p.items("b/0", 2);
    p.end("b/0.0");
    p.end("b/0.1");
    CHECK(p.state("c/0") == "ready");
    CHECK(p.state("c/1") == "waiting");
}

TEST_CASE("a join of two foreaches closes both") {
    PlanPlay p("a: foreach; b: foreach; c; d: needs a,b,c join");
    p.items("a/_", 1);
    p.items("b/_", 1);
    p.end("a/0");
    p.end("c/_");
    CHECK(p.state("d/_") == "waiting");
    p.end("b/0");
    CHECK(p.state("d/_") == "ready");
}

TEST_CASE("a join may close several levels at once") {
    PlanPlay p(
        "a: foreach; b: needs a foreach; c: needs b; d: needs c join=a; e: needs c join; f: needs e join");
    p.items("a/_", 2);
    p.end("a/0");
    p.end("a/1");
    p.items("b/0", 1);
    p.items("b/1", 0);
    CHECK(p.state("e/1") == "ready");
    p.end("b/0.0");
    CHECK(p.state("d/_") == "waiting");
    p.end("c/0.0");
    CHECK(p.state("d/_") == "ready");
    CHECK(p.state("e/0") == "ready");
    CHECK(p.state("f/_") == "waiting");
    p.end("e/0");
    p.end("e/1");
    CHECK(p.state("f/_") == "ready");
}

TEST_CASE("a foreach over nothing still runs its join") {
    PlanPlay p("a: foreach; b: needs a; c: needs b join");
    p.items("a/_", 0);
    CHECK(p.tasks() == "c/_ ready");
    CHECK(p.plan.item_count(0, {}) == 0);
    p.end("c/_");
    CHECK(p.run() == "succeeded");
}

TEST_CASE("a foreach with all items skipped still runs its join") {
    PlanPlay p("a: foreach each; b: needs a; c: needs b join");
    p.items("a/_", 2);
    CHECK(p.take_questions() == "when a/0, when a/1");
    p.when("a/0", false);
    p.when("a/1", false);
    CHECK(p.tasks() == "a/0 skipped, a/1 skipped, b/0 skipped, b/1 skipped, c/_ ready");
}

TEST_CASE("when the foreach step itself is skipped, its join is skipped") {
    PlanPlay p("a: foreach when; b: needs a; c: needs b join; d: needs c");
    CHECK(p.take_questions() == "when a/_");
    p.when("a/_", false);
    CHECK(p.tasks() == "a/_ skipped, c/_ skipped, d/_ skipped");
    CHECK(p.plan.counts(1)[static_cast<std::size_t>(TaskState::skipped)] == 1);
    CHECK(p.plan.item_count(0, {}) == std::nullopt);
    CHECK(p.run() == "succeeded");
}

TEST_CASE("inner foreaches that are all skipped leave the outer join its empty lists") {
    PlanPlay p("a: foreach; b: needs a foreach when; c: needs b join=a; d: needs b join");
    p.items("a/_", 1);
    p.end("a/0");
    p.when("b/0", false);
    CHECK(p.state("c/_") == "ready");
    CHECK(p.state("d/0") == "skipped");
}

TEST_CASE("when of a foreach is asked before its list, or once an item if it mentions the item") {
    PlanPlay p("a: foreach when; b: foreach each");
    CHECK(p.take_questions() == "when a/_, items b/_");
    p.when("a/_", true);
    CHECK(p.take_questions() == "items a/_");
    p.items("b/_", 1);
    CHECK(p.take_questions() == "when b/0");
}

TEST_CASE("a step is skipped when all its needs are skipped; a static join goes on without some") {
    PlanPlay p("a: when; b; c: needs a; d: needs c,b; e: needs c,a");
    p.when("a/_", false);
    CHECK(p.tasks() == "a/_ skipped, b/_ ready, c/_ skipped, d/_ waiting, e/_ skipped");
    p.end("b/_");
    CHECK(p.state("d/_") == "ready");
}

TEST_CASE("conditions on edges: closed ones count as skipped needs, and are asked before when") {
    PlanPlay p("a; b: needs a?; c: needs a?; d: needs b,c; e: needs a?,b when");
    p.end("a/_");
    CHECK(p.take_questions() == "edges b/_, edges c/_");
    p.edges("b/_", {false});
    p.edges("c/_", {true});
    CHECK(p.state("b/_") == "skipped");
    CHECK(p.state("c/_") == "ready");
    CHECK(p.take_questions() == "edges e/_");
    p.edges("e/_", {true, true});
    CHECK(p.take_questions() == "when e/_");
    p.when("e/_", true);
    p.end("c/_");
    CHECK(p.state("d/_") == "ready");
    CHECK(p.state("e/_") == "ready");
}

TEST_CASE("a condition on a need that was skipped is not asked") {
    PlanPlay p("a: when; b; c: needs a?,b");
    p.when("a/_", false);
    p.end("b/_");
    CHECK(p.state("c/_") == "ready");
}

TEST_CASE("a decision that cannot be made fails its task, cause user; it is caught where the step catches") {
    PlanPlay p("a: when; b: foreach catch; c: needs b join; d: needs b", {.keep_going = true});
    CHECK(p.fail_decision(Question::Kind::when, "a/_"));
    CHECK(p.state("a/_") == "failed");
    CHECK(p.plan.cause(*p.plan.find(0, {})) == Cause::user);
    CHECK(p.fail_decision(Question::Kind::items, "b/_"));
    CHECK(p.tasks() == "a/_ failed, b/_ caught, c/_ ready");
}

TEST_CASE("a foreach whose list cannot be made fails as a whole and blocks its join") {
    PlanPlay p("a: foreach; b: needs a; c: needs b join", {.keep_going = true});
    p.fail_decision(Question::Kind::items, "a/_");
    CHECK(p.tasks() == "a/_ failed, c/_ blocked");
    CHECK(p.plan.counts(1)[static_cast<std::size_t>(TaskState::blocked)] == 1);
    CHECK(p.run() == "failed");
}

TEST_CASE("ready tasks by priority, then first come; a step's limit counts queued and running") {
    PlanPlay p("a: foreach limit=2; b: priority=5; c");
    p.items("a/_", 4);
    CHECK(p.take_ready(2) == "b/_ c/_");
    CHECK(p.take_ready() == "a/0 a/1");
    p.start("a/1");
    CHECK(p.take_ready().empty());
    p.end("a/1");
    CHECK(p.take_ready() == "a/2");
}

TEST_CASE("chains of ten thousand steps need no stack") {
    std::string text = "s0: when";
    for (int i = 1; i < 10'000; ++i) {
        text += "; s" + std::to_string(i) + ": needs s" + std::to_string(i - 1);
    }
    PlanPlay p(text);
    p.when("s0/_", false);
    CHECK(p.run() == "succeeded");
    CHECK(p.plan.totals()[static_cast<std::size_t>(TaskState::skipped)] == 10'000);
}

TEST_CASE("events that do not fit are ignored") {
    PlanPlay p("a; b: foreach");
    CHECK_FALSE(p.apply(TaskEnded{7, {}, 1, Cause::none, false}));
    CHECK_FALSE(p.apply(TaskEnded{0, {{3}, 0}, 1, Cause::none, false}));
    CHECK_FALSE(p.apply(TaskEnded{0, {}, 2, Cause::none, false}));
    CHECK_FALSE(p.apply(TaskEnded{0, {{}, 1}, 1, Cause::none, false}));
    CHECK_FALSE(p.apply(TaskEnded{1, {}, 1, Cause::none, false}));
    CHECK_FALSE(p.apply(UntilDecided{0, {}, true}));
    CHECK_FALSE(p.items("a/_", 2));
    CHECK(p.items("b/_", 1));
    CHECK_FALSE(p.items("b/_", 2));
    CHECK(p.end("a/_"));
    CHECK_FALSE(p.apply(TaskEnded{0, {}, 1, Cause::none, false}));
    CHECK_FALSE(p.apply(TaskStarted{0, {}, 1}));
}

}  // namespace amp::test
