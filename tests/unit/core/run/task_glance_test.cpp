#include "core/run/task_glance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/error.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

using Names = std::vector<std::string>;

OpenStore store_of(FakeWorld& world) {
    return world.services->open_store(world.project.store_folder, false);
}

Names indices(FakeWorld& world, const std::string& run, const std::string& step,
              const std::string& begin = "") {
    Names out;
    for (const TaskGlance& task : glance_tasks(store_of(world), run, step, begin)) {
        out.push_back(task.index);
    }
    return out;
}

Names artifacts(FakeWorld& world, const std::string& run, const std::string& step = "",
                const std::string& index = "") {
    const auto at = index.empty() ? std::nullopt : std::optional(TaskIndex::parse(index));
    return glance_artifacts(store_of(world), run, step, at);
}

constexpr const char* k_nested =
    "[flow]\nname = 'N'\n"
    "[step.a]\nforeach = 'range(12)'\nrun = 'x'\n"
    "[step.b]\nneeds = 'a'\nforeach = 'range(item % 3)'\nrun = 'x'\n"
    "[step.c]\nneeds = 'b'\nrun = 'x'\n"
    "[step.d]\nneeds = 'c'\njoin = true\nrun = 'x'\n"
    "[step.e]\nneeds = 'd'\njoin = true\nrun = 'x'\n"
    "[step.none]\nwhen = 'false'\nforeach = 'range(3)'\nrun = 'x'\n";

}  // namespace

TEST_CASE("the tasks of a run are those that replaying it finds") {
    FakeWorld world(k_nested);
    const std::string run = world.start().run;
    for (const std::string step : {"a", "b", "c", "d", "e"}) {
        Names all;
        std::map<std::string, std::string> states;
        for (const TaskView& task : world.view(run).tasks) {
            if (task.name.step == step) {
                all.push_back(task.name.index.text());
                states[all.back()] = state_name(task.state);
            }
        }
        REQUIRE(!all.empty());
        CHECK(indices(world, run, step) == all);
        for (const TaskGlance& task : glance_tasks(store_of(world), run, step, "")) {
            CHECK(task.state == states[task.index]);
        }
    }
    CHECK(indices(world, run, "a", "1") == Names{"1", "10", "11"});
    CHECK(indices(world, run, "b", "11.") == Names{"11.0", "11.1"});
    CHECK(indices(world, run, "b", "11.1") == Names{"11.1"});
    CHECK(indices(world, run, "e", "_") == Names{"_"});
    CHECK(indices(world, run, "a", "\"").empty());
    CHECK(indices(world, run, "none").empty());
    CHECK(indices(world, run, "unknown").empty());
}

TEST_CASE("of very many tasks all are named, and the newest have their state") {
    FakeWorld world("[flow]\nname = 'M'\n[step.a]\nforeach = 'range(1000)'\nrun = 'x'\n");
    const std::string run = world.start().run;
    const auto tasks = glance_tasks(store_of(world), run, "a", "");
    CHECK(tasks.size() == 1000);
    const auto stated = std::count_if(tasks.begin(), tasks.end(),
                                      [](const TaskGlance& task) { return task.state == "succeeded"; });
    CHECK(stated == 500);
    for (const TaskGlance& task : glance_tasks(store_of(world), run, "a", "99")) {
        CHECK(task.state == "succeeded");
    }
}

TEST_CASE("tasks within very many foreachs are found by their beginning, else those of the first") {
    FakeWorld world(
        "[flow]\nname = 'M'\n[step.a]\nforeach = 'range(1200)'\nrun = 'x'\n"
        "[step.b]\nneeds = 'a'\nforeach = 'range(2)'\nrun = 'x'\n");
    const std::string run = world.start().run;
    CHECK(indices(world, run, "b", "1199") == Names{"1199.0", "1199.1"});
    CHECK(indices(world, run, "b", "1199.1") == Names{"1199.1"});
    CHECK(indices(world, run, "b", "12").size() == 2 * 11);
    CHECK(indices(world, run, "a").size() == 1200);
    const Names some = indices(world, run, "b");
    CHECK(some.size() == 2 * 499);
    CHECK(some.at(1) == "0.1");
}

TEST_CASE("artifacts are found by run, step and task") {
    FakeWorld world(
        "[flow]\nname = 'A'\n[step.a]\nforeach = 'range(12)'\nrun = 'x'\n"
        "[step.b]\nneeds = 'a'\njoin = true\nrun = 'x'\n");
    world.script = [](const TaskSpec& spec) {
        const std::string index = spec.task.index.text();
        return spec.task.step == "b" ? succeed_with({{"model", value_artifact(1)},
                                                     {"like", value_artifact(Object{{"task", "a/1"}})}})
                                     : succeed_with({{"of_" + index, value_artifact(2)}});
    };
    const std::string run = world.start().run;
    CHECK(artifacts(world, run, "b") == Names{"like", "model"});
    CHECK(artifacts(world, run, "a", "1") == Names{"of_1"});
    CHECK(artifacts(world, run, "a", "11") == Names{"of_11"});
    CHECK(artifacts(world, run, "a").size() == 12);
    CHECK(artifacts(world, run).size() == 14);
    CHECK(artifacts(world, run, "unknown").empty());
    CHECK_THROWS_AS(artifacts(world, "261120-081530-k3fx"), Error);
}

TEST_CASE("what was caught has its error, until it succeeds") {
    FakeWorld world(
        "[flow]\nname = 'T'\n[step.a]\nrun = 'x'\ncatch = 'oops'\n[step.b]\nrun = 'x'\n"
        "[step.c]\nrun = 'x'\ncatch = 'never'\nretry = 1\n");
    bool fails = true;
    world.script = [&](const TaskSpec& spec) {
        const bool first = spec.task.step == "c" && spec.attempt == 1;
        return spec.task.step != "b" && (first || (fails && spec.task.step == "a")) ? fail(Cause::user, 3)
                                                                                    : succeed();
    };
    const std::string run = world.start().run;
    CHECK(artifacts(world, run) == Names{"oops"});
    CHECK(artifacts(world, run, "a", "_") == Names{"oops"});
    CHECK(artifacts(world, run, "b").empty());
    CHECK(artifacts(world, run, "c").empty());
    CHECK(glance_tasks(store_of(world), run, "a", "").at(0).state == "failed");
    fails = false;
    ResumeOptions again;
    again.retry_caught = true;
    world.resume(again);
    CHECK(artifacts(world, run, "a").empty());
}
