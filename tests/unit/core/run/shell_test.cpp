#include "core/run/shell.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/error.hpp"
#include "core/run/holds.hpp"
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

TEST_CASE("a hold of a run that nobody drives is none") {
    Stage stage;
    const std::string run = stage.world.start().run;
    const OpenStore store = stage.world.services->open_store("/project/.amp", false);
    Holds(*stage.world.services, store, run)
        .add({"one/_", 1, "", stage.world.clock.now().plus_seconds(100), {}});
    CHECK(read_hold(*store.objects, run, "one/_"));
    CHECK(!stage.open({.step = "one"}).begin.held_until);
}
