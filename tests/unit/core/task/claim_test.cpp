#include "core/task/claim.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_run = "261120-081530-k3fx";
const TaskName k_task{"train", TaskIndex{{3}, 0}};

/// An execution on a machine; those that `living` names live.
struct World {
    MemoryStore store;
    std::set<std::int64_t> living;

    Claim execution(std::int64_t pid, const std::string& host = "node1") const {
        Claim claim;
        claim.task = k_task;
        claim.token = "token";
        claim.id = host + "." + std::to_string(pid);
        claim.by = {host, "boot of " + host, "pid:[1]", pid, 100};
        return claim;
    }
    ClaimOutcome claim(const Claim& ours) {
        return claim_attempt(store, {k_run, ours, [this](const ProcessIdentity& process) {
                                         return living.contains(process.pid);
                                     }});
    }
    bool record(const Claim& ours, Cause cause = Cause::none) {
        AttemptResult result;
        result.task = k_task;
        result.attempt = ours.attempt;
        result.cause = cause;
        result.message = ours.id;
        return record_attempt(store, k_run, ours, result);
    }
    std::string committed() {
        const auto commit = read_commit(store, k_run, k_task);
        return commit ? commit->result.message : "";
    }
};

}  // namespace

TEST_CASE("the first execution has the attempt, a second finds it living") {
    World world;
    world.living = {1};
    CHECK(world.claim(world.execution(1)).ours->execution == 1);
    const ClaimOutcome second = world.claim(world.execution(2));
    CHECK_FALSE(second.ours);
    CHECK(second.refusal == "attempt 1 of train/3 is being done by pid 1 on 'node1'");
}

TEST_CASE("what a dead execution of the same machine held is taken over, once") {
    World world;
    CHECK(world.claim(world.execution(1)).ours);
    world.living = {2, 3};
    const ClaimOutcome second = world.claim(world.execution(2));
    REQUIRE(second.ours);
    CHECK(second.ours->execution == 2);
    CHECK(second.before->by.pid == 1);
    CHECK_FALSE(world.claim(world.execution(3)).ours);
}

TEST_CASE("from another machine nobody can tell; the scheduler can") {
    World world;
    Claim first = world.execution(1);
    first.job = "slurm:c:7";
    REQUIRE(world.claim(first).ours);
    Claim other = world.execution(1, "node2");
    CHECK(world.claim(other).refusal ==
          "attempt 1 of train/3 was begun by pid 1 on 'node1', and whether that lives cannot be told from "
          "here");
    other.job = first.job;
    CHECK_FALSE(world.claim(other).ours);  // not started again
    other.restart = 1;
    CHECK(world.claim(other).ours->execution == 2);
    CHECK_FALSE(world.claim(other).before->id == other.id);
    Claim container = world.execution(9);
    container.by.pid_space = "pid:[2]";
    CHECK_FALSE(world.claim(container).ours);
}

TEST_CASE("another submission's attempt is never taken over") {
    World world;
    REQUIRE(world.claim(world.execution(1)).ours);
    Claim other = world.execution(2);
    other.token = "another";
    CHECK(world.claim(other).refusal == "attempt 1 of train/3 is another submission's, pid 1 on 'node1'");
}

TEST_CASE("of two executions one commits, and the other shows nothing") {
    World world;
    const Claim first = *world.claim(world.execution(1)).ours;
    const Claim second = *world.claim(world.execution(2)).ours;  // the first was taken for dead
    CHECK_FALSE(world.record(first));
    CHECK(world.committed().empty());
    CHECK(world.record(second));
    CHECK(world.committed() == second.id);
    CHECK(read_attempt(world.store, k_run, k_task, 1)->by.execution == 2);
}

TEST_CASE("of two attempts one commits, and the other's success shows nowhere") {
    World world;
    const Claim first = *world.claim(world.execution(1)).ours;
    Claim again = world.execution(2);
    again.attempt = 2;
    again.token = "token 2";
    const Claim second = *world.claim(again).ours;
    CHECK(world.record(second));
    CHECK_FALSE(world.record(first));
    CHECK_FALSE(read_attempt(world.store, k_run, k_task, 1));
    CHECK(read_commit(world.store, k_run, k_task)->by.attempt == 2);
    Claim third = world.execution(3);
    third.attempt = 3;
    CHECK(world.claim(third).refusal == "train/3 is done: attempt 2, pid 2 on 'node1', has succeeded");
}

