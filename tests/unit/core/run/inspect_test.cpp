#include "core/run/inspect.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "core/store/packs.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow =
    "[flow]\nname = 'Tune'\n[params]\nlr = 0.1\n[step.a]\nrun = 'echo {{ params.lr }}'\noutputs = { loss = { "
    "path = 'loss.json', type = 'json' } }\n";

using Names = std::vector<std::string>;

/// Three runs: lr 0.3 (failed), 0.1, 0.2.
struct ThreeRuns {
    FakeWorld world{k_flow};
    Names runs;

    ThreeRuns() {
        for (const char* lr : {"0.3", "0.1", "0.2"}) {
            const bool bad = std::string(lr) == "0.3";
            world.script = [bad](const TaskSpec&) {
                return bad ? fail(Cause::user, 3) : succeed_with({{"loss", value_artifact(0.5)}});
            };
            StartOptions options;
            options.params.given.emplace_back("lr", lr);
            world.clock.advance(60);
            runs.push_back(world.start(options).run);
        }
    }

    Names list(const RunFilter& filter) {
        Names out;
        for (const RunSummary& summary : list_run_summaries(*world.services, world.project, filter)) {
            out.push_back(summary.run);
        }
        return out;
    }
};

}  // namespace

TEST_CASE("the error of a caught task is an artifact like any other") {
    FakeWorld world("[flow]\nname = 'T'\n[step.a]\nrun = 'x'\ncatch = 'oops'\n");
    world.script = [](const TaskSpec&) { return fail(Cause::user, 3); };
    const std::string run = world.start().run;
    const RunView view = view_run(*world.services, world.project, run);
    const Artifact error = find_artifact(view, TaskName::parse("a"), "oops");
    REQUIRE(error.value);
    CHECK(get_int(*error.value, "exit") == 3);
}

TEST_CASE("an order that no run knows is an error") {
    ThreeRuns three;
    CHECK(three.list({.sort = "-params.lr"}).size() == 3);
    CHECK_THROWS_WITH_AS(three.list({.sort = "-params.nope"}), "--sort: no run has 'params.nope'", Error);
}

TEST_CASE("runs are listed newest first, by what one asks for") {
    ThreeRuns three;
    const Names& runs = three.runs;
    CHECK(three.list({}) == Names{runs[2], runs[1], runs[0]});
    CHECK(three.list({.flow = "Tune"}).size() == 3);
    CHECK(three.list({.flow = "Other"}).empty());
    CHECK(three.list({.state = "failed"}) == Names{runs[0]});
    CHECK(three.list({.limit = 1}) == Names{runs[2]});
    CHECK(three.list({.where = "params.lr > 0.15"}) == Names{runs[2], runs[0]});
    CHECK(three.list({.where = "params.lr > 0.15 and state == 'succeeded'"}) == Names{runs[2]});
    CHECK(three.list({.where = "params.momentum > 1"}).empty());
    CHECK(three.list({.sort = "params.lr"}) == Names{runs[1], runs[2], runs[0]});
    CHECK(three.list({.sort = "-params.lr", .limit = 2}) == Names{runs[0], runs[2]});
    tag_run(*three.world.services, three.world.project, runs[1], {"best"}, true);
    CHECK(three.list({.tag = "best"}) == Names{runs[1]});
    CHECK_THROWS_AS(three.list({.where = "params.lr >"}), Error);
}

TEST_CASE("listing says the same without its cache") {
    ThreeRuns three;
    const auto with = three.list({.state = "succeeded"});
    for (const std::string& run : three.runs) {
        three.world.store->remove("runs/" + run + "/summary.json");
    }
    CHECK(three.list({.state = "succeeded"}) == with);
}

TEST_CASE("a run that cannot be read does not hide the others") {
    ThreeRuns three;
    three.world.store->remove("runs/" + three.runs[1] + "/summary.json");
    three.world.store->tamper("runs/" + three.runs[1] + "/run.json", "{broken");
    const auto all = list_run_summaries(*three.world.services, three.world.project, {});
    REQUIRE(all.size() == 3);
    CHECK(all[1].state == "unreadable");
}

