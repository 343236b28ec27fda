#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/graph_builder.hpp"
#include "tests/support/plan_duel.hpp"
#include "tests/support/random_graph.hpp"

namespace amp::test {

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

// AMP_TEST_SEED and AMP_TEST_COUNT repeat a failure, or look further.
TEST_CASE("plan and naive model agree after every event, on random graphs with random events") {
    const std::uint64_t first = number_from("AMP_TEST_SEED", 1);
    const std::uint64_t count = number_from("AMP_TEST_COUNT", 20'000);
    std::size_t failures = 0;
    for (std::uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
        std::mt19937_64 random(seed);
        const Graph graph = random_graph(random);
        PlanDuel duel(graph, {random() % 2 == 0, random()}, random());
        const std::string difference = duel.fight(120);
        if (!difference.empty()) {
            ++failures;
            FAIL_CHECK("seed " << seed << ": " << difference << "\n    " << text_of(graph));
        }
    }
    CHECK(failures == 0);
}

}  // namespace amp::test
