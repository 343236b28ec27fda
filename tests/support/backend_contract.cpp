#include "tests/support/backend_contract.hpp"

#include <doctest/doctest.h>

#include <map>

namespace amp::test {
namespace {

constexpr int k_patience = 500;  // waits

AttemptId id_of(const TaskSpec& spec) {
    return {spec.task, spec.attempt};
}

/// What one attempt's events were.
struct Story {
    int started = 0;
    int ended = 0;
    bool started_after_end = false;
    AttemptResult result;
};

class Watcher {
  public:
    explicit Watcher(BackendBench& bench) : bench_(bench) {}

    void take() {
        for (const BackendEvent& event : bench_.backend().events()) {
            if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
                Story& story = stories[{ended->result.task, ended->result.attempt}];
                ++story.ended;
                story.result = ended->result;
            } else if (const auto* started = std::get_if<AttemptStarted>(&event)) {
                Story& story = stories[started->id];
                ++story.started;
                story.started_after_end = story.started_after_end || story.ended != 0;
            }
        }
    }

    const Story& until_ended(const TaskSpec& spec) {
        for (int i = 0; i < k_patience && stories[id_of(spec)].ended == 0; ++i) {
            bench_.wait();
            take();
        }
        REQUIRE(stories[id_of(spec)].ended == 1);
        return stories[id_of(spec)];
    }

    void until_started(const TaskSpec& spec) {
        for (int i = 0; i < k_patience && stories[id_of(spec)].started == 0; ++i) {
            bench_.wait();
            take();
        }
        REQUIRE(stories[id_of(spec)].started == 1);
    }

    /// Whatever comes within some waits.
    void for_a_while() {
        for (int i = 0; i < 5; ++i) {
            bench_.wait();
            take();
        }
    }

    std::map<AttemptId, Story> stories;