TEST_CASE("an artifact is found by name, with a did-you-mean") {
    ThreeRuns three;
    const RunView view = three.world.view();
    const Artifact loss = find_artifact(view, TaskName{"a", {}}, "loss");
    CHECK(artifact_value(*three.world.services, three.world.project, view.run, loss) == Value(0.5));
    try {
        find_artifact(view, TaskName{"a", {}}, "los");
        FAIL("found what is not there");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::not_found);
        CHECK(error.hint().find("loss") != std::string::npos);
    }
    CHECK_THROWS_AS(find_artifact(view, TaskName{"b", {}}, "loss"), Error);
}

TEST_CASE("a list that fails and is caught is seen as one task") {
    FakeWorld world(
        "[flow]\nname = 'L'\n[step.a]\nforeach = \"[int('x')]\"\nrun = 'true'\ncatch = true\n"
        "[step.b]\nneeds = 'a'\njoin = true\nrun = 'true'\n");
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.state("a/_") == "caught");
    CHECK(world.view().tasks.size() == 2);
}

TEST_CASE("a run that died while it was created is not listed, a broken one is") {
    FakeWorld world(k_flow);
    world.start();
    world.store->put("runs/991231-235959-bbbb/run.json.tmp", "x");
    world.store->put("runs/991231-235959-cccc/run.json", "x");
    const auto runs = list_run_summaries(*world.services, world.project, {});
    REQUIRE(runs.size() == 2);
    CHECK(runs[0].state == "unreadable");
    CHECK(runs[1].state == "succeeded");
}

TEST_CASE("steps and tasks that a run has not are told") {
    ThreeRuns three;
    const RunView view = three.world.view();
    check_task(view, "", std::nullopt);
    check_task(view, "a", std::nullopt);
    check_task(view, "a", TaskIndex{});
    CHECK_THROWS_AS(check_task(view, "b", std::nullopt), Error);
    CHECK_THROWS_AS(check_task(view, "a", TaskIndex{{3}, 0}), Error);
}

TEST_CASE("a run that nobody drives is cancelled in its journal") {
    FakeWorld world(k_flow);
    world.waiter.terminate(15);
    const std::string run = world.start().run;
    CHECK(world.view().state == "interrupted");
    world.waiter.calm();
    CHECK(cancel_run(*world.services, world.project, run));
    CHECK(world.view().state == "cancelled");
    CHECK_FALSE(cancel_run(*world.services, world.project, run));
    CHECK(world.resume().state == RunState::succeeded);
}

TEST_CASE("what still runs is not cancelled behind its keeper's back") {
    FakeWorld world(k_flow);
    world.waiter.terminate(15);
    const std::string run = world.start().run;
    world.waiter.calm();
    KeeperLogWriter keeper(world.append_files, run, 7);
    keeper.append("start", Object{{"task", "a/_"}, {"attempt", 1}});
    keeper.flush();
    CHECK_THROWS_AS(cancel_run(*world.services, world.project, run), Error);
    CHECK(world.view().state != "cancelled");
}

TEST_CASE("a run that was just created is pending until its driver comes, or does not") {
    FakeWorld world(k_flow);
    const std::string run = world.start().run;
    Object record = json::parse(world.store->get(layout::run_record(run))->bytes).as_object();
    const std::string other = "991231-235959-bbbb";
    record["run"] = other;
    record["created"] = format_time(world.clock.now());
    CHECK(create_run(*world.store, other, record));
    CHECK(world.view(other).state == "pending");
    world.clock.advance(11);
    CHECK(world.view(other).state == "interrupted");
}

