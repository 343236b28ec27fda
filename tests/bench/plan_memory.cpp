// What a plan costs in memory: a foreach of a million items, every one decided, started and ended.
// Prints {"items", "bytes_per_item", "seconds"}.

#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "core/engine/plan.hpp"
#include "core/flow/graph.hpp"
#include "core/flow/load.hpp"

namespace {

constexpr std::uint32_t k_items = 1'000'000;

/// From the heap, large blocks included.
std::size_t bytes_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void run_to_end(amp::Plan& plan) {
    std::int64_t now = 1;
    while (!plan.ended()) {
        for (const amp::Question& question : plan.take_questions(std::numeric_limits<std::size_t>::max())) {
            plan.apply(amp::ItemsDecided{question.step, question.index, k_items}, {now++});
        }
        for (const amp::TaskId task : plan.take_ready(1000)) {
            const std::uint32_t attempt = plan.attempt(task);
            plan.apply(amp::TaskStarted{plan.step(task), plan.index(task), attempt}, {now++});
            plan.apply(amp::TaskEnded{plan.step(task), plan.index(task), attempt}, {now++});
        }
    }
}

}  // namespace

int main() {
    const std::string text =
        "[flow]\nname = \"Plan\"\n[step.one]\nforeach = \"range(1000000)\"\nrun = [\"/bin/true\"]\n";
    amp::Diagnostics diagnostics;
    const amp::Flow flow = amp::load_flow(text, "flow.toml", diagnostics);
    const amp::Graph graph = amp::build_graph(flow, diagnostics);
    if (diagnostics.has_errors()) {
        fmt::print(stderr, "the flow of this measurement is invalid: {}\n",
                   diagnostics.sorted().front().message);
        return EXIT_FAILURE;
    }
    const auto began = std::chrono::steady_clock::now();
    const std::size_t before = bytes_in_use();
    amp::Plan plan(graph, {});
    run_to_end(plan);
    const double bytes = static_cast<double>(bytes_in_use() - before) / k_items;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    fmt::print("{{\"items\": {}, \"tasks\": {}, \"bytes_per_item\": {:.1f}, \"seconds\": {:.2f}}}\n", k_items,
               plan.task_count(), bytes, seconds.count());
    return plan.task_count() >= k_items ? EXIT_SUCCESS : EXIT_FAILURE;
}
