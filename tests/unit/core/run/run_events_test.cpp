#include "core/run/run_events.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"
#include "core/flow/load.hpp"

using namespace amp;

namespace {

Graph two_steps() {
    Diagnostics diagnostics;
    const std::string text =
        "[flow]\nname = 'T'\n[step.prepare]\nrun = 'true'\n[step.train]\nneeds = 'prepare'\nrun = 'true'\n";
    const Graph graph = build_graph(load_flow(text, "flow.toml", diagnostics), diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    return graph;
}

/// Through the text of a journal and back.
RunEvent reread(const RunEvent& event, const Graph& graph) {
    const JournalEntry entry = journal_entry(event, graph);
    const auto read = run_event_from(Record{1, 1, entry.type, json::parse(json::dump(entry.payload))}, graph);
    REQUIRE(read);
    return *read;
}

}  // namespace

TEST_CASE("every event comes back from the journal as it was") {
    const Graph graph = two_steps();
    const Timestamp at{1'790'000'000'123};
    const TaskIndex index{{3, 0}, 0};

    SUBCASE("edges") {
        const auto read = reread({.event = EdgesDecided{1, index, {true, false, true}}, .at = at}, graph);
        const auto& event = std::get<EdgesDecided>(read.event);
        CHECK(event.step == 1);
        CHECK(event.index == index);
        CHECK(event.open == std::vector<bool>{true, false, true});
        CHECK(read.at == at);
    }
    SUBCASE("when") {
        CHECK_FALSE(
            std::get<WhenDecided>(reread({.event = WhenDecided{1, index, false}, .at = at}, graph).event)
                .open);
        CHECK(std::get<WhenDecided>(reread({.event = WhenDecided{1, index, true}, .at = at}, graph).event)
                  .open);
    }
    SUBCASE("items, with their values") {
        const List items{Value("a"), Value(2), Value(Object{{"k", 1.5}})};
        const auto read = reread({.event = ItemsDecided{0, {}, 3}, .at = at, .items = items}, graph);
        CHECK(std::get<ItemsDecided>(read.event).count == 3);
        CHECK(read.items == items);
    }
    SUBCASE("until, with its round") {
        const auto read = reread({.event = UntilDecided{1, TaskIndex{{4}, 2}, true}, .at = at}, graph);
        CHECK(std::get<UntilDecided>(read.event).index == TaskIndex{{4}, 2});
        CHECK(std::get<UntilDecided>(read.event).done);
    }
    SUBCASE("a failed decision") {
        const Question question{Question::Kind::items, 1, index};
        const auto read = reread({.event = DecisionFailed{question}, .at = at, .message = "no list"}, graph);
        CHECK(std::get<DecisionFailed>(read.event).question == question);
        CHECK(read.message == "no list");
    }
    SUBCASE("a wait, its end, and one in vain") {
        const auto began = reread({.event = WaitBegan{1, index}, .at = at, .message = "approval"}, graph);
        CHECK(std::get<WaitBegan>(began.event).index == index);
        CHECK(began.message == "approval");
        const auto over = reread({.event = WaitEnded{1, index}, .at = at, .from = "ann: fine"}, graph);
        CHECK(std::get<WaitEnded>(over.event).index == index);
        CHECK(over.from == "ann: fine");
        const Question question{Question::Kind::wait, 1, index};
        const auto vain = reread({.event = DecisionFailed{question, Cause::timeout}, .at = at}, graph);
        CHECK(std::get<DecisionFailed>(vain.event).question == question);
        CHECK(std::get<DecisionFailed>(vain.event).cause == Cause::timeout);
    }
    SUBCASE("a start") {
        CHECK(std::get<TaskStarted>(reread({.event = TaskStarted{1, index, 4}, .at = at}, graph).event)
                  .attempt == 4);
    }
    SUBCASE("a reused task, with its artifacts") {
        Artifact artifact;
        artifact.value = Value(0.25);
        artifact.sha256 = std::string(64, 'a');
        artifact.size_bytes = 4;
        const auto read = reread({.event = TaskReused{1, index},
                                  .at = at,
                                  .definition = "d",
                                  .artifacts = {{"loss", artifact}},
                                  .from = "R/train/0"},
                                 graph);
        CHECK(std::holds_alternative<TaskReused>(read.event));
        CHECK(read.artifacts.at("loss") == artifact);
        CHECK(read.definition == "d");
        CHECK(read.from == "R/train/0");
    }
    SUBCASE("a returned task, a cancel, a timeout, a new opening") {
        CHECK(
            std::get<TaskReturned>(reread({.event = TaskReturned{1, index}, .at = at}, graph).event).index ==
            index);
        CHECK(std::holds_alternative<RunCancelled>(reread({.event = RunCancelled{}, .at = at}, graph).event));
        CHECK(std::holds_alternative<RunTimedOut>(reread({.event = RunTimedOut{}, .at = at}, graph).event));
        CHECK(
            std::get<RunReopened>(reread({.event = RunReopened{true}, .at = at}, graph).event).retry_caught);
    }
}

TEST_CASE("the end of an attempt keeps everything that is known of it") {
    const Graph graph = two_steps();
    AttemptResult result;
    result.task = TaskName{"train", TaskIndex{{7}, 0}};
    result.attempt = 3;
    result.cause = Cause::oom;
    result.exit = -1;
    result.signal = 9;
    result.message = "killed by signal 9 (KILL)";
    result.started = Timestamp{1000};
    result.ended = Timestamp{2500};
    result.log = {LogPiece{"runs/R/packs/00000001-00000001", 10, 20}};
    result.log_bytes = 20;
    const auto read = reread({.event = TaskEnded{1, result.task.index, 3, Cause::oom, false},
                              .at = result.ended,
                              .result = result,
                              .log_tail = "Killed\n"},
                             graph);
    const auto& event = std::get<TaskEnded>(read.event);
    CHECK(event.step == 1);
    CHECK(event.index == result.task.index);
    CHECK(event.attempt == 3);
    CHECK(event.cause == Cause::oom);
    CHECK_FALSE(event.never_retry);
    CHECK(read.log_tail == "Killed\n");
    CHECK(read.result->message == result.message);
    CHECK(read.result->log == result.log);
    CHECK(read.at == result.ended);
}

TEST_CASE("exit 202 is remembered as final") {
    const Graph graph = two_steps();
    AttemptResult result;
    result.task = TaskName{"prepare", {}};
    result.cause = Cause::user;
    result.exit = 202;
    const auto read = reread({.event = TaskEnded{0, {}, 1, Cause::user, true}, .result = result}, graph);
    CHECK(std::get<TaskEnded>(read.event).never_retry);
}

TEST_CASE("records of steps or kinds that we do not know are left out") {
    const Graph graph = two_steps();
    CHECK_FALSE(run_event_from(Record{1, 1, "when", Object{{"task", "gone/_"}, {"open", true}}}, graph));
    CHECK_FALSE(run_event_from(Record{1, 1, "of_a_newer_amp", Object{}}, graph));
}

TEST_CASE("the end of a run is a record of its own") {
    const JournalEntry entry = journal_entry(RunEndRecord{RunState::cancelled, true, Timestamp{42'000}});
    const auto end = run_end_from(Record{1, 1, entry.type, entry.payload});
    REQUIRE(end);
    CHECK(end->state == RunState::cancelled);
    CHECK(end->code_changed);
    CHECK(end->at == Timestamp{42'000});
}
