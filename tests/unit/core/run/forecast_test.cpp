#include "core/run/forecast.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Train"
[params]
lr = 0.1
full = false
items = [1, 2]
[step.prepare]
run = "prepare"
outputs = { n = { path = "n.json", type = "json" } }
[step.train]
needs = "prepare"
run = "train {{ params.lr }}"
[step.each]
foreach = "params.items"
run = "each {{ item }}"
[step.later]
needs = "prepare"
foreach = "prepare.n"
run = "later {{ item }}"
[step.deep]
needs = "train"
when = "params.full"
run = "deep"
[step.never]
when = "params.full"
run = "never"
)toml";

using Whats = std::map<std::string, std::string>;

Whats whats(const Forecast& found) {
    Whats out;
    for (const ForecastStep& step : found.steps) {
        for (const ForecastTask& task : step.tasks) {
            out[task.task] = task.what;
        }
    }
    return out;
}

Verdict made(const TaskSpec& spec) {
    return spec.task.step == "prepare" ? succeed_with({{"n", value_artifact(List{7})}}) : succeed();
}

}  // namespace

TEST_CASE("a first run is foreseen as far as it can be known, and nothing is written") {
    FakeWorld world(k_flow);
    const Forecast found = forecast(*world.services, world.project, {});
    CHECK(found.kind == Forecast::Kind::new_run);
    CHECK(whats(found) == Whats{{"prepare/_", "run"},
                                {"train/_", "run"},
                                {"each/0", "run"},
                                {"each/1", "run"},
                                {"later/_", "unknown"},
                                {"deep/_", "skip?"},
                                {"never/_", "skip"}});
    CHECK(world.ran().empty());
    CHECK(world.store->list_after("", "", 10).empty());
}

TEST_CASE("what a resume with a changed parameter reuses, and why the rest runs, is what it then does") {
    FakeWorld world(k_flow);
    world.script = made;
    world.start();
    world.forget_what_ran();
    ForecastQuery query;
    query.resume = "latest";
    query.params.given.emplace_back("lr", "0.2");
    const Forecast found = forecast(*world.services, world.project, query);
    CHECK(found.kind == Forecast::Kind::run_from_origin);
    CHECK(whats(found)["prepare/_"] == "reuse");
    CHECK(whats(found)["later/0"] == "reuse");
    CHECK(whats(found)["train/_"] == "run");
    CHECK(whats(found)["deep/_"] == "skip?");
    for (const ForecastStep& step : found.steps) {
        if (step.name == "train") {
            REQUIRE(step.tasks[0].differences.size() == 1);
            CHECK(step.tasks[0].differences[0].name == "lr");
        }
    }
    CHECK(world.ran().empty());
    ResumeOptions options;
    options.params = query.params;
    world.resume(options);
    CHECK(world.ran() == std::vector<std::string>{"train/_#1"});
}

TEST_CASE("a resume with nothing changed keeps what is done") {
    FakeWorld world(k_flow);
    world.script = [](const TaskSpec& spec) { return spec.task.step == "train" ? fail() : made(spec); };
    StartOptions options;
    options.keep_going = true;
    world.start(options);
    ForecastQuery query;
    query.resume = "latest";
    const Forecast found = forecast(*world.services, world.project, query);
    CHECK(found.kind == Forecast::Kind::same_run);
    CHECK(whats(found)["prepare/_"] == "keep");
    CHECK(whats(found)["train/_"] == "run");
}

TEST_CASE("a resumed run that has not taken over everything yet still can") {
    FakeWorld world(k_flow);
    world.script = made;
    const std::string first = world.start().run;
    world.forget_what_ran();
    const auto make_backend = world.services->make_backend;
    world.services->make_backend = [](const OpenStore&, const BackendRequest&) -> std::unique_ptr<Backend> {
        throw Error(ExitCode::infrastructure, "its driver dies");
    };
    ResumeOptions changed;
    changed.params.given.emplace_back("lr", "0.2");
    CHECK_THROWS_WITH_AS(world.resume(changed), "its driver dies", Error);
    world.services->make_backend = make_backend;
    ForecastQuery query;
    query.resume = "latest";
    const Forecast found = forecast(*world.services, world.project, query);
    CHECK(found.kind == Forecast::Kind::same_run);
    CHECK(whats(found)["prepare/_"] == "reuse");
    CHECK(whats(found)["train/_"] == "run");
    SUBCASE("and does") {
        world.resume();
        CHECK(world.ran() == std::vector<std::string>{"train/_#1"});
    }
    SUBCASE("unless that run has been removed") {
        world.store->remove(layout::run_record(first));
        CHECK(whats(forecast(*world.services, world.project, query))["prepare/_"] == "run");
    }
}

TEST_CASE("a list that hangs on parameters alone is counted, though what is needed runs first") {
    FakeWorld world(R"toml(
[flow]
name = "Counted"
[params]
rates = [0.1, 0.2, 0.3]
full = false
[step.prepare]
run = "prepare"
outputs = { n = { path = "n.json", type = "json" } }
[step.train]
needs = "prepare"
foreach = "params.rates"
run = "train {{ item }}"
[step.fold]
needs = "train"
foreach = "range(2)"
run = "fold {{ item }}"
[step.test]
needs = "fold"
run = "test"
[step.maybe]
needs = "prepare"
foreach = "params.rates"
when = "params.full"
run = "maybe {{ item }}"
[step.later]
needs = "train"
foreach = "prepare.n"
run = "later {{ item }}"
[step.below]
needs = "later"
run = "below"
[step.all]
needs = "fold"
join = true
run = "all"
)toml");
    const auto found = whats(forecast(*world.services, world.project, {}));
    CHECK(found.at("train/0") == "run");
    CHECK(found.at("train/2") == "run");
    CHECK(found.at("fold/0.0") == "run");
    CHECK(found.at("test/2.1") == "run");
    CHECK(found.at("maybe/1") == "skip?");
    CHECK(found.at("below") == "unknown");
    const auto of_step = [&](const std::string& step) {
        return std::count_if(found.begin(), found.end(),
                             [&](const auto& task) { return task.first.starts_with(step); });
    };
    CHECK(of_step("train") == 3);
    CHECK(of_step("fold") == 6);
    CHECK(of_step("test") == 6);
    CHECK(of_step("later") == 1);
}

TEST_CASE("--only: all else is that of its origin") {
    FakeWorld world(k_flow);
    world.script = made;
    const std::string first = world.start().run;
    world.forget_what_ran();
    ForecastQuery query;
    query.only = {"train"};
    query.origin = "latest";
    const Forecast found = forecast(*world.services, world.project, query);
    CHECK(found.run == first);
    CHECK(whats(found) == Whats{{"prepare/_", "reuse"}, {"train/_", "run"}});
    CHECK(world.ran().empty());
    query.origin.clear();
    CHECK_THROWS_AS(forecast(*world.services, world.project, query), Error);
}
