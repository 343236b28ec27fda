#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/run/turns.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Turns"
concurrency = "queue"
[step.a]
run = "a"
[step.z]
when = "always()"
run = "z"
)toml";

/// A run that somebody drives, or not any more.
class Driven {
  public:
    Driven(FakeWorld& world, OpenStore& store, const std::string& run) : run_(run) {
        RunRecord record;
        record.run = run;
        record.flow_name = "Turns";
        record.flow_source = k_flow;
        record.concurrency = "queue";
        create_run(*store.objects, run, to_value(record));
        lease_.emplace(Lease::acquire(*store.objects, *store.files, world.clock, run, {"box", 1, "ann"}));
    }
    void end() { lease_.reset(); }
    const std::string& run() const { return run_; }

  private:
    std::string run_;
    std::optional<Lease> lease_;
};

constexpr const char* k_first = "200101-000000-bbbb";
constexpr const char* k_second = "200101-000000-cccc";
constexpr const char* k_third = "200101-000000-dddd";

}  // namespace

TEST_CASE("the first goes on, the others stand in the order in which they came") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Turns turns(*world.services, store, "Turns");
    Driven first(world, store, k_first);
    Driven second(world, store, k_second);
    Driven third(world, store, k_third);
    CHECK(turns.ask(first.run()).on);
    CHECK(turns.ask(third.run()).behind == k_first);
    CHECK(turns.ask(second.run()).behind == k_first);
    CHECK(turns.behind(second.run()) == k_first);
    CHECK(!turns.behind(first.run()));
    first.end();
    CHECK(turns.ask(second.run()).behind == k_third);  // it came later
    CHECK(turns.ask(third.run()).on);
    third.end();
    CHECK(turns.ask(second.run()).on);
}

TEST_CASE("one that died in the line is passed over") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Turns turns(*world.services, store, "Turns");
    Driven first(world, store, k_first);
    Driven second(world, store, k_second);
    Driven third(world, store, k_third);
    turns.ask(first.run());
    turns.ask(second.run());
    turns.ask(third.run());
    second.end();
    first.end();
    CHECK(turns.ask(third.run()).on);
}

TEST_CASE("a waiting run hears that it was cancelled, and no longer stands in the line") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Turns turns(*world.services, store, "Turns");
    Driven first(world, store, k_first);
    Driven second(world, store, k_second);
    turns.ask(first.run());
    turns.ask(second.run());
    CHECK(!turns.cancel(first.run(), "ann"));
    CHECK(turns.cancel(second.run(), "ann"));
    CHECK(turns.ask(second.run()).cancelled_by == "ann");
    CHECK(!turns.behind(second.run()));
}

TEST_CASE("a claim holds for a moment, until the run is driven or its maker is taken for dead") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Turns turns(*world.services, store, "Turns");
    CHECK(turns.claim(k_first).empty());
    CHECK(turns.claim(k_second) == k_first);
    world.clock.advance(11);
    CHECK(turns.claim(k_second).empty());
}

TEST_CASE("two that change the line at once both stand in it") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Turns turns(*world.services, store, "Turns");
    Driven first(world, store, k_first);
    Driven second(world, store, k_second);
    Driven third(world, store, k_third);
    // Between the read and the write of the second comes the third: who was slower looks again.
    turns.ask(first.run());
    const auto before = store.objects->get(layout::turn("Turns"));
    turns.ask(third.run());
    REQUIRE(before);
    CHECK(store.objects->compare_and_swap(layout::turn("Turns"), "x", before->version) == PutResult::changed);
    turns.ask(second.run());
    CHECK(turns.ahead_of(second.run()) == std::vector<std::string>{k_first, k_third});
}

TEST_CASE("a queued run waits until the other has ended") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Driven other(world, store, k_first);
    Turns turns(*world.services, store, "Turns");
    turns.ask(other.run());
    std::string seen;
    world.waiter.at_wait = [&](int wait) {
        if (wait == 3) {
            seen = world.view("latest").state;
            other.end();
        }
    };
    CHECK(world.start().state == RunState::succeeded);
    CHECK(seen == "pending");
    CHECK(world.ran() == std::vector<std::string>{"a/_#1", "z/_#1"});
}

TEST_CASE("cancelled while it waits: nothing of it runs, no clean-up either, and it has ended") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Driven other(world, store, k_first);
    Turns turns(*world.services, store, "Turns");
    turns.ask(other.run());
    world.waiter.at_wait = [&](int wait) {
        if (wait == 2) {
            CHECK(cancel_run(*world.services, world.project, "latest"));
        }
    };
    const RunOutcome outcome = world.start();
    CHECK(outcome.state == RunState::cancelled);
    CHECK(outcome.exit_code() == ExitCode::cancelled);
    CHECK(world.ran().empty());
    CHECK(world.view(outcome.run).state == "cancelled");
    CHECK(world.state("z/_") == "cancelled");
    SUBCASE("resumed, it runs") {
        other.end();
        world.waiter.at_wait = {};
        CHECK(world.resume().state == RunState::succeeded);
        CHECK(world.ran() == std::vector<std::string>{"a/_#1", "z/_#1"});
    }
}

TEST_CASE("skip: no run is recorded, and all is well") {
    FakeWorld world(k_flow);
    OpenStore store = world.services->open_store("", true);
    Driven other(world, store, k_first);
    Turns(*world.services, store, "Turns").ask(other.run());
    StartOptions options;
    options.concurrency = "skip";
    const RunOutcome outcome = world.start(options);
    CHECK(outcome.skipped_for == k_first);
    CHECK(outcome.run.empty());
    CHECK(outcome.exit_code() == ExitCode::ok);
    CHECK(list_runs(*store.objects) == std::vector<std::string>{k_first});
}