TEST_CASE("an attempt that has failed is over, and the next one is not") {
    World world;
    const Claim first = *world.claim(world.execution(1)).ours;
    CHECK(world.record(first, Cause::oom));
    CHECK(world.committed().empty());
    CHECK(world.claim(world.execution(2)).refusal == "attempt 1 of train/3 has ended: oom");
    Claim next = world.execution(3);
    next.attempt = 2;
    CHECK(world.claim(next).ours);
}

TEST_CASE("one that died between its commit and its result is made whole by the next") {
    World world;
    const Claim first = *world.claim(world.execution(1)).ours;
    REQUIRE(world.record(first));
    world.store.remove(layout::attempt_result(k_run, k_task.text(), 1));
    CHECK_FALSE(world.claim(world.execution(2)).ours);
    CHECK(world.store.size(layout::attempt_result(k_run, k_task.text(), 1)));
    CHECK(read_attempt(world.store, k_run, k_task, 1)->result.message == first.id);
}

TEST_CASE("a lost answer of the store changes nothing, whichever it is") {
    for (std::size_t call = 1; call <= 8; ++call) {
        CAPTURE(call);
        World world;
        const Claim wanted = world.execution(1);
        world.living = {1};
        world.store.lose_answer(call);
        std::optional<Claim> ours;
        bool recorded = false;
        for (int tries = 0; tries < 3 && !recorded; ++tries) {
            try {
                ours = ours ? ours : world.claim(wanted).ours;
                REQUIRE(ours);
                recorded = world.record(*ours);
            } catch (const Error&) {  // asked again
            }
        }
        CHECK(recorded);
        CHECK(ours->execution == 1);
        CHECK(world.committed() == wanted.id);
    }
}

TEST_CASE("sixteen at once: one of them has it") {
    World world;
    for (std::int64_t pid = 1; pid <= 16; ++pid) {
        world.living.insert(pid);
    }
    std::atomic<int> got{0};
    std::vector<std::thread> threads;
    for (std::int64_t pid = 1; pid <= 16; ++pid) {
        threads.emplace_back([&world, &got, pid] { got += world.claim(world.execution(pid)).ours ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(got == 1);
}

TEST_CASE("records of a newer amp, and damaged ones, are not obeyed") {
    World world;
    const std::string key = layout::attempt_claim(k_run, k_task.text(), 1);
    world.store.put(key, R"({"schema":2})");
    CHECK_THROWS_WITH_AS(world.claim(world.execution(1)),
                         ("'" + key + "' was written by a newer amp").c_str(), Error);
    world.store.remove(key);
    REQUIRE(world.claim(world.execution(1)).ours);
    std::string bytes = world.store.get(key)->bytes;
    bytes[bytes.find("node1")] = 'm';
    world.store.tamper(key, bytes);
    CHECK_THROWS_AS(world.claim(world.execution(2)), Error);
}

TEST_CASE("a wish to cancel is there for whoever is asked to end") {
    World world;
    CHECK_FALSE(is_cancel_asked(world.store, k_run, k_task, 1));
    ask_to_cancel(world.store, k_run, k_task, 1);
    ask_to_cancel(world.store, k_run, k_task, 1);
    CHECK(is_cancel_asked(world.store, k_run, k_task, 1));
    CHECK_FALSE(is_cancel_asked(world.store, k_run, k_task, 2));
}

TEST_CASE("schedulers name the job and how often it was started") {
    CHECK(scheduler_job({}).first.empty());
    const auto slurm =
        scheduler_job({{"SLURM_JOB_ID", "12"}, {"SLURM_CLUSTER_NAME", "big"}, {"SLURM_RESTART_COUNT", "2"}});
    CHECK(slurm.first == "slurm:big:12");
    CHECK(slurm.second == 2);
    CHECK(scheduler_job({{"SLURM_JOB_ID", "12"}}).second == 0);
    const auto batch = scheduler_job({{"AWS_BATCH_JOB_ID", "a-b:3"}, {"AWS_BATCH_JOB_ATTEMPT", "1"}});
    CHECK(batch.first == "batch:a-b:3");
    CHECK(batch.second == 1);
}
