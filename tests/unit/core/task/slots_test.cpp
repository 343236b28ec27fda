#include "core/task/slots.hpp"

#include <doctest/doctest.h>

using namespace amp;

namespace {

AttemptId id(const std::string& step) {
    return {TaskName::parse(step), 1};
}
Resources cpus(double n) {
    return {n, 0, 0};
}
SlotLimits limits() {
    return {8, 4, 1000, 1};
}

std::string taken(SlotQueue& queue, double now = 0) {
    const auto next = queue.take(now);
    return next ? next->task.step : "";
}

}  // namespace

TEST_CASE("priority comes first, then the order of submission") {
    SlotQueue queue(limits());
    queue.push(id("a"), cpus(1), 0, 0);
    queue.push(id("b"), cpus(1), 5, 0);
    queue.push(id("c"), cpus(1), 0, 0);
    CHECK(taken(queue) == "b");
    CHECK(taken(queue) == "a");
    CHECK(taken(queue) == "c");
    CHECK(taken(queue).empty());
    CHECK(queue.running() == 3);
}

TEST_CASE("workers, cpu, memory and gpu each limit what runs") {
    SlotQueue queue({2, 4, 1000, 1});
    for (const char* step : {"a", "b", "c"}) {
        queue.push(id(step), cpus(1), 0, 0);
    }
    CHECK(taken(queue) == "a");
    CHECK(taken(queue) == "b");
    CHECK(taken(queue).empty());
    queue.release(cpus(1));
    CHECK(taken(queue) == "c");
    SlotQueue memory(limits());
    memory.push(id("a"), {0.5, 700, 0}, 0, 0);
    memory.push(id("b"), {0.5, 700, 0}, 0, 0);
    CHECK(taken(memory) == "a");
    CHECK(taken(memory).empty());
    SlotQueue gpu(limits());
    gpu.push(id("a"), {0.5, 0, 1}, 0, 0);
    gpu.push(id("b"), {0.5, 0, 1}, 0, 0);
    CHECK(taken(gpu) == "a");
    CHECK(taken(gpu).empty());
}

TEST_CASE("fractions of a cpu add up") {
    SlotQueue queue({100, 1, 0, 0});
    for (int i = 0; i < 11; ++i) {
        queue.push(id("s" + std::to_string(i)), cpus(0.1), 0, 0);
    }
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(taken(queue).empty());
    }
    CHECK(taken(queue).empty());
}

TEST_CASE("small ones may pass a large one, but not for ever") {
    SlotQueue queue(limits());
    queue.push(id("running"), cpus(1), 0, 0);
    CHECK(taken(queue) == "running");
    queue.push(id("large"), cpus(4), 0, 0);
    for (int i = 0; i < 64; ++i) {
        queue.push(id("small"), cpus(1), 0, 0);
        CHECK(taken(queue, 1) == "small");
        queue.release(cpus(1));
    }
    queue.push(id("small"), cpus(1), 0, 0);
    CHECK(taken(queue, 1).empty());
    queue.release(cpus(1));
    CHECK(taken(queue, 1) == "large");
    CHECK(taken(queue, 1).empty());
    queue.release(cpus(4));
    CHECK(taken(queue, 1) == "small");
}

TEST_CASE("after a minute of being passed nothing passes it any more") {
    SlotQueue queue(limits());
    queue.push(id("running"), cpus(1), 0, 0);
    CHECK(taken(queue) == "running");
    queue.push(id("large"), cpus(4), 0, 0);
    queue.push(id("a"), cpus(1), 0, 0);
    queue.push(id("b"), cpus(1), 0, 0);
    CHECK(taken(queue, 10) == "a");
    CHECK(taken(queue, 71).empty());
}

TEST_CASE("who waits is told why, once, and not at once") {
    SlotQueue queue(limits());
    queue.push(id("running"), cpus(3), 0, 0);
    CHECK(taken(queue) == "running");
    queue.push(id("large"), cpus(4), 0, 10);
    CHECK(queue.tell_waiting(10.5).empty());
    const auto told = queue.tell_waiting(11);
    REQUIRE(told.size() == 1);
    CHECK(told[0].id == id("large"));
    CHECK(told[0].reason == "waits for 4 cpu (1 free)");
    CHECK(queue.tell_waiting(12).empty());
}

TEST_CASE("what can never start says why") {
    const SlotQueue queue(limits());
    CHECK(queue.impossible(cpus(4)).empty());
    CHECK(queue.impossible(cpus(5)) == "it needs 5 cpu, and this machine gives 4");
    CHECK(queue.impossible({1, 2000, 0}).find("of memory") != std::string::npos);
    CHECK(queue.impossible({1, 0, 2}) == "it needs 2 gpu, and this machine gives 1");
}

TEST_CASE("one that waits can be taken out") {
    SlotQueue queue(limits());
    queue.push(id("a"), cpus(1), 0, 0);
    CHECK(queue.remove(id("a")));
    CHECK_FALSE(queue.remove(id("a")));
    CHECK(taken(queue).empty());
    queue.push(id("b"), cpus(1), 0, 0);
    queue.push(id("c"), cpus(1), 0, 0);
    CHECK(queue.drop_waiting().size() == 2);
    CHECK(queue.waiting() == 0);
}
