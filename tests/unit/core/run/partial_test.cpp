#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/forecast.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Parts"
[params]
x = 1
[step.prepare]
run = "prepare {{ params.x }}"
outputs = { n = { path = "n.json", type = "json" } }
[step.each]
needs = "prepare"
foreach = "range(prepare.n)"
run = "each {{ item }}"
[step.report]
needs = "each"
join = true
run = "report"
secrets = { TOKEN = "env:NOT_THERE" }
[step.clean]
when = "always()"
run = "clean"
)toml";

using Names = std::vector<std::string>;

FakeWorld parts_world() {
    FakeWorld world(k_flow);
    world.script = [](const TaskSpec& spec) {
        return spec.task.step == "prepare" ? succeed_with({{"n", value_artifact(2)}}) : succeed();
    };
    return world;
}

StartOptions until(Names steps) {
    StartOptions options;
    options.until = std::move(steps);
    return options;
}

StartOptions only(Names steps, std::string origin) {
    StartOptions options;
    options.only = std::move(steps);
    options.origin = std::move(origin);
    return options;
}

ResumeOptions from(Names steps) {
    ResumeOptions options;
    options.from = std::move(steps);
    return options;
}

ExitCode code_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

}  // namespace

TEST_CASE("--until: what is outside is no part of the run, and its secrets are not asked for") {
    FakeWorld world = parts_world();
    CHECK(world.start(until({"each"})).state == RunState::succeeded);
    CHECK(world.ran() == Names{"prepare/_#1", "each/0#1", "each/1#1"});
    const RunView view = world.view();
    CHECK(view.partial == "until each");
    CHECK(view.outside == Names{"report", "clean"});
    CHECK(view.steps.size() == 2);
    const auto runs = list_run_summaries(*world.services, world.project, {});
    REQUIRE(runs.size() == 1);
    CHECK(runs.front().partial == "until each");
}

TEST_CASE("the mark of a partial run is in its record, where tagging can see it") {
    FakeWorld world = parts_world();
    const std::string run = world.start(until({"each"})).run;
    const OpenStore store = world.services->open_store(world.project.store_folder, false);
    const RunRecord record = run_record_from(read_run(*store.objects, run));
    CHECK(record.partial());
    CHECK(record.until == Names{"each"});
}

TEST_CASE("steps that there are not are refused before there is a run, with a did-you-mean") {
    FakeWorld world = parts_world();
    try {
        world.start(until({"reprot"}));
        FAIL("it was taken");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::not_found);
        CHECK(error.hint() == "did you mean 'report'?");
    }
    CHECK(world.store->list_after("runs/", "", 10).empty());
}

TEST_CASE("--only and --origin go together, and not with --until") {
    FakeWorld world = parts_world();
    const std::string run = world.start(until({"each"})).run;
    CHECK(code_of([&] { world.start(only({"each"}, "")); }) == ExitCode::usage);
    CHECK(code_of([&] { world.start(only({}, run)); }) == ExitCode::usage);
    StartOptions both = only({"each"}, run);
    both.until = {"prepare"};
    CHECK(code_of([&] { world.start(both); }) == ExitCode::usage);
}

TEST_CASE("--only: what is before comes from the other run as it is, also where it would be another now") {
    FakeWorld world = parts_world();
    const std::string first = world.start(until({"each"})).run;
    world.forget_what_ran();
    StartOptions options = only({"each"}, first);
    options.params.given.emplace_back("x", "2");
    CHECK(world.start(options).state == RunState::succeeded);
    CHECK(world.ran() == Names{"each/0#1", "each/1#1"});
    CHECK(world.state("prepare/_") == "cached");
    CHECK(world.view().partial == "only each");
    CHECK(world.view().origin == first);
}

TEST_CASE("--only takes the parameters of the other run where none are given") {
    FakeWorld world = parts_world();
    StartOptions begin = until({"each"});
    begin.params.given.emplace_back("x", "7");
    const std::string first = world.start(begin).run;
    world.start(only({"each"}, first));
    CHECK(get_int(world.view().params, "x") == 7);
}