TEST_CASE("logs are told task by task, of the last attempt unless asked") {
    FakeWorld world("[flow]\nname = 'L'\n[step.a]\nforeach = 'range(2)'\nrun = 'true'\nretry = 1\n");
    world.script = [](const TaskSpec& spec) {
        return spec.attempt == 1 && spec.task.index.path[0] == 1 ? fail() : succeed();
    };
    const std::string run = world.start().run;
    PackWriter packs(world.append_files, run, 9);
    const auto write = [&](std::uint32_t item, std::uint32_t attempt, const char* kind, const char* text) {
        packs.append(TaskName{"a", TaskIndex{{item}, 0}}, attempt, kind, text, Timestamp{1000});
    };
    write(1, 1, "log", "first try\n");
    write(0, 1, "log", "hello\n");
    write(1, 2, "log", "second try\n");
    write(0, 1, "value", "[1,2,3]");
    write(0, 1, "note", "dropped 5 bytes");
    const auto told = [&](const LogQuery& query) {
        std::string out;
        read_logs(*world.services, world.project, query, [&](const LogLine& line) {
            out += line.task.text() + ":" + line.bytes + (line.note ? "!" : "");
            return true;
        });
        return out;
    };
    CHECK(told({.run = run}) == "a/0:hello\na/0:dropped 5 bytes!a/1:second try\n");
    CHECK(told({.run = run, .step = "a", .index = TaskIndex{{1}, 0}}) == "a/1:second try\n");
    CHECK(told({.run = run, .attempt = 1}) == "a/0:hello\na/0:dropped 5 bytes!a/1:first try\n");
    CHECK_THROWS_AS(told({.run = run, .attempt = 9}), Error);
    CHECK_THROWS_AS(told({.run = run, .step = "a", .index = TaskIndex{{0}, 0}, .attempt = 2}), Error);
    CHECK_THROWS_AS(told({.run = run, .step = "b"}), Error);
    CHECK_THROWS_AS(told({.run = run, .step = "a", .index = TaskIndex{{7}, 0}}), Error);
}

TEST_CASE("a followed log waits for changes, and looks again only now and then") {
    FakeWorld world(k_flow);
    world.waiter.terminate(15);
    const std::string run = world.start().run;
    world.waiter.calm();
    auto keeper = std::make_unique<KeeperLogWriter>(world.append_files, run, 7);
    keeper->append("start", Object{{"task", "a/_"}, {"attempt", 1}});
    keeper->flush();
    PackWriter packs(world.append_files, run, 9);
    const double begun = world.clock.steady_seconds();
    int idle_waits = 0;
    bool wrote = false;
    world.waiter.at_wait = [&](int) {
        const double now = world.clock.steady_seconds();
        if (now - begun < 100) {
            ++idle_waits;
        } else if (!wrote) {
            wrote = true;
            packs.append(TaskName::parse("a"), 1, "log", "late\n", Timestamp{1000});
        } else if (now - begun > 110) {
            keeper.reset();
        }
    };
    std::string out;
    read_logs(*world.services, world.project, {.run = run, .follow = true}, [&](const LogLine& line) {
        out += line.bytes;
        return true;
    });
    CHECK(out == "late\n");
    CHECK(idle_waits <= 52);
    CHECK(world.clock.steady_seconds() - begun < 115);
}

TEST_CASE("a keeper without a driver is asked, waited for, and its run then cancelled in the journal") {
    FakeWorld world(k_flow);
    world.waiter.terminate(15);
    const std::string run = world.start().run;
    world.waiter.calm();
    auto keeper = std::make_unique<KeeperLogWriter>(world.append_files, run, 7);
    keeper->append("start", Object{{"task", "a/_"}, {"attempt", 1}});
    keeper->flush();
    int asked = 0;
    world.services->ask_cancel = [&](const OpenStore&, const std::string&, const std::string&) {
        ++asked;
        return true;
    };
    world.waiter.at_wait = [&](int n) {
        if (n > 8) {
            keeper.reset();
        }
    };
    CHECK(cancel_run(*world.services, world.project, run));
    CHECK(asked == 1);
    CHECK(world.view().state == "cancelled");
    CHECK(world.state("a/_") == "cancelled");
    world.waiter.at_wait = {};
    CHECK(world.resume().state == RunState::succeeded);
}
