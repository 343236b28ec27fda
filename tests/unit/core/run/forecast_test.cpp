#include "core/run/forecast.hpp"

#include <doctest/doctest.h>

#include <map>

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
