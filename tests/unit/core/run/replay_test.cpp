#include "core/run/replay.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
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
run = "each {{ item }} {{ params.lr }}"
[step.one]
run = "one"
timeout = "5m"
[step.after]
needs = "one"
run = "after"
[step.never]
when = "params.lr > 1"
run = "never"
)toml";

/// A world whose foreground keeps what it is given.
struct Stage {
    Stage() : world(k_flow) {
        world.script = [](const TaskSpec& spec) {
            return spec.task.step == "one" ? fail(Cause::user, 3) : succeed();
        };
        world.start();
        world.services->environment["SHELL"] = "/bin/fancy";
        world.services->run_foreground = [this](const OpenStore&, const ForegroundTask& task) {
            ran.push_back(task);
            task.output("hello\n");
            AttemptResult result;
            result.cause = Cause::user;
            result.exit = 3;
            return result;
        };
    }
    Replay replay(ReplayQuery query) {
        query.run = "latest";
        query.folder = folder.path() + "/" + std::to_string(ran.size() + tries++);
        ReplayListener listener;
        listener.begins = [this](const ReplayBegin& begin) { begins.push_back(begin); };
        listener.prints = [this](std::string_view text) { printed += text; };
        return replay_task(*world.services, world.project, query, listener);
    }
    ExitCode refusal(ReplayQuery query) {
        try {
            replay(std::move(query));
        } catch (const Error& error) {
            refused = error.message();
            return error.code();
        }
        return ExitCode::ok;
    }

    FakeWorld world;
    TempFolder folder;
    std::vector<ForegroundTask> ran;
    std::vector<ReplayBegin> begins;
    std::string printed;
    std::string refused;
    int tries = 0;
};

std::string variable(const TaskSpec& spec, const std::string& name) {
    const auto it =
        std::find_if(spec.env.begin(), spec.env.end(), [&](const auto& v) { return v.first == name; });
    std::string text;
    for (const Piece& piece : it == spec.env.end() ? LateText{{Piece::Kind::text, "none"}} : it->second) {
        text += piece.text;
    }
    return text;
}

}  // namespace

TEST_CASE("a task is done again with its own item, parameters and place") {
    Stage stage;
    const Replay replay = stage.replay({.step = "each", .index = TaskIndex{{1}, 0}});
    REQUIRE(stage.ran.size() == 1);
    const TaskSpec& spec = stage.ran.front().spec;
    CHECK(spec.task.text() == "each/1");
    CHECK(spec.attempt == 1);
    CHECK(variable(spec, "AMP_ITEM") == "\"b\"");
    CHECK(variable(spec, "AMP_PARAM_LR") == "0.1");
    CHECK(spec.cwd == replay.begin.folder + "/code");
    CHECK(stage.ran.front().folder == replay.begin.folder + "/task");
    CHECK(stage.ran.front().shell.empty());
    CHECK(stage.printed == "hello\n");
    CHECK(exit_status(replay.result) == 3);
    CHECK(stage.begins.size() == 1);
}

TEST_CASE("a shell is the user's own") {
    Stage stage;
    stage.replay({.step = "one", .shell = true});
    CHECK(stage.ran.front().shell == "/bin/fancy");
    stage.world.services->environment.erase("SHELL");
    stage.replay({.step = "one", .shell = true});
    CHECK(stage.ran.back().shell == "/bin/sh");
}

TEST_CASE("what cannot be done again is refused, with why") {
    Stage stage;
    CHECK(stage.refusal({.step = "each"}) == ExitCode::usage);
    CHECK(stage.refused == "'each' has 2 tasks");
    CHECK(stage.refusal({.step = "each", .index = TaskIndex{{7}, 0}}) == ExitCode::not_found);
    CHECK(stage.refusal({.step = "oen"}) == ExitCode::not_found);
    CHECK(stage.refusal({.step = "one", .attempt = 2}) == ExitCode::not_found);
    CHECK(stage.refusal({.step = "after"}) == ExitCode::not_found);
    CHECK(stage.refused.find("after never ran: ") != std::string::npos);
    CHECK(stage.refusal({.step = "never"}) == ExitCode::not_found);
    CHECK(stage.refused.find("params.lr > 1") != std::string::npos);
    CHECK(stage.ran.empty());
}

TEST_CASE("a task's end is an exit status as shells have it") {
    AttemptResult result;
    CHECK(exit_status(result) == 0);
    result.signal = 9;
    result.exit = -1;
    CHECK(exit_status(result) == 137);
}
