#include "cli/live_progress.hpp"

#include <doctest/doctest.h>

#include "core/flow/load.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/cli/captured_output.hpp"

namespace amp {
namespace {

struct FakeTerminal : LiveTerminal {
    FrameSize size() const override { return {80, 24}; }
    bool is_ours() const override { return ours; }
    bool takes_more() const override { return open; }
    bool was_stopped() override { return std::exchange(stopped, false); }
    bool ours = true;
    bool open = true;
    bool stopped = false;
};

/// A run of a step of many tasks, as it is told on a terminal.
struct Live {
    explicit Live(LiveProgress::View view = {false, true}, const std::string& keys = "")
        : view_(view),
          flow(load_flow("[flow]\nname = \"F\"\n[step.a]\nforeach = \"range(9)\"\nrun = \"true\"\n" + keys,
                         "f", diagnostics)) {
        plan.take_questions(9);
    }

    void items(std::uint32_t count) { plan.apply(ItemsDecided{0, {}, count}, {}); }
    void start(std::uint32_t i) {
        plan.take_ready(1);
        plan.apply(TaskStarted{0, {{i}, 0}, 1}, clock.now());
        progress.task_started({"a", {{i}, 0}}, 1, "");
    }
    void end(std::uint32_t i, double took_s, Cause cause = Cause::none) {
        plan.apply(TaskEnded{0, {{i}, 0}, 1, cause}, clock.now());
        AttemptResult result;
        result.task = {"a", {{i}, 0}};
        result.cause = cause;
        result.exit = cause == Cause::none ? 0 : 1;
        result.ended = clock.now();
        result.started = clock.now().plus_seconds(-took_s);
        progress.task_ended(result, cause == Cause::none ? TaskState::succeeded : TaskState::failed,
                            std::nullopt);
    }
    /// What is written meanwhile.
    std::string written(const std::function<void()>& what) {
        captured.err.clear();
        what();
        return captured.err;
    }
    std::string tick() {
        return written([this] { progress.progress(plan); });
    }

