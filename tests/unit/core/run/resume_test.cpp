#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_train = R"toml(
[flow]
name = "Train"
[params]
lr = 0.1
words = "few"
[step.prepare]
run = "prepare {{ params.words }}"
outputs = { n = { path = "n.json", type = "json" } }
[step.train]
needs = "prepare"
run = "train {{ params.lr }} {{ prepare.n }}"
[step.report]
needs = "train"
run = "report"
sources = ["report.py"]
)toml";

using Names = std::vector<std::string>;

ScriptedBackend::Script making(int n) {
    return [n](const TaskSpec& spec) {
        return spec.task.step == "prepare" ? succeed_with({{"n", value_artifact(n)}}) : succeed();
    };
}

ResumeOptions with_param(const std::string& name, const std::string& value) {
    ResumeOptions options;
    options.params.given.emplace_back(name, value);
    return options;
}

bool mentions(const Names& notes, const std::string& text) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

/// A project whose run of k_train failed at report.
FakeWorld failed_at_report() {
    FakeWorld world(k_train);
    world.files.add("/project/report.py", "print(1)");
    world.script = [](const TaskSpec& spec) {
        return spec.task.step == "report"    ? fail()
               : spec.task.step == "prepare" ? succeed_with({{"n", value_artifact(1)}})
                                             : succeed();
    };
    REQUIRE(world.start().state == RunState::failed);
    world.script = making(1);
    world.forget_what_ran();
    return world;
}

}  // namespace

TEST_CASE("a changed parameter makes a new run that reuses what does not depend on it") {
    FakeWorld world(k_train);
    world.script = making(1);
    const std::string first = world.start().run;
    world.forget_what_ran();
    const RunOutcome outcome = world.resume(with_param("lr", "0.2"));
    CHECK(outcome.state == RunState::succeeded);
    CHECK(outcome.run != first);
    CHECK(world.ran() == Names{"train/_#1", "report/_#1"});
    CHECK(world.state("prepare/_") == "cached");
    CHECK(world.view().origin == first);
    CHECK(mentions(world.notes, "lr = 0.2"));
}

TEST_CASE("a step that ran again runs its descendants again, though their own definition is equal") {
    FakeWorld world(k_train);
    world.script = making(1);
    world.start();
    world.forget_what_ran();
    world.resume(with_param("words", "many"));
    CHECK(world.ran() == Names{"prepare/_#1", "train/_#1", "report/_#1"});
}

TEST_CASE("a changed flow makes a new run; steps whose text is equal are reused") {
    FakeWorld world(k_train);
    world.script = making(1);
    world.start();
    world.forget_what_ran();
    std::string text = k_train;
    text.replace(text.find("run = \"report\""), 14, "run = \"report --all\"");
    world.files.add("/project/flow.toml", text);
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"report/_#1"});
    CHECK(world.state("train/_") == "cached");
}

TEST_CASE("an invalid change is refused and costs nothing") {
    FakeWorld world(k_train);
    world.script = making(1);
    const std::string run = world.start().run;
    world.files.add("/project/flow.toml", "[flow]\nname = 'Train'\n[step.a]\nrun = 'true'\nneeds = 'b'\n");
    CHECK_THROWS_AS(world.resume(), InvalidFlow);
    CHECK(world.view(run).state == "succeeded");
}

TEST_CASE("changed code runs again what had not succeeded, and steps whose sources changed") {
    SUBCASE("code that no step names: only what had failed") {
        FakeWorld world = failed_at_report();
        world.files.add("/project/other.py", "x = 2");
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == Names{"report/_#1"});
        CHECK(mentions(world.notes, "other.py added"));
    }
    SUBCASE("a step's sources") {
        FakeWorld world(k_train);
        world.files.add("/project/report.py", "print(1)");
        world.script = making(1);
        REQUIRE(world.start().state == RunState::succeeded);
        world.forget_what_ran();
        world.files.add("/project/report.py", "print(2)");
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == Names{"report/_#1"});
    }
}

TEST_CASE("what finished after the driver was gone counts, also when the code has changed since") {
    FakeWorld world(k_train);
    world.files.add("/project/report.py", "print(1)");
    world.script = [](const TaskSpec&) {
        Verdict verdict = succeed_with({{"n", value_artifact(1)}});
        verdict.takes_s = 50;
        return verdict;
    };
    world.waiter.at_wait = [&](int n) {
        if (n == 2) {
            world.waiter.terminate(1);
        }
    };
    REQUIRE(world.start().interrupted);
    world.waiter.at_wait = nullptr;
    world.waiter.calm();
    world.forget_what_ran();
    world.script = making(1);
    AttemptResult ended;
    ended.task = TaskName{"prepare", {}};
    ended.artifacts = {{"n", value_artifact(1)}};
    world.adoption = Adoption{{}, {ended}, {}};
    world.files.add("/project/other.py", "x = 2");
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(world.ran() == Names{"train/_#1", "report/_#1"});
    CHECK(world.state("prepare/_") == "cached");
}

TEST_CASE("a run that has succeeded, with nothing changed, is left as it is") {
    FakeWorld world(k_train);
    world.script = making(1);
    const std::string run = world.start().run;
    world.forget_what_ran();
    const RunOutcome outcome = world.resume();
    CHECK(outcome.run == run);
    CHECK(outcome.state == RunState::succeeded);
    CHECK(world.ran().empty());
}

TEST_CASE("a reused task can be reused again, from the run that reused it") {
    FakeWorld world(k_train);
    world.script = making(1);
    world.start();
    world.resume(with_param("lr", "0.2"));
    world.forget_what_ran();
    CHECK(world.resume(with_param("lr", "0.3")).state == RunState::succeeded);
    CHECK(world.ran() == Names{"train/_#1", "report/_#1"});
    CHECK(world.state("prepare/_") == "cached");
}

TEST_CASE("what a run was given stands on resume, also when the default has changed") {
    FakeWorld world = failed_at_report();
    CHECK(world.resume().state == RunState::succeeded);
    CHECK(get_float(world.view().params, "lr") == doctest::Approx(0.1));
}

TEST_CASE("unknown runs are told, with a hint") {
    FakeWorld world(k_train);
    CHECK_THROWS_AS(world.resume(), Error);
}
