#include <doctest/doctest.h>

#include <algorithm>

#include "core/run/prune.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Cached"
[params]
n = 2
[step.load]
foreach = "range(params.n)"
run = "load {{ item }}"
outputs = { x = { path = "x.json", type = "json" } }
cache = true
[step.use]
needs = "load"
run = "use {{ load.x }}"
cache = { ttl = "1h" }
)toml";

using Names = std::vector<std::string>;

/// `load` makes x = 7.
Verdict make_x(const TaskSpec& spec) {
    return spec.task.step == "load" ? succeed_with({{"x", value_artifact(7)}}) : succeed();
}

FakeWorld world_that_ran() {
    FakeWorld world(k_flow);
    world.script = make_x;
    REQUIRE(world.start().state == RunState::succeeded);
    world.forget_what_ran();
    return world;
}

StartOptions with_n(const std::string& n) {
    StartOptions options;
    options.params.given.emplace_back("n", n);
    return options;
}

std::string entry_of(const MemoryStore& store) {
    return const_cast<MemoryStore&>(store).list_after(layout::k_results, {}, 1).at(0);
}

}  // namespace

TEST_CASE("an equal definition of any run is not done again; what differs is") {
    FakeWorld world = world_that_ran();
    const std::string first = world.view().run;
    world.clock.advance(60);
    const RunOutcome again = world.start(with_n("3"));
    CHECK(again.state == RunState::succeeded);
    CHECK(world.ran() == Names{"load/2#1", "use/2#1"});
    CHECK(world.state("load/0") == "cached");
    CHECK(world.state("use/1") == "cached");
    const RunView view = world.view();
    CHECK(view.tasks.at(0).made_by == first + "/load/0");
    CHECK(view.tasks.at(0).artifacts.at("x").value == Value(7));
    SUBCASE("a third run names who made it, not who took it over") {
        world.start();
        CHECK(world.view().tasks.at(0).made_by == first + "/load/0");
    }
    SUBCASE("also when the run that made it is gone") {
        remove_runs(*world.services, world.project, {first}, true);
        world.forget_what_ran();
        world.start();
        CHECK(world.ran().empty());
    }
}

TEST_CASE("a result that is older than its ttl is made anew, and then stands") {
    FakeWorld world = world_that_ran();
    world.clock.advance(3601);
    world.start();
    CHECK(world.ran() == Names{"use/0#1", "use/1#1"});
    world.forget_what_ran();
    world.clock.advance(3000);
    world.start();
    CHECK(world.ran().empty());
}

TEST_CASE("--no-cache looks nothing up, and keeps what it makes") {
    FakeWorld world = world_that_ran();
    StartOptions options;
    options.no_cache = true;
    world.clock.advance(3601);
    const std::string second = world.start(options).run;
    CHECK(world.ran().size() == 4);
    world.forget_what_ran();
    world.start();
    CHECK(world.ran().empty());
    CHECK(world.view().tasks.at(0).made_by == second + "/load/0");
}

TEST_CASE("what failed or was caught is not kept, nor what steps without `cache` make") {
    FakeWorld world(R"toml(
[flow]
name = "Fails"
[step.a]
run = "a"
cache = true
catch = true
[step.b]
run = "b"
)toml");
    world.script = [](const TaskSpec& spec) { return spec.task.step == "a" ? fail() : succeed(); };
    world.start();
    CHECK(world.store->list_after(layout::k_results, {}, 10).empty());
    world.forget_what_ran();
    world.start();
    CHECK(world.ran().size() == 2);
}

TEST_CASE("an entry that is damaged, or whose objects are gone or short, is none") {
    FakeWorld world(R"toml(
[flow]
name = "File"
[step.a]
run = "a"
cache = true
)toml");
    Objects objects(*world.store);
    const ObjectInfo stored = objects.put("some bytes");
    world.script = [&](const TaskSpec&) {
        return succeed_with(
            {{"m", Artifact{Artifact::Kind::file, {}, stored.sha256, stored.size_bytes, {}, 0}}});
    };
    world.start();
    world.forget_what_ran();
    world.start();
    REQUIRE(world.ran().empty());
    SUBCASE("damaged") {
        world.store->tamper(entry_of(*world.store), "{\"schema\":");
    }
    SUBCASE("of another schema") {
        world.store->tamper(entry_of(*world.store), "{\"schema\":99}");
    }
    SUBCASE("its object is gone") {
        world.store->remove(layout::object(stored.sha256, false));
    }
    SUBCASE("its object is short") {
        world.store->tamper(layout::object(stored.sha256, false), "some");
    }
    world.start();
    CHECK(world.ran() == Names{"a/_#1"});
}

TEST_CASE("the rounds of a repetition are results of their own") {
    FakeWorld world(R"toml(
[flow]
name = "Rounds"
[step.a]
run = "a"
cache = true
repeat = { until = "round == 3", max = 5 }
)toml");
    world.script = [](const TaskSpec& spec) {
        return succeed_with({{"r", value_artifact(static_cast<int>(spec.task.index.round))}});
    };
    world.start();
    CHECK(world.ran() == Names{"a/_@1#1", "a/_@2#1", "a/_@3#1"});
    world.forget_what_ran();
    CHECK(world.start().state == RunState::succeeded);
    CHECK(world.ran().empty());
    CHECK(world.view().tasks.at(0).artifacts.at("r").value == Value(3));
}