    LiveProgress::View view_;
    Diagnostics diagnostics;
    Flow flow;
    Graph graph = build_graph(flow, diagnostics);
    Plan plan{graph, {}};
    test::CapturedOutput captured{Presentation{false, false, true, true}};
    test::FakeClock clock;
    std::unique_ptr<FakeTerminal> made = std::make_unique<FakeTerminal>();
    FakeTerminal& terminal = *made;
    std::set<AttemptKey> asked;
    LiveProgress progress{captured.output,
                          clock,
                          {},
                          {},
                          view_,
                          std::move(made),
                          [this](const std::string& /*run*/, const std::set<AttemptKey>& attempts) {
                              asked = attempts;
                              return std::map<AttemptKey, std::shared_ptr<const TaskReport>>();
                          }};
};

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("frames come when something changed, at most ten a second, and once a second for the clock") {
    Live live;
    live.items(4);
    live.progress.run_started("r1", false);
    CHECK(has(live.tick(), "total"));
    live.start(0);
    CHECK(live.tick().empty());
    CHECK(live.progress.patience_s() == doctest::Approx(0.1));
    live.clock.advance(0.1);
    CHECK(has(live.tick(), "0/4  1 running"));
    live.clock.advance(0.5);
    CHECK(live.tick().empty());
    CHECK(live.progress.patience_s() == doctest::Approx(0.5));
    live.clock.advance(0.5);
    CHECK(live.progress.patience_s() > 0);  // also when it is due: who waits for its turn must not spin
    CHECK(has(live.tick(), "a/0  1s"));
}

TEST_CASE("what goes well is not told line by line; failures are, above the region") {
    Live live;
    live.items(4);
    live.progress.run_started("r1", false);
    live.start(0);
    live.start(1);
    live.clock.advance(0.1);
    live.tick();
    CHECK(live.written([&] { live.end(0, 0.1); }).empty());
    live.clock.advance(0.1);
    const std::string failed = live.written([&] { live.end(1, 0.1, Cause::oom); });
    CHECK(has(failed, "\x1b[J08:00:00 a/1 failed: oom: exit status 1\n"));
    CHECK(failed.ends_with("\x1b[?25h"));  // and the region below it again
    const std::string end =
        live.written([&] { live.progress.run_ended(RunState::failed, false, &live.plan); });
    CHECK(end.starts_with("\x1b["));
    CHECK(has(end, "\x1b[J08:00:00 run r1 failed after 200ms: "));
    CHECK(end.ends_with("go on with: amp resume r1\n"));
}

TEST_CASE("many failures at once are few frames, and none is lost") {
    for (const bool notebook : {false, true}) {
        CAPTURE(notebook);
        Live live({notebook, true});
        live.items(9);
        live.progress.run_started("r1", false);
        for (std::uint32_t i = 0; i < 9; ++i) {
            live.start(i);
        }
        live.tick();
        std::size_t frames = 0;
        std::string all;
        for (std::uint32_t i = 0; i < 9; ++i) {
            const std::string one = live.written([&] {
                live.end(i, 0.1, Cause::user);
                live.progress.progress(live.plan);
            });
            frames += one.empty() ? 0 : 1;
            all += one;
            live.clock.advance(0.001);
        }
        CHECK(frames <= 1);
        CHECK(live.progress.patience_s() <= 0.5);
        live.clock.advance(0.5);
        all += live.tick();
        for (int i = 0; i < 9; ++i) {
            CHECK(has(all, "a/" + std::to_string(i) + " failed: user: exit status 1\n"));
        }
        CHECK(has(all, "9 failed"));
    }
}

TEST_CASE("the time left is told when there is a basis for it, and never below zero") {
    Live live;
    live.items(5);
    live.progress.run_started("r1", false);
    live.start(0);
    live.clock.advance(10);
    CHECK(!has(live.tick(), "~"));
    live.end(0, 10);
    live.start(1);
    live.clock.advance(1);
    CHECK(has(live.tick(), "~39s"));
    live.clock.advance(100);
    CHECK(has(live.tick(), "~30s"));
}

TEST_CASE("what others wrote takes one line each") {
    Live live;
    live.items(3);
    live.progress.run_started("r1", false);
    live.start(0);
    live.progress.task_started({"a", {{0}, 0}}, 1, "a host\nof\tlines");
    live.clock.advance(0.1);
    const std::string drawn = live.tick();
    CHECK(has(drawn, "a host of lines"));
    CHECK(std::count(drawn.begin(), drawn.end(), '\n') == 4);  // an empty one, the step, the total, the task
}

TEST_CASE("the tasks that are shown are those that are asked how far they are") {
    Live live;
    live.items(60);
    live.progress.run_started("r1", false);
    for (std::uint32_t i = 60; i-- > 0;) {
        live.progress.task_started({"a", {{i}, 0}}, 1, "");
        live.clock.advance(0.01);
    }
    live.clock.advance(2);
    live.tick();
    REQUIRE(live.asked.size() == 50);
    CHECK(live.asked.contains(AttemptKey{TaskName{"a", TaskIndex{{59}, 0}}, 1}));
    CHECK_FALSE(live.asked.contains(AttemptKey{TaskName{"a", TaskIndex{{0}, 0}}, 1}));
}

TEST_CASE("the result on standard output, in the same terminal, makes the region go") {
    Live live;
    live.items(1);
    live.progress.run_started("r1", false);
    live.tick();
    CHECK(live.written([&] {
        live.captured.output.result("x\n");
        live.captured.output.flush();
    }) == "\x1b[3A\r\x1b[J");
}

TEST_CASE("who was stopped begins below what others wrote") {
    Live live;
    live.items(1);
    live.progress.run_started("r1", false);
    CHECK(!live.tick().empty());
    live.terminal.stopped = true;
    live.clock.advance(1);
    CHECK(!has(live.tick(), "A\r"));
    live.clock.advance(1);
    CHECK(has(live.tick(), "\x1b[3A\r"));
}

TEST_CASE("in the background, or before a stopped terminal, nothing is drawn") {
    Live live;
    live.items(1);
    live.progress.run_started("r1", false);
    live.terminal.ours = false;
    CHECK(live.tick().empty());
    CHECK(live.written([&] { live.progress.note("x"); }) == "08:00:00 note: x\n");
    live.terminal.ours = true;
    live.terminal.open = false;
    live.clock.advance(1);
    CHECK(live.tick().empty());
    live.terminal.open = true;
    live.clock.advance(1);
    CHECK(!live.tick().empty());
}

TEST_CASE("what waits is told until it does not: here for its next attempt") {
    Live live({false, true}, "retry = { times = 1, delay = \"10s\" }\n");
    live.items(1);
    live.progress.run_started("r1", false);
    live.start(0);
    live.clock.advance(1);
    live.plan.apply(TaskEnded{0, {{0}, 0}, 1, Cause::user}, live.clock.now());
    REQUIRE(live.plan.state(*live.plan.find(0, {{0}, 0})) == TaskState::retrying);
    AttemptResult result;
    result.task = {"a", {{0}, 0}};
    result.cause = Cause::user;
    result.ended = live.clock.now();
    live.progress.task_ended(result, TaskState::retrying, live.clock.now().plus_seconds(10));
    CHECK(has(live.tick(), "    a/0  0s  attempt 2 follows at 08:00:11"));
    live.clock.advance(11);
    live.plan.advance(live.clock.now());
    CHECK(!has(live.tick(), "follows"));
}

TEST_CASE("a notebook sees one line, and a table in the end") {
    Live live({true, true});
    live.items(2);
    live.progress.run_started("r1", false);
    CHECK(live.tick() == "\r0 of 2 tasks done, 0 running, 0s");
    live.start(0);
    live.clock.advance(1);
    live.end(0, 1);
    CHECK(live.tick() == "\r1 of 2 tasks done, 0 running, 1s");
    const std::string end =
        live.written([&] { live.progress.run_ended(RunState::cancelled, false, &live.plan); });
    CHECK(end ==
          "\r                                \rSTEP  TASKS  STATES\na         2  1 ready, 1 succeeded\n"
          "08:00:01 run r1 cancelled after 1.0s: 1 ready, 1 succeeded\n");
}

}  // namespace amp
