#include "cli/progress.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "cli/json_progress.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/cli/captured_output.hpp"

namespace amp {
namespace {

struct Watched {
    explicit Watched(PlainProgress::Settings settings = {}, LogTail tail = {})
        : progress(captured.output, clock, std::move(tail), settings) {}
    std::size_t lines() const {
        return static_cast<std::size_t>(std::count(captured.err.begin(), captured.err.end(), '\n'));
    }

    test::CapturedOutput captured;
    test::FakeClock clock;
    PlainProgress progress;
};

AttemptResult result(const char* task, Cause cause, int exit, Timestamp ended) {
    AttemptResult out;
    out.task = TaskName::parse(task);
    out.cause = cause;
    out.exit = exit;
    out.ended = ended;
    out.started = ended.plus_seconds(-2.5);
    return out;
}

/// The plan of a flow; both live as long as this.
struct Planned {
    explicit Planned(const std::string& text) : flow(load_flow(text, "f", diagnostics)) {}
    void apply(const PlanEvent& event) { plan.apply(event, {}); }

    Diagnostics diagnostics;
    Flow flow;
    Graph graph = build_graph(flow, diagnostics);
    Plan plan{graph, {}};
};

constexpr const char* k_three =
    "[flow]\nname = \"F\"\n[step.a]\nrun = \"true\"\n[step.b]\nrun = \"true\"\n[step.c]\nrun = \"true\"\n";

}  // namespace

TEST_CASE("a small run is told line by line, its id first and alone on standard output") {
    Watched w;
    w.progress.run_started("261120-081530-k3fx", false);
    CHECK(w.captured.out == "261120-081530-k3fx\n");
    w.clock.advance(1);
    w.progress.task_started(TaskName::parse("prepare"), 1, "node7");
    w.clock.advance(2.5);
    w.progress.task_ended(result("prepare", Cause::none, 0, w.clock.now()), TaskState::succeeded,
                          std::nullopt);
    w.progress.task_skipped(TaskName::parse("extra"));
    w.progress.task_reused(TaskName::parse("train/3"), "261120-081530-k3fx/train/3");
    w.progress.run_ended(RunState::succeeded, false, nullptr);
    CHECK(w.captured.err ==
          "08:00:00 run 261120-081530-k3fx started\n"
          "08:00:01 prepare started on node7\n"
          "08:00:03 prepare succeeded after 2.5s\n"
          "08:00:03 extra skipped\n"
          "08:00:03 train/3 reused from run 261120-081530-k3fx\n"
          "08:00:03 run 261120-081530-k3fx succeeded\n");
}

TEST_CASE("a round that succeeded is no failure, whatever comes of it") {
    Watched w(PlainProgress::Settings{}, [](const AttemptResult&) { return std::string("noise\n"); });
    AttemptResult round = result("loop/_@1", Cause::none, 0, w.clock.now());
    round.log = {LogPiece{"p", 0, 6}};
    w.progress.task_ended(round, TaskState::waiting, std::nullopt);
    CHECK(w.captured.err == "08:00:00 loop/_@1 succeeded after 2.5s\n");
}

TEST_CASE("a failure comes with its cause, its last lines and the way to its log") {
    Watched w({}, [](const AttemptResult&) { return "one\ntwo \x1b[2J\n"; });
    w.progress.run_started("r1", true);
    AttemptResult failed = result("train/3", Cause::user, 3, w.clock.now());
    failed.log = {LogPiece{"p", 0, 13}};
    failed.log_bytes = 13;
    w.progress.task_ended(failed, TaskState::retrying, w.clock.now().plus_seconds(60));
    failed.attempt = 2;
    failed.log.clear();
    failed.message = "output 'm' is missing";
    w.progress.task_ended(failed, TaskState::failed, std::nullopt);
    w.progress.run_ended(RunState::failed, false, nullptr);
    CHECK(w.captured.err ==
          "08:00:00 run r1 goes on\n"
          "08:00:00 train/3 failed: user: exit status 3; attempt 2 follows in 1m\n"
          "    | one\n"
          "    | two \\x1b[2J\n"
          "08:00:00 train/3 failed: user: output 'm' is missing\n"
          "    log:    amp logs r1/train/3\n"
          "    replay: amp replay r1/train/3\n"
          "08:00:00 run r1 failed\n"
          "    1 task failed:\n"
          "      train/3: user: output 'm' is missing\n"
          "    go on with: amp resume r1\n");
}

TEST_CASE("of a long log the last twenty lines are told") {
    std::string text;
    for (int i = 0; i < 30; ++i) {
        text += "line " + std::to_string(i) + "\n";
    }
    Watched w({}, [&](const AttemptResult&) { return text; });
    AttemptResult failed = result("a", Cause::user, 1, w.clock.now());
    failed.log = {LogPiece{"p", 0, text.size()}};
    failed.log_bytes = text.size();
    w.progress.task_ended(failed, TaskState::failed, std::nullopt);
    CHECK(w.captured.err.find("| ...\n    | line 10\n") != std::string::npos);
    CHECK(w.captured.err.find("line 9\n") == std::string::npos);
    CHECK(w.captured.err.find("line 29\n") != std::string::npos);
}

TEST_CASE("thousands of tasks are no thousands of lines, but every failure is told") {
    Watched w;
    Planned planned(k_three);
    Plan& plan = planned.plan;
    w.progress.run_started("r1", false);
    for (int i = 0; i < 5000; ++i) {
        const std::string name = "t/" + std::to_string(i);
        const bool fails = i % 1000 == 999;
        w.progress.task_ended(
            result(name.c_str(), fails ? Cause::user : Cause::none, fails ? 1 : 0, w.clock.now()),
            fails ? TaskState::failed : TaskState::succeeded, std::nullopt);
        w.clock.advance(0.001);
        w.progress.progress(plan);
    }
    w.progress.run_ended(RunState::failed, false, nullptr);
    CHECK(w.lines() < 90);
    for (const char* name : {"t/999 failed", "t/4999 failed"}) {
        CHECK(w.captured.err.find(name) != std::string::npos);
    }
    CHECK(w.captured.err.find("lines left out; 'amp show r1' has them all") != std::string::npos);
}

TEST_CASE("after a flood, single lines come back") {
    Watched w;
    for (int i = 0; i < 1000; ++i) {
        w.progress.task_skipped(TaskName::parse("a"));
    }
    CHECK(w.lines() == 60);
    w.clock.advance(1);
    w.progress.task_skipped(TaskName::parse("b"));
    CHECK(w.lines() == 60);
    w.clock.advance(10);
    w.progress.task_skipped(TaskName::parse("c"));
    CHECK(w.lines() == 61);
}

TEST_CASE("what never ran is cancelled after no time") {
    Watched w;
    AttemptResult cancelled = result("a", Cause::cancelled, -1, w.clock.now());
    w.progress.task_ended(cancelled, TaskState::cancelled, std::nullopt);
    cancelled.signal = 15;
    w.progress.task_ended(cancelled, TaskState::cancelled, std::nullopt);
    CHECK(w.captured.err == "08:00:00 a cancelled\n08:00:00 a cancelled after 2.5s\n");
}

TEST_CASE("a line says how far it is when lines are left out, and a sign of life when nothing happens") {
    Watched w;
    Planned planned(k_three);
    Plan& plan = planned.plan;
    w.progress.run_started("r1", false);
    w.clock.advance(6);
    w.progress.progress(plan);
    CHECK(w.lines() == 1);
    w.clock.advance(25);
    w.progress.progress(plan);
    CHECK(w.lines() == 2);
    CHECK(w.captured.err.find("08:00:31 0 of 3 tasks done, 0 running\n") != std::string::npos);
    w.progress.progress(plan);
    CHECK(w.lines() == 2);
}

TEST_CASE("quiet: the id and failures") {
    PlainProgress::Settings quiet;
    quiet.quiet = true;
    Watched w(quiet);
    w.progress.run_started("r1", false);
    w.progress.note("something");
    w.progress.task_started(TaskName::parse("a"), 1, "");
    w.progress.task_ended(result("a", Cause::none, 0, w.clock.now()), TaskState::succeeded, std::nullopt);
    w.clock.advance(100);
    w.progress.progress(Planned(k_three).plan);
    w.progress.run_ended(RunState::succeeded, false, nullptr);
    CHECK(w.captured.out == "r1\n");
    CHECK(w.captured.err.empty());
    w.progress.task_ended(result("a", Cause::user, 1, w.clock.now()), TaskState::failed, std::nullopt);
    CHECK(w.captured.err.find("a failed: user: exit status 1") != std::string::npos);
}

TEST_CASE("an interruption says how to go on") {
    Watched w;
    w.progress.run_started("r1", false);
    w.progress.run_ended(RunState::running, true, nullptr);
    CHECK(w.captured.err.ends_with("run r1 interrupted\n    go on with: amp resume r1\n"));
}

TEST_CASE("events are JSON lines") {
    test::CapturedOutput captured;
    test::FakeClock clock;
    EventLines events(captured.output, clock);
    events.run_started("r1", false);
    events.task_started(TaskName::parse("a"), 1, "here");
    events.task_ended(result("a", Cause::user, 1, clock.now()), TaskState::retrying,
                      clock.now().plus_seconds(1));
    events.note("x");
    events.run_ended(RunState::failed, false, nullptr);
    const std::vector<std::string_view> lines = split(captured.out, '\n');
    REQUIRE(lines.size() == 6);
    const std::vector<std::string> names = {"run_started", "task_started", "task_ended", "note", "run_ended"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const Value event = json::parse(lines[i]);
        CHECK(get_string(event, "event") == names[i]);
        CHECK(get_string(event, "run") == "r1");
        CHECK(get_string(event, "schema") == "amp.event/1");
        CHECK(parse_time(get_string(event, "at")));
    }
    const Value ended = json::parse(lines[2]);
    CHECK(get_string(ended, "state") == "retrying");
    CHECK(get_string(ended, "retry_at") == "2026-10-28T08:00:01.000Z");
    CHECK(get_string(*ended.find("result"), "cause") == "user");
}

TEST_CASE("where a task ran is told when that is not here") {
    PlainProgress::Settings settings;
    settings.host = "desk";
    Watched w(settings);
    w.progress.task_started(TaskName::parse("a"), 1, "desk");
    w.progress.task_started(TaskName::parse("b"), 1, "node7");
    w.progress.task_ended(result("b", Cause::oom, -1, w.clock.now()), TaskState::retrying, w.clock.now());
    w.progress.task_ended(result("a", Cause::oom, -1, w.clock.now()), TaskState::retrying, w.clock.now());
    CHECK(w.captured.err ==
          "08:00:00 a started\n"
          "08:00:00 b started on node7\n"
          "08:00:00 b failed: oom on node7; attempt 2 follows\n"
          "08:00:00 a failed: oom; attempt 2 follows\n");
}

TEST_CASE("a step of several tasks that is done is told once, also in a flood") {
    Watched w;
    Planned p(
        "[flow]\nname = \"F\"\n[step.a]\nforeach = \"range(2)\"\nrun = \"true\"\n[step.b]\nrun = \"true\"\n");
    p.plan.take_questions(10);
    p.apply(ItemsDecided{0, {}, 2});
    REQUIRE(p.plan.take_ready(10).size() == 3);
    for (std::uint32_t i = 0; i < 2; ++i) {
        p.apply(TaskStarted{0, {{i}, 0}, 1});
        p.apply(TaskEnded{0, {{i}, 0}, 1});
        w.progress.task_ended(result(i == 0 ? "a/0" : "a/1", Cause::none, 0, w.clock.now()),
                              TaskState::succeeded, std::nullopt);
        w.progress.progress(p.plan);
        w.progress.progress(p.plan);
    }
    p.apply(TaskStarted{1, {}, 1});
    p.apply(TaskEnded{1, {}, 1});
    w.progress.task_ended(result("b", Cause::none, 0, w.clock.now()), TaskState::succeeded, std::nullopt);
    w.progress.progress(p.plan);
    CHECK(w.captured.err ==
          "08:00:00 a/0 succeeded after 2.5s\n"
          "08:00:00 a/1 succeeded after 2.5s\n"
          "08:00:00 step a done: 2 succeeded\n"
          "08:00:00 b succeeded after 2.5s\n");
}

TEST_CASE("a heartbeat comes only after silence") {
    PlainProgress::Settings settings;
    settings.heartbeat_s = 10;
    Watched w(settings);
    Planned p(k_three);
    w.progress.run_started("r1", false);
    CHECK(w.progress.patience_s() == 5);
    w.clock.advance(9);
    CHECK(w.progress.patience_s() == doctest::Approx(1));
    w.progress.note("something");
    w.clock.advance(9);
    w.progress.progress(p.plan);
    CHECK(w.lines() == 2);
    w.clock.advance(1);
    CHECK(w.progress.patience_s() == 5);  // who waits for its turn must not spin
    w.progress.progress(p.plan);
    CHECK(w.captured.err.ends_with("08:00:19 0 of 3 tasks done, 0 running\n"));
}

TEST_CASE("machines that follow can fold the log of a failure away") {
    AttemptResult failed = result("train/3", Cause::user, 3, {});
    failed.log = {LogPiece{"p", 0, 4}};
    failed.log_bytes = 12;
    PlainProgress::Settings settings;
    settings.folds = PlainProgress::Folds::github;
    Watched github(settings, [](const AttemptResult&) { return "::error::no\n"; });
    github.progress.task_ended(failed, TaskState::failed, std::nullopt);
    CHECK(github.captured.err.find("\n::group::log of train/3\n    | ::error::no\n::endgroup::\n") !=
          std::string::npos);
    settings.folds = PlainProgress::Folds::gitlab;
    failed.log_bytes = 3;
    Watched gitlab(settings, [](const AttemptResult&) { return "no\n"; });
    gitlab.progress.task_ended(failed, TaskState::failed, std::nullopt);
    CAPTURE(gitlab.captured.err);
    CHECK(gitlab.captured.err.find(
              "\n\x1b[0Ksection_start:1793174400:amp_1[collapsed=true]\r\x1b[0Klog of train/3\n    | no\n"
              "\x1b[0Ksection_end:1793174400:amp_1\r\x1b[0K\n") != std::string::npos);
}

TEST_CASE("of a log's line that was overwritten the last is told, and its colours only in colour") {
    for (const bool color : {false, true}) {
        CAPTURE(color);
        test::CapturedOutput captured(Presentation{false, color});
        test::FakeClock clock;
        PlainProgress progress(captured.output, clock,
                               [](const AttemptResult&) { return "10 %\r\x1b[31m20 %\x1b[0m\r\nplain\n"; },
                               {});
        AttemptResult failed = result("a", Cause::user, 1, {});
        failed.log = {LogPiece{"p", 0, 4}};
        progress.task_ended(failed, TaskState::failed, std::nullopt);
        CHECK(captured.err.find("10 %") == std::string::npos);
        CHECK((captured.err.find('\x1b') != std::string::npos) == color);
        CHECK((captured.err.find("    | 20 %\n    | plain\n") != std::string::npos) == !color);
    }
}

TEST_CASE("the end says how it went, which failed and why, and how to go on") {
    Watched w;
    Planned p("[flow]\nname = \"F\"\n[step.a]\nforeach = \"range(7)\"\nrun = \"true\"\n");
    w.progress.run_started("r1", false);
    p.plan.take_questions(10);
    p.apply(ItemsDecided{0, {}, 7});
    for (std::uint32_t i = 0; i < 7; ++i) {
        const TaskIndex index{{i}, 0};
        p.plan.take_ready(1);
        p.apply(TaskStarted{0, index, 1});
        p.apply(TaskEnded{0, index, 1, Cause::user});
        w.progress.task_ended(result(("a/" + std::to_string(i)).c_str(), Cause::user, 3, w.clock.now()),
                              TaskState::failed, std::nullopt);
    }
    w.clock.advance(2.5);
    w.captured.err.clear();
    w.progress.run_ended(RunState::failed, false, &p.plan);
    CHECK(w.captured.err.starts_with("08:00:02 run r1 failed after 2.5s: "));
    CHECK(
        w.captured.err.ends_with("    7 tasks failed:\n"
                                 "      a/0: user: exit status 3\n"
                                 "      a/1: user: exit status 3\n"
                                 "      a/2: user: exit status 3\n"
                                 "      a/3: user: exit status 3\n"
                                 "      a/4: user: exit status 3\n"
                                 "      and 2 more: amp show r1\n"
                                 "    go on with: amp resume r1\n"));
}

}  // namespace amp
