#include "core/run/holds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Held"
[step.one]
run = "one"
retry = { times = 1, delay = "1s" }
[step.caught]
run = "caught"
catch = true
[step.fine]
run = "fine"
[step.after]
needs = "fine"
run = "after"
)toml";

/// A world in which all fail but two, and what is held of them.
struct Stage {
    Stage() : world(k_flow) {
        world.script = [](const TaskSpec& spec) {
            return spec.task.step == "fine" || spec.task.step == "after" ? succeed() : fail();
        };
    }
    RunOutcome run(double hold_s) {
        StartOptions options;
        options.hold_s = hold_s;
        options.keep_going = true;
        return world.start(options);
    }
    std::vector<Hold> holds() {
        const auto ids = world.store->list_children("runs/");
        std::vector<Hold> out = ids.empty() ? std::vector<Hold>() : read_holds(*world.store, ids.front());
        if (!out.empty() && begun.ms == 0) {
            begun = world.clock.now();
        }
        return out;
    }
    std::string id() { return world.store->list_children("runs/").front(); }
    bool said(std::string_view what) const {
        return std::any_of(world.notes.begin(), world.notes.end(),
                           [&](const std::string& note) { return note.find(what) != std::string::npos; });
    }
    /// Since something was held.
    double took() { return world.clock.now().seconds_since(begun); }

    FakeWorld world;
    Timestamp begun;
};

}  // namespace

TEST_CASE("a hold is written and read, and one of a newer amp is refused") {
    const Hold hold{"train/3", 2, "box", {1'793'174'400'000}, {}};
    const Hold again = hold_from(to_value(hold));
    CHECK(again.task == hold.task);
    CHECK(again.attempt == 2);
    CHECK(again.profile == "box");
    CHECK(again.until == hold.until);
    CHECK(again.over() == hold.until);
    Object newer = to_value(hold).as_object();
    newer["schema"] = Hold::k_schema + 1;
    CHECK_THROWS_AS(hold_from(newer), Error);
}

TEST_CASE("the place of what has failed for good is held, and the run ends with the hold") {
    Stage stage;
    std::vector<std::string> held;
    std::vector<AttemptId> freed;
    stage.world.waiter.at_wait = [&](int) {
        for (const Hold& hold : stage.holds()) {
            held.push_back(hold.task + "#" + std::to_string(hold.attempt));
        }
        freed = stage.world.waiter.backend->cancelled();
    };
    const RunOutcome outcome = stage.run(60);
    CHECK(outcome.state == RunState::failed);
    CHECK(!outcome.interrupted);
    CHECK(!held.empty());
    CHECK(std::all_of(held.begin(), held.end(), [](const std::string& name) { return name == "one/_#2"; }));
    CHECK(stage.took() >= 59);
    CHECK(stage.took() < 65);
    CHECK(stage.world.state("after/_") == "succeeded");
    CHECK(stage.said("the place of one is held until"));
    CHECK(stage.holds().empty());
    // The attempt before the last, and the one that was caught, were freed at once.
    CHECK(std::count(freed.begin(), freed.end(), AttemptId{TaskName::parse("one"), 1}) == 1);
    CHECK(std::count(freed.begin(), freed.end(), AttemptId{TaskName::parse("caught"), 1}) == 1);
    CHECK(std::count(freed.begin(), freed.end(), AttemptId{TaskName::parse("one"), 2}) == 0);
}

TEST_CASE("nothing is held unless that was asked for") {
    Stage stage;
    CHECK(stage.run(0).state == RunState::failed);
    CHECK(!stage.said("held"));
}

TEST_CASE("a hold goes on while somebody is inside, and ends when its record is removed") {
    Stage stage;
    double removed_at = 0;
    stage.world.waiter.at_wait = [&](int) {
        if (stage.holds().empty()) {
            return;
        }
        if (stage.took() < 200) {
            CHECK(stay_inside(*stage.world.store, stage.id(), "one/_",
                              stage.world.clock.now().plus_seconds(30)));
        } else {
            removed_at = stage.took();
            end_hold(*stage.world.store, stage.id(), "one/_");
        }
    };
    CHECK(stage.run(60).state == RunState::failed);
    CHECK(removed_at >= 200);
    CHECK(stage.took() < removed_at + 5);
    CHECK(!stay_inside(*stage.world.store, stage.id(), "one/_", {}));
}

TEST_CASE("who interrupts a run of which only holds are left ends them, and the run has failed") {
    Stage stage;
    stage.world.waiter.at_wait = [&](int) {
        if (!stage.holds().empty() && stage.took() > 10) {
            stage.world.waiter.interrupt();
        }
    };
    const RunOutcome outcome = stage.run(600);
    CHECK(outcome.state == RunState::failed);
    CHECK(!outcome.interrupted);
    CHECK(stage.took() < 20);
    CHECK(stage.holds().empty());
}

TEST_CASE("cancelling a run frees what it holds; so does the end of its backend") {
    for (const bool dies : {false, true}) {
        Stage stage;
        stage.world.waiter.at_wait = [&](int) {
            if (!stage.holds().empty() && stage.took() > 10) {
                ScriptedBackend& backend = *stage.world.waiter.backend;
                dies ? backend.die("gone") : backend.ask_cancel("you");
            }
        };
        CHECK(stage.run(600).state == RunState::failed);
        CHECK(stage.took() < 20);
        CHECK(stage.holds().empty());
    }
}

TEST_CASE("a hold ends with the backend that keeps it, and with no other") {
    for (const bool its : {false, true}) {
        Stage stage;
        bool told = false;
        stage.world.waiter.at_wait = [&](int) {
            if (!stage.holds().empty() && stage.took() > 10 && !std::exchange(told, true)) {
                std::vector<AttemptId> held;
                if (its) {
                    held.push_back({TaskName::parse("one"), 2});
                }
                stage.world.waiter.backend->inject(BackendLost{"one of several is gone", std::move(held)});
            }
        };
        CHECK(stage.run(100).state == RunState::failed);
        CHECK((stage.took() < 20) == its);
        CHECK(stage.holds().empty());
    }
}
