#include "core/run/shell.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/run/holds.hpp"
#include "core/store/lease.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Train"
[params]
lr = 0.1
[step.each]
foreach = "['a', 'b']"
shell = ["sh", "-c"]
run = "each {{ item }}"
[step.one]
run = "one"
outputs = { x = "x" }
[step.after]
needs = "one"
run = "after {{ one.x }}"
)toml";

/// A world whose foreground keeps what it is given, and the script of its command.
struct Stage {
    Stage() : world(k_flow) {
        world.script = [](const TaskSpec& spec) {
            return spec.task.step == "one" ? fail(Cause::user, 3) : succeed();
        };
        world.services->environment["SHELL"] = "/bin/fancy";
        world.services->run_foreground = [this](const OpenStore&, const ForegroundTask& task) {
            ran.push_back(task);
            std::ifstream script(task.folder + "/.amp-command");
            scripts.emplace_back(std::istreambuf_iterator<char>(script), std::istreambuf_iterator<char>());
            AttemptResult result;
            result.cause = Cause::user;
            result.exit = 3;
            return result;
        };
    }
    ShellEnd open(ShellQuery query) {
        query.folder = folder.path() + "/" + std::to_string(tries++);
        return open_shell(*world.services, world.project, query, [](const ShellBegin&) {});
    }
    ExitCode refusal(const ShellQuery& query) {
        try {
            open(query);
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::ok;
    }

    FakeWorld world;
    TempFolder folder;
    std::vector<ForegroundTask> ran;
    std::vector<std::string> scripts;
    int tries = 0;
};

std::string text_of(const LateText& late) {
    std::string text;
    for (const Piece& piece : late) {
        text += piece.text;
    }
    return text;
}

}  // namespace

TEST_CASE("a shell is the user's own, in a folder that goes with it") {
    Stage stage;
    stage.world.start();
    const ShellEnd end = stage.open({.step = "each", .index = TaskIndex{{1}, 0}});
    REQUIRE(stage.ran.size() == 1);
    const ForegroundTask& task = stage.ran.front();
    CHECK(task.shell == "/bin/fancy");
    CHECK(task.spec.argv.empty());
    CHECK(task.spec.hold_s == 0);
    CHECK(task.folder == end.begin.folder);
    CHECK(end.begin.cwd.ends_with("/code"));
    CHECK(end.result.exit == 3);
    CHECK(!end.begin.held_until);
    CHECK(!std::filesystem::exists(end.begin.folder));
    CHECK(task.spec.env.back().first == "AMP_COMMAND");
    CHECK(text_of(task.spec.env.back().second) == task.folder + "/.amp-command");
    CHECK(stage.scripts.front().starts_with("#!/bin/sh\nexec sh -c 'each "));
}

TEST_CASE("one command is what the shell is given") {
    Stage stage;
    stage.world.start();
    stage.open({.step = "one", .command = "ls"});
    REQUIRE(stage.ran.front().spec.argv.size() == 2);
    CHECK(text_of(stage.ran.front().spec.argv[0]) == "-c");
    CHECK(text_of(stage.ran.front().spec.argv[1]) == "ls");
}

TEST_CASE("without a run named, a step of the flow as it is now will do") {
    Stage stage;
    const ShellEnd fresh = stage.open({.any_run = true, .step = "each", .index = TaskIndex{{1}, 0}});
    CHECK(fresh.begin.run.empty());
    CHECK(fresh.begin.cwd == "/project");
    CHECK(stage.refusal({.step = "each", .index = TaskIndex{{1}, 0}}) == ExitCode::not_found);
    CHECK(stage.refusal({.any_run = true, .step = "after"}) != ExitCode::ok);  // it needs what one makes
    stage.world.start();
    CHECK(!stage.open({.any_run = true, .step = "one"}).begin.run.empty());
    stage.world.files.add("/project/flow.toml", std::string(k_flow) + "[step.later]\nrun = \"later\"\n");
    CHECK(stage.open({.any_run = true, .step = "later"}).begin.run.empty());
}

TEST_CASE("what cannot be entered is refused") {
    Stage stage;
    stage.world.start();
    CHECK(stage.refusal({.step = "each"}) == ExitCode::usage);
    CHECK(stage.refusal({.step = "oen"}) == ExitCode::not_found);
    CHECK(stage.refusal({.step = "after"}) == ExitCode::not_found);
    std::string run;
    CHECK_THROWS_AS(free_place(*stage.world.services, stage.world.project, {.step = "one"}, run), Error);
    CHECK(stage.ran.empty());
}

TEST_CASE("a task of a profile elsewhere has its shell there") {
    Stage stage;
    stage.world.project.settings = json::parse(R"({"profile":{"box":{"backend":"ssh","host":"b"}}})", "test");
    stage.world.project.profile = "box";
    stage.world.services->backends.emplace_back("ssh");
    std::vector<FarShell> entered;
    stage.world.services->enter_elsewhere = [&](const OpenStore&, const FarShell& shell) {
        entered.push_back(shell);
        AttemptResult result;
        result.exit = 7;
        return result;
    };
    const std::string run = stage.world.start().run;
    const ShellEnd made = stage.open({.step = "one", .command = "ls"});
    CHECK(made.result.exit == 7);
    CHECK(made.begin.machine == "b");
    REQUIRE(entered.size() == 1);
    CHECK(stage.ran.empty());
    CHECK(entered[0].profile.name == "box");
    CHECK(entered[0].command == "ls");
    REQUIRE(entered[0].made);
    CHECK(entered[0].made->spec.task.step == "one");
    CHECK(entered[0].made->spec.cwd == entered[0].made->project_folder);

    const OpenStore store = stage.world.services->open_store("/project/.amp", false);
    const Lease lease = Lease::acquire(*store.objects, *store.files, stage.world.clock, run, {"box", 1, "x"});
    const Timestamp until = stage.world.clock.now().plus_seconds(100);
    Holds(*stage.world.services, store, run).add({"one/_", 1, "box", until, {}});
    const ShellEnd held = stage.open({.step = "one"});
    REQUIRE(entered.size() == 2);
    CHECK(!entered[1].made);
    CHECK(entered[1].run == run);
    CHECK(entered[1].id == AttemptId{{"one", {}}, 1});
    CHECK(held.begin.held_until == until);
    CHECK(!held.freed);
    end_hold(*store.objects, run, "one/_");
    CHECK(stage.refusal({.step = "one"}) == ExitCode::ok);  // a new one
    CHECK(entered.back().made);
}

TEST_CASE("a hold of a run that nobody drives is none") {
    Stage stage;
    const std::string run = stage.world.start().run;
    const OpenStore store = stage.world.services->open_store("/project/.amp", false);
    Holds(*stage.world.services, store, run)
        .add({"one/_", 1, "", stage.world.clock.now().plus_seconds(100), {}});
    CHECK(read_hold(*store.objects, run, "one/_"));
    CHECK(!stage.open({.step = "one"}).begin.held_until);
}
