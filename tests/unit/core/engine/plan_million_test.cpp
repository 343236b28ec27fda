// A million tasks: time and memory are printed, and memory is bounded far above what it should be.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <random>

#include "core/engine/plan.hpp"
#include "tests/support/graph_builder.hpp"

namespace amp::test {

namespace {

constexpr std::uint32_t k_side = 1000;
constexpr Timestamp k_now{1'000'000};

std::uint64_t allocated() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::uint64_t hash_of(const TaskIndex& index, std::uint32_t salt) {
    std::uint64_t h = index.path[0] * std::uint64_t{k_side} + index.path[1] + salt * 0x51ed2701ULL;
    h = (h ^ (h >> 31)) * 0x9e3779b97f4a7c15ULL;
    return h >> 40;
}

/// What happens to an item is a function of its index, so that the end can be counted: 1 in 8 is skipped; of
/// the others 1 in 16 is caught at its third attempt, and 1 in 4 needs a second attempt.
enum class Fate { done, skipped, retried, caught };
Fate fate_of(const TaskIndex& index) {
    if (hash_of(index, 1) % 8 == 0) {
        return Fate::skipped;
    }
    if (hash_of(index, 2) % 16 == 0) {
        return Fate::caught;
    }
    return hash_of(index, 3) % 4 == 0 ? Fate::retried : Fate::done;
}

/// Drives a plan to its end: what is active ends in random order, several thousand at a time.
class Crowd {
  public:
    explicit Crowd(const Graph& graph) : graph_(graph), plan(graph, {}) {}

    void drive() {
        while (!plan.ended()) {
            for (const Question& q : plan.take_questions(10'000)) {
                answer(q);
            }
            for (const TaskId task : plan.take_ready(5'000 - std::min<std::size_t>(active_.size(), 5'000))) {
                active_.push_back(task);
            }
            for (std::size_t n = active_.size() / 2 + 1; n > 0 && !active_.empty(); --n) {
                std::swap(active_[random_() % active_.size()], active_.back());
                const TaskId task = active_.back();
                active_.pop_back();
                end(task);
            }
        }
    }

  private:
    void answer(const Question& q) {
        if (q.kind == Question::Kind::items) {
            plan.apply(ItemsDecided{q.step, q.index, k_side}, k_now);
            most_ = std::max(most_, allocated());
        } else {
            plan.apply(WhenDecided{q.step, q.index, fate_of(q.index) != Fate::skipped}, k_now);
        }
    }

    void end(TaskId task) {
        const StepId step = plan.step(task);
        const TaskIndex index = plan.index(task);
        const std::uint32_t attempt = plan.attempt(task);
        Cause cause = Cause::none;
        if (graph_.nodes[step].caught) {
            const Fate fate = fate_of(index);
            cause =
                fate == Fate::caught || (fate == Fate::retried && attempt == 1) ? Cause::user : Cause::none;
        }
        CHECK_UNARY(plan.apply(TaskEnded{step, index, attempt, cause, false}, k_now));
        ++ends;
        most_ = ends % 65'536 == 0 ? std::max(most_, allocated()) : most_;
    }

    const Graph& graph_;
    std::mt19937_64 random_{42};
    std::vector<TaskId> active_;

  public:
    Plan plan;
    std::uint64_t ends = 0;
    std::uint64_t most_ = 0;
};

std::uint64_t of(const Plan::Counts& counts, TaskState state) {
    return counts[static_cast<std::size_t>(state)];
}

}  // namespace

TEST_CASE("a million tasks in nested foreaches, with retries, skips and caught ones") {
    const Graph graph = graph_of(
        "a: foreach; b: needs a foreach each catch retry=2; c: needs b join; d: needs c join; e: needs b "
        "join=a");
    const std::uint64_t before = allocated();
    const auto start = std::chrono::steady_clock::now();
    Crowd crowd(graph);
    crowd.drive();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double bytes = static_cast<double>(crowd.most_ - before) / (k_side * k_side);
    MESSAGE(
        fmt::format("a million items: {:.2f} s, {} ends, {:.0f} bytes an item", seconds, crowd.ends, bytes));
    CHECK(bytes <= 400);

    std::uint64_t fates[4] = {};
    for (std::uint32_t i = 0; i < k_side; ++i) {
        for (std::uint32_t j = 0; j < k_side; ++j) {
            ++fates[static_cast<std::size_t>(fate_of({{i, j}, 0}))];
        }
    }
    const auto& b = crowd.plan.counts(1);
    CHECK(of(b, TaskState::skipped) == fates[1]);
    CHECK(of(b, TaskState::caught) == fates[3]);
    CHECK(of(b, TaskState::succeeded) == fates[0] + fates[2]);
    CHECK(crowd.ends == fates[0] + 2 * fates[2] + 3 * fates[3] + 2 * k_side + 2);
    CHECK(of(crowd.plan.counts(2), TaskState::succeeded) == k_side);
    CHECK(crowd.plan.state() == RunState::succeeded);
}

TEST_CASE("a million items of one foreach, a shared need that ends last, and a failure that stops all") {
    const Graph graph = graph_of("a: foreach; s; b: needs a,s; c: needs b join; z: cleanup");
    constexpr std::uint32_t k_items = 1'000'000;
    const std::uint64_t before = allocated();
    Plan plan(graph, {});
    plan.apply(ItemsDecided{0, {}, k_items}, k_now);
    for (std::uint32_t i = 0; i < k_items; ++i) {
        plan.apply(TaskEnded{0, {{k_items - 1 - i}, 0}, 1, Cause::none, false}, k_now);
    }
    CHECK(of(plan.counts(2), TaskState::waiting) == k_items);
    plan.apply(TaskEnded{1, {}, 1, Cause::none, false}, k_now);
    CHECK(of(plan.counts(2), TaskState::ready) == k_items);
    const double bytes = static_cast<double>(allocated() - before) / k_items;
    MESSAGE(fmt::format("two steps of a million items: {:.0f} bytes an item", bytes));
    CHECK(bytes <= 400);
    plan.apply(TaskEnded{2, {{7}, 0}, 1, Cause::user, false}, k_now);
    CHECK(of(plan.counts(2), TaskState::cancelled) == k_items - 1);
    CHECK(of(plan.counts(3), TaskState::blocked) == 1);
    plan.apply(RunReopened{}, k_now);
    CHECK(of(plan.counts(2), TaskState::ready) == k_items);
    CHECK(plan.take_ready(k_items + 1).size() == k_items);
}

}  // namespace amp::test