  private:
    BackendBench& bench_;
};

void check_ends(BackendBench& bench) {
    Watcher watcher(bench);
    const std::vector<TaskSpec> specs = {bench.succeeding("one"), bench.succeeding("two"),
                                         bench.failing("three")};
    bench.backend().submit(specs);
    for (const TaskSpec& spec : specs) {
        watcher.until_ended(spec);
        bench.backend().go_on();
    }
    watcher.for_a_while();
    for (const TaskSpec& spec : specs) {
        const Story& story = watcher.stories[id_of(spec)];
        CHECK(story.started == 1);
        CHECK(story.ended == 1);
        CHECK_FALSE(story.started_after_end);
    }
    CHECK(watcher.stories[id_of(specs[0])].result.succeeded());
    CHECK(watcher.stories[id_of(specs[2])].result.cause == Cause::user);
    CHECK(watcher.stories[id_of(specs[2])].result.exit == 3);
    CHECK(watcher.stories.size() == specs.size());
}

void check_idempotence(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec spec = bench.succeeding("once");
    bench.backend().submit({&spec, 1});
    bench.backend().submit({&spec, 1});
    watcher.until_ended(spec);
    watcher.for_a_while();
    CHECK(watcher.stories[id_of(spec)].ended == 1);
    CHECK(bench.times_run("once") == 1);
}

void check_cancel(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec spec = bench.endless("long");
    bench.backend().submit({&spec, 1});
    watcher.until_started(spec);
    const AttemptId unknown{TaskName::parse("nobody"), 7};
    bench.backend().cancel({&unknown, 1});
    const AttemptId id = id_of(spec);
    bench.backend().cancel({&id, 1});
    CHECK(watcher.until_ended(spec).result.cause == Cause::cancelled);
    bench.backend().cancel({&id, 1});
    watcher.for_a_while();
    CHECK(watcher.stories.size() == 1);
    CHECK(watcher.stories[id].ended == 1);
}

void check_kill(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec spec = bench.endless("long");
    bench.backend().submit({&spec, 1});
    watcher.until_started(spec);
    const AttemptId id = id_of(spec);
    bench.backend().kill({&id, 1});
    CHECK(watcher.until_ended(spec).result.cause == Cause::cancelled);
}

void check_go_on(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec bad = bench.failing("bad");
    bench.backend().submit({&bad, 1});
    watcher.until_ended(bad);
    const TaskSpec next = bench.succeeding("next");
    bench.backend().submit({&next, 1});
    watcher.for_a_while();
    CHECK(bench.times_run("next") == 0);
    CHECK(watcher.stories[id_of(next)].started == 0);
    bench.backend().go_on();
    CHECK(watcher.until_ended(next).result.succeeded());
}

void check_cancel_of_waiting(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec bad = bench.failing("bad");
    bench.backend().submit({&bad, 1});
    watcher.until_ended(bad);
    const TaskSpec waiting = bench.succeeding("waiting");
    bench.backend().submit({&waiting, 1});
    const AttemptId id = id_of(waiting);
    bench.backend().cancel({&id, 1});
    CHECK(watcher.until_ended(waiting).result.cause == Cause::cancelled);
    CHECK(watcher.stories[id].started == 0);
    CHECK(bench.times_run("waiting") == 0);
}

void check_impossible(BackendBench& bench) {
    Watcher watcher(bench);
    const TaskSpec spec = bench.impossible("giant");
    const TaskSpec small = bench.succeeding("small");
    bench.backend().submit({&spec, 1});
    bench.backend().submit({&small, 1});
    bench.backend().go_on();
    for (int i = 0; i < k_patience && watcher.stories[id_of(small)].ended == 0; ++i) {
        bench.wait();
        watcher.take();
        bench.backend().go_on();
    }
    CHECK(watcher.stories[id_of(small)].ended == 1);
    CHECK(watcher.stories[id_of(spec)].started == 0);
    CHECK(bench.times_run("giant") == 0);
}

void check_gang(BackendBench& bench) {
    if (!bench.starts_processes()) {
        return;
    }
    Watcher watcher(bench);
    const TaskSpec spec = bench.gang("together");
    bench.backend().submit({&spec, 1});
    CHECK(watcher.until_ended(spec).result.succeeded());
    CHECK(watcher.stories[id_of(spec)].started == 1);
    CHECK(watcher.stories[id_of(spec)].result.ranks == std::vector<RankEnd>(3));
    CHECK(bench.times_run("together") == 3);
    watcher.for_a_while();
    CHECK(watcher.stories[id_of(spec)].ended == 1);
}

void check_torn_gang(BackendBench& bench) {
    if (!bench.starts_processes()) {
        return;
    }
    Watcher watcher(bench);
    const TaskSpec spec = bench.torn_gang("torn");
    bench.backend().submit({&spec, 1});
    const AttemptResult& result = watcher.until_ended(spec).result;
    CHECK(result.cause == Cause::user);
    CHECK(result.exit == 3);
    CHECK(result.failed_rank == std::uint32_t{1});
    CHECK(result.message == "rank 1: exit status 3");
    REQUIRE(result.ranks.size() == 3);
    CHECK(result.ranks[1] == RankEnd{3, 0});
    CHECK_FALSE(result.ranks[0] == RankEnd{});
    CHECK_FALSE(result.ranks[2] == RankEnd{});
}

void check_cancelled_gang(BackendBench& bench) {
    Watcher watcher(bench);
    TaskSpec spec = bench.endless("long");
    spec.gang = Gang{3, 1, Launcher::none};
    spec.resources.cpu = 0.1;
    bench.backend().submit({&spec, 1});
    watcher.until_started(spec);
    const AttemptId id = id_of(spec);
    bench.backend().cancel({&id, 1});
    CHECK(watcher.until_ended(spec).result.cause == Cause::cancelled);
}

}  // namespace

void check_backend_contract(const std::function<std::unique_ptr<BackendBench>()>& make) {
    const std::map<std::string, void (*)(BackendBench&)> parts = {
        {"each attempt ends once, and starts before", check_ends},
        {"the same attempt runs once", check_idempotence},
        {"a cancelled one ends as cancelled", check_cancel},
        {"a killed one ends as cancelled", check_kill},
        {"nothing starts after a failure until go_on", check_go_on},
        {"one that waits can be cancelled", check_cancel_of_waiting},
        {"the ranks of a gang run at once, and end as one", check_gang},
        {"the first rank to fail ends all", check_torn_gang},
        {"a cancelled gang ends as one", check_cancelled_gang},
        {"what asks for more than the capacity never starts", check_impossible}};
    for (const auto& [name, check] : parts) {
        CAPTURE(name);
        const auto bench = make();
        CHECK(bench->backend().capacity().cpu > 0);
        CHECK(bench->backend().window() > 0);
        check(*bench);
        bench->backend().close();
    }
}

}  // namespace amp::test