TEST_CASE("--only of what has no whole result there makes no run") {
    FakeWorld world = parts_world();
    const std::string first = world.start(until({"prepare"})).run;
    world.files.add("/project/flow.toml", std::string(k_flow) + "[step.more]\nneeds = 'report'\nrun = 'x'\n");
    CHECK(code_of([&] { world.start(only({"more"}, first)); }) == ExitCode::not_found);
    CHECK(list_run_summaries(*world.services, world.project, {}).size() == 1);
}

TEST_CASE("--only that was interrupted goes on with what its origin gives") {
    FakeWorld world = parts_world();
    const std::string first = world.start(until({"each"})).run;
    world.forget_what_ran();
    world.waiter.interrupt();
    REQUIRE(world.start(only({"each"}, first)).interrupted);
    world.waiter.calm();
    CHECK(world.resume().state == RunState::succeeded);
    const Names ran = world.ran();
    CHECK(std::count(ran.begin(), ran.end(), "prepare/_#1") == 0);
}

TEST_CASE("--from: a new run of the whole flow, with that step and all that needs it done again") {
    FakeWorld world = parts_world();
    world.services->environment["NOT_THERE"] = "there-now";
    const std::string first = world.start().run;
    world.forget_what_ran();
    const RunOutcome outcome = world.resume(from({"each"}));
    CHECK(outcome.run != first);
    CHECK(world.ran() == Names{"each/0#1", "each/1#1", "report/_#1", "clean/_#1"});
    CHECK(world.state("prepare/_") == "cached");
    SUBCASE("and again, from the run that was resumed") {
        world.forget_what_ran();
        world.resume(from({"report"}));
        CHECK(world.ran() == Names{"report/_#1", "clean/_#1"});
    }
    SUBCASE("what is resumed without a change is the same run") {
        world.forget_what_ran();
        CHECK(world.resume().run == outcome.run);
        CHECK(world.ran().empty());
    }
}

TEST_CASE("--from, interrupted: its resume reuses what it would have reused") {
    FakeWorld world = parts_world();
    world.services->environment["NOT_THERE"] = "there-now";
    world.start();
    world.forget_what_ran();
    world.waiter.interrupt();
    const RunOutcome cut = world.resume(from({"each"}));
    REQUIRE(cut.interrupted);
    world.waiter.calm();
    const RunOutcome outcome = world.resume();
    CHECK(outcome.run == cut.run);
    CHECK(outcome.state == RunState::succeeded);
    const Names ran = world.ran();
    CHECK(std::none_of(ran.begin(), ran.end(), [](const auto& task) { return task.starts_with("prepare"); }));
    CHECK(std::count_if(ran.begin(), ran.end(),
                        [](const auto& task) { return task.starts_with("each/0"); }) >= 1);
}

TEST_CASE("--from a step that --until leaves outside is refused") {
    FakeWorld world = parts_world();
    world.services->environment["NOT_THERE"] = "there-now";
    world.start();
    ResumeOptions options = from({"report"});
    options.until = {"each"};
    CHECK(code_of([&] { world.resume(options); }) == ExitCode::usage);
}

TEST_CASE("amp plan tells of parts what they would do") {
    FakeWorld world = parts_world();
    world.services->environment["NOT_THERE"] = "there-now";
    const auto step_names = [](const Forecast& forecast) {
        Names names;
        for (const ForecastStep& step : forecast.steps) {
            names.push_back(step.name);
        }
        return names;
    };
    ForecastQuery query;
    query.until = {"each"};
    CHECK(step_names(forecast(*world.services, world.project, query)) == Names{"prepare", "each"});
    world.start();
    query = {};
    query.resume = "latest";
    query.from = {"each"};
    const Forecast again = forecast(*world.services, world.project, query);
    CHECK(again.kind == Forecast::Kind::run_from_origin);
    REQUIRE(again.steps.size() == 4);
    CHECK(again.steps[0].tasks.front().what == "reuse");
    CHECK(again.steps[1].tasks.size() == 2);
    CHECK(again.steps[1].tasks.front().what == "run");
    CHECK(again.steps[1].tasks.front().why == "it was asked for");
    query.from = {"nothing"};
    CHECK(code_of([&] { forecast(*world.services, world.project, query); }) == ExitCode::not_found);
}
