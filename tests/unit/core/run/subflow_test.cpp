#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

const std::string k_parent = R"(
[flow]
name = "Parent"
[step.make]
run = "true"
[step.sub]
needs = "make"
flow = "child.toml"
params = { day = "monday" }
outputs = { url = "publish.url" }
[step.after]
needs = "sub"
run = "echo {{ sub.url }}"
)";

const std::string k_child = R"(
[flow]
name = "Child"
[params]
day = { type = "string", required = true }
[step.build]
run = "echo {{ params.day }}"
[step.publish]
needs = "build"
run = "true"
outputs = { url = "url.json" }
)";

/// All runs, with the parent's first.
struct Tree {
    FakeWorld world;
    explicit Tree(const std::string& parent, const std::string& child = k_child) : world(parent) {
        world.files.add("/project/child.toml", child);
        world.script = [this](const TaskSpec& spec) { return answer(spec); };
    }
    std::function<Verdict(const TaskSpec&)> also = [](const TaskSpec&) { return succeed(); };

    Verdict answer(const TaskSpec& spec) {
        Verdict verdict = also(spec);
        if (verdict.cause == Cause::none) {
            for (const TaskOutput& output : spec.outputs) {
                verdict.artifacts[output.name] = Artifact{Artifact::Kind::value, Value("made"), "", 6, {}, 0};
            }
        }
        return verdict;
    }
    OpenStore store() { return world.services->open_store(world.project.store_folder, false); }
    std::vector<ChildRun> children(const std::string& run) { return children_of(store(), run); }
    RunRecord record(const std::string& run) { return run_record_from(read_run(*store().objects, run)); }
    std::size_t runs() { return list_runs(*store().objects).size(); }
    std::string message(const std::string& run, const std::string& task) {
        for (const TaskView& view : world.view(run).tasks) {
            if (view.name.text() == task && !view.attempts.empty()) {
                return view.attempts.back().message;
            }
        }
        return {};
    }
};

std::ptrdiff_t times(const std::vector<std::string>& ran, const std::string& attempt) {
    return std::count(ran.begin(), ran.end(), attempt);
}

}  // namespace

TEST_CASE("a sub-flow is a task of its parent and a run of its own") {
    Tree tree(k_parent);
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::succeeded);
    const auto children = tree.children(outcome.run);
    REQUIRE(children.size() == 1);
    const RunRecord child = tree.record(children[0].run);
    CHECK(child.parent == outcome.run + "/sub/_");
    CHECK(child.depth == 1);
    CHECK(child.flow_name == "Child");
    CHECK(*child.params.find("day") == Value("monday"));
    CHECK(tree.world.view(child.run).state == "succeeded");
    CHECK(tree.world.ran() == std::vector<std::string>{"make/_#1", "build/_#1", "publish/_#1", "after/_#1"});
}

TEST_CASE("a failed child is a failed task with its cause, and a retry resumes the child") {
    Tree tree(k_parent + "[defaults]\nretry = { times = 1 }\n");
    int fails = 1;
    tree.also = [&](const TaskSpec& spec) {
        return spec.task.step == "publish" && fails-- > 0 ? fail(Cause::user, 7) : succeed();
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::succeeded);
    CHECK(tree.children(outcome.run).size() == 1);
    CHECK(times(tree.world.ran(), "build/_#1") == 1);
}

