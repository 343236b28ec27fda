#include "core/flow/references.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "core/flow/load.hpp"

using namespace amp;

namespace {

/// A random acyclic graph: each step needs some of those before it.
Flow random_flow(std::mt19937& random, std::size_t steps) {
    Flow flow;
    for (std::size_t i = 0; i < steps; ++i) {
        Step step;
        step.name = "s" + std::to_string(i);
        for (std::size_t before = 0; before < i; ++before) {
            if (random() % steps < 2) {
                step.needs.push_back({"s" + std::to_string(before), std::nullopt, {}});
            }
        }
        flow.steps.push_back(std::move(step));
    }
    return flow;
}

/// The obvious way: all ancestors of all steps, with `left_out` not there at all.
std::vector<std::vector<bool>> ancestors_of(const Graph& graph, StepId left_out) {
    const std::size_t n = graph.nodes.size();
    std::vector<std::vector<bool>> before(n, std::vector<bool>(n, false));
    for (const StepId id : graph.order) {
        for (const Graph::Edge& edge : graph.nodes[id].needs) {
            if (edge.from == left_out) {
                continue;
            }
            before[id][edge.from] = true;
            for (StepId other = 0; other < n; ++other) {
                before[id][other] = before[id][other] || before[edge.from][other];
            }
        }
    }
    return before;
}

}  // namespace

TEST_CASE("reach answers as the obvious way does, for random graphs") {
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        const Flow flow = random_flow(random, 90);
        Diagnostics diagnostics;
        const Graph graph = build_graph(flow, diagnostics);
        const auto expected = ancestors_of(graph, static_cast<StepId>(graph.nodes.size()));
        Reach reach(graph);
        std::vector<Reach::Ticket> tickets;
        for (StepId step = 0; step < graph.nodes.size(); ++step) {
            for (StepId other = 0; other < graph.nodes.size(); ++other) {
                tickets.push_back(reach.ask(other, step));
            }
        }
        reach.answer_all();
        std::size_t wrong = 0;
        for (StepId step = 0; step < graph.nodes.size(); ++step) {
            for (StepId other = 0; other < graph.nodes.size(); ++other) {
                wrong += reach.answer(tickets[step * graph.nodes.size() + other]) != expected[step][other]
                             ? 1U
                             : 0U;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("a step dominates another if without it no root comes before that") {
    std::mt19937 random(5);
    for (int round = 0; round < 10; ++round) {
        const Flow flow = random_flow(random, 40);
        Diagnostics diagnostics;
        const Graph graph = build_graph(flow, diagnostics);
        const Reach reach(graph);
        const auto is_root = [&](StepId id) { return graph.nodes[id].needs.empty(); };
        for (StepId ancestor = 0; ancestor < graph.nodes.size(); ++ancestor) {
            const auto without = ancestors_of(graph, ancestor);
            for (StepId step = 0; step < graph.nodes.size(); ++step) {
                bool reached = is_root(step) && step != ancestor;
                for (StepId root = 0; root < graph.nodes.size(); ++root) {
                    reached = reached ||
                              (is_root(root) && root != ancestor && without[step][root] && step != ancestor);
                }
                CHECK(reach.dominates(ancestor, step) == (step == ancestor || !reached));
            }
        }
    }
}

TEST_CASE("the makers of a name before each step") {
    Diagnostics diagnostics;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[step]\na={run='x'}\nb={run='x',needs='a'}\nc={run='x',needs='a'}\nd={run='x',"
        "needs=['b','c']}\ne={run='x'}\n",
        "f", diagnostics);
    const Graph graph = build_graph(flow, diagnostics);
    const Reach reach(graph);
    const auto found = reach.makers_before({1, 4});  // b and e
    CHECK(found[0].first == reach.none());
    CHECK(found[2].first == reach.none());
    CHECK(found[3].first == 1);
    CHECK(found[3].second == reach.none());
    const auto both = reach.makers_before({1, 2});
    CHECK(both[3].second != reach.none());
}

TEST_CASE("who makes what: declared, caught and visible in the command") {
    Diagnostics diagnostics;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[step.a]\nrun='amp put x 1; echo > \"$AMP_OUT/y.json\"; amp put m 2; amp put "
        "--all; cat ${AMP_OUT}/z'\noutputs={m='m'}\ncatch=true\n[step.b]\nrun=['amp','put','x','2']\n",
        "f", diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    const ArtifactIndex index(flow);
    CHECK(index.names(0) == std::vector<std::string>{"m", "error", "x", "y", "z"});
    CHECK(index.makes(1, "x"));
    CHECK_FALSE(index.makes(1, "m"));
    CHECK(index.makers("x") == std::vector<StepId>{0, 1});
    CHECK(index.makers("nothing").empty());
}

TEST_CASE("a step's expressions are found wherever they stand") {
    Diagnostics diagnostics;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[params]\nx=1\n[step.a]\nrun='y {{ params.x }} {{ raw(params.x) }}'\nenv={A='{{ "
        "params.x }}'}\ncwd='{{ params.x }}'\nwhen='params.x'\nforeach='params.x'\n"
        "needs=[{step='b',when='params.x'}]\nrepeat={until='params.x',max=2}\nresources={cpu='{{ params.x "
        "}}',gpu='{{ params.x }}'}\ntimeout='{{ params.x }}'\nlimit='{{ params.x }}'\nslurm={p=['{{ params.x "
        "}}']}\n[step.b]\nrun='z'\n",
        "f", diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    CHECK(expressions_of(flow.steps[0]).size() == 13);
}