TEST_CASE("what failed below is told with the child's run and task") {
    Tree tree(k_parent);
    tree.also = [](const TaskSpec& spec) {
        return spec.task.step == "publish" ? fail(Cause::oom, 7) : succeed();
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(outcome.first_cause == Cause::oom);
    const std::string child = tree.children(outcome.run).at(0).run;
    const std::string message = tree.message(outcome.run, "sub/_");
    CHECK(message.find(child) != std::string::npos);
    CHECK(message.find("publish: ") != std::string::npos);

    SUBCASE("and a resume goes on with the same child") {
        tree.also = [](const TaskSpec&) { return succeed(); };
        tree.world.forget_what_ran();
        ResumeOptions again;
        again.run = outcome.run;
        CHECK(tree.world.resume(again).state == RunState::succeeded);
        CHECK(tree.world.ran() == std::vector<std::string>{"publish/_#2", "after/_#1"});
        CHECK(tree.runs() == 2);
    }
}

TEST_CASE("items have children of their own, and all share the workers of the tree") {
    Tree tree(R"(
[flow]
name = "Many"
max_workers = 2
[step.sub]
foreach = "[1, 2, 3, 4, 5]"
flow = "child.toml"
params = { day = "day {{ item }}" }
)");
    std::size_t most = 0;
    tree.also = [&](const TaskSpec&) {
        std::size_t running = 0;
        for (const ScriptedBackend* backend : tree.world.waiter.backends) {
            running += backend->running();
        }
        most = std::max(most, running);
        Verdict verdict = succeed();
        verdict.takes_s = 1;
        return verdict;
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::succeeded);
    const auto children = tree.children(outcome.run);
    REQUIRE(children.size() == 5);
    std::set<std::string> days;
    for (const ChildRun& child : children) {
        days.insert(tree.record(child.run).params.find("day")->as_string());
    }
    CHECK(days.size() == 5);
    CHECK(most <= 2);
}

TEST_CASE("an interruption leaves parent and child to be resumed, and no task runs twice") {
    Tree tree(k_parent);
    tree.also = [&](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "publish" ? 100 : 0;
        return verdict;
    };
    tree.world.waiter.at_wait = [&](int) {
        for (const ScriptedBackend* backend : tree.world.waiter.backends) {
            if (backend->times_started(TaskName{"publish", {}}) > 0) {
                tree.world.waiter.interrupt();
                tree.world.waiter.at_wait = nullptr;
                return;
            }
        }
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.interrupted);
    const std::string child = tree.children(outcome.run).at(0).run;
    CHECK(tree.world.view(child).state == "interrupted");
    tree.world.waiter.calm();
    tree.also = [](const TaskSpec&) { return succeed(); };
    ResumeOptions again;
    again.run = outcome.run;
    CHECK(tree.world.resume(again).state == RunState::succeeded);
    CHECK(times(tree.world.ran(), "build/_#1") == 1);
    CHECK(tree.children(outcome.run).size() == 1);
    CHECK(tree.world.view(child).state == "succeeded");
}

TEST_CASE("a timeout of the step cancels the child") {
    Tree tree(R"(
[flow]
name = "Late"
[step.sub]
flow = "child.toml"
params = { day = "x" }
timeout = "10s"
)");
    tree.also = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 1000;
        return verdict;
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(outcome.first_cause == Cause::timeout);
    CHECK(tree.world.view(tree.children(outcome.run).at(0).run).state == "cancelled");
}

TEST_CASE("a child that is cancelled alone fails its task, which is not tried again") {
    Tree tree(k_parent + "[defaults]\nretry = { times = 3 }\n");
    tree.also = [&](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "build" ? 100 : 0;
        return verdict;
    };
    tree.world.waiter.at_wait = [&](int) {
        for (ScriptedBackend* backend : tree.world.waiter.backends) {
            if (backend->times_started(TaskName{"build", {}}) > 0) {
                backend->ask_cancel("bob");
                tree.world.waiter.at_wait = nullptr;
                return;
            }
        }
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::failed);
    CHECK(tree.world.view(tree.children(outcome.run).at(0).run).state == "cancelled");
    CHECK(tree.message(outcome.run, "sub/_").find("was cancelled") != std::string::npos);
    CHECK(times(tree.world.ran(), "build/_#2") == 0);
}

TEST_CASE("mistakes below are found before anything runs, with their file") {
    Tree tree(k_parent, k_child + "[step.broken]\nneeds = 'nobody'\nrun = 'true'\n");
    try {
        tree.world.start();
        FAIL("it started");
    } catch (const InvalidFlow& invalid) {
        const auto found = invalid.diagnostics().sorted();
        REQUIRE_FALSE(found.empty());
        CHECK(found.front().file == "child.toml");
    }
    CHECK(tree.world.ran().empty());
}

TEST_CASE("a flow that has changed below makes a new run, where what is equal is reused") {
    Tree tree(k_parent);
    tree.also = [](const TaskSpec& spec) { return spec.task.step == "after" ? fail() : succeed(); };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::failed);
    tree.also = [](const TaskSpec&) { return succeed(); };
    tree.world.forget_what_ran();
    ResumeOptions again;
    again.run = outcome.run;
    SUBCASE("nothing changed below: the child stays") {
        tree.world.files.add("/project/flow.toml", k_parent + "[step.more]\nrun = 'true'\n");
        CHECK(tree.world.resume(again).state == RunState::succeeded);
        CHECK(times(tree.world.ran(), "build/_#1") == 0);
    }
    SUBCASE("changed below: it runs again") {
        tree.world.files.add("/project/child.toml", k_child + "[step.more]\nrun = 'true'\n");
        const RunOutcome second = tree.world.resume(again);
        CHECK(second.state == RunState::succeeded);
        CHECK(second.run != outcome.run);
        CHECK(times(tree.world.ran(), "make/_#1") == 0);
        CHECK(times(tree.world.ran(), "more/_#1") == 1);
    }
}

TEST_CASE("a spawned run belongs to the task that asks, once, and the parent ends after it") {
    Tree tree("[flow]\nname = 'Root'\n[step.one]\nrun = 'true'\n");
    tree.world.files.add("/project/other.toml", "[flow]\nname = 'Other'\n[step.work]\nrun = 'true'\n");
    tree.also = [](const TaskSpec&) {
        Verdict verdict = succeed();
        verdict.takes_s = 1;
        return verdict;
    };
    int asked = 0;
    tree.world.waiter.at_wait = [&](int) {
        for (ScriptedBackend* backend : tree.world.waiter.backends) {
            if (asked == 0 && backend->times_started(TaskName{"one", {}}) > 0) {
                while (asked < 2) {
                    ++asked;
                    backend->inject(SpawnAsked{{TaskName{"one", {}}, 1},
                                               static_cast<std::uint64_t>(asked),
                                               Object{{"flow", "/project/other.toml"}, {"key", "k"}}});
                }
                return;
            }
        }
    };
    const RunOutcome outcome = tree.world.start();
    CHECK(outcome.state == RunState::succeeded);
    CHECK(asked == 2);
    const auto children = tree.children(outcome.run);
    REQUIRE(children.size() == 1);
    CHECK(children[0].spawned);
    CHECK(tree.world.view(children[0].run).state == "succeeded");
    CHECK(times(tree.world.ran(), "work/_#1") == 1);
}

TEST_CASE("what a run has running when one of its tasks spawns counts among the tasks at once") {
    Tree tree(
        "[flow]\nname = 'Root'\nmax_workers = 2\n[step.one]\nrun = 'true'\n[step.long]\nrun = 'true'\n");
    tree.world.files.add("/project/other.toml", "[flow]\nname = 'Other'\n[step.work]\nrun = 'true'\n");
    const double begun = tree.world.clock.steady_seconds();
    std::optional<double> work_began;
    tree.also = [&](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "work" ? 1 : 100;
        if (spec.task.step == "work") {
            work_began = tree.world.clock.steady_seconds();
        }
        return verdict;
    };
    bool asked = false;
    tree.world.waiter.at_wait = [&](int) {
        for (ScriptedBackend* backend : tree.world.waiter.backends) {
            if (!asked && backend->times_started(TaskName{"one", {}}) > 0) {
                asked = true;
                backend->inject(
                    SpawnAsked{{TaskName{"one", {}}, 1}, 1, Object{{"flow", "/project/other.toml"}}});
                return;
            }
        }
    };
    CHECK(tree.world.start().state == RunState::succeeded);
    REQUIRE(work_began);
    CHECK(*work_began - begun > 90);
}

TEST_CASE("a task that waits for what it spawned gives its slots back: one worker is enough") {
    Tree tree("[flow]\nname = 'Root'\nmax_workers = 1\n[step.sub]\nflow = 'child.toml'\n",
              "[flow]\nname = 'Child'\n[step.one]\nrun = 'true'\n");
    tree.world.files.add("/project/other.toml", "[flow]\nname = 'Other'\n[step.work]\nrun = 'true'\n");
    std::optional<double> work_began;
    tree.also = [&](const TaskSpec& spec) {
        Verdict verdict = succeed();
        verdict.takes_s = spec.task.step == "one" ? 100 : 1;
        if (spec.task.step == "work") {
            work_began = tree.world.clock.steady_seconds();
        }
        return verdict;
    };
    const double begun = tree.world.clock.steady_seconds();
    bool asked = false;
    tree.world.waiter.at_wait = [&](int) {
        for (ScriptedBackend* backend : tree.world.waiter.backends) {
            if (!asked && backend->times_started(TaskName{"one", {}}) > 0) {
                asked = true;
                backend->inject(SpawnAsked{
                    {TaskName{"one", {}}, 1}, 1, Object{{"flow", "/project/other.toml"}, {"wait", true}}});
                return;
            }
        }
    };
    CHECK(tree.world.start().state == RunState::succeeded);
    REQUIRE(work_began);
    CHECK(*work_began - begun < 50);
}
