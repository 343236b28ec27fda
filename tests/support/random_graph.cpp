#include "tests/support/random_graph.hpp"

#include <algorithm>

#include "tests/support/graph_builder.hpp"

namespace amp::test {

namespace {

class Maker {
  public:
    explicit Maker(std::mt19937_64& random) : random_(random) {}

    Graph make() {
        const std::size_t steps = 1 + below(7);
        Graph graph;
        std::vector<std::string> join_steps;
        while (graph.nodes.size() < steps) {
            graph.nodes.push_back(make_node(graph));
            join_steps.push_back(make_join_step(graph));
            if (!link(graph, join_steps)) {
                graph.nodes.pop_back();
                join_steps.pop_back();
                link(graph, join_steps);
            }
        }
        return graph;
    }

  private:
    std::size_t below(std::size_t n) { return random_() % n; }
    bool one_in(std::size_t n) { return below(n) == 0; }

    Graph::Node make_node(const Graph& graph) {
        Graph::Node node;
        const std::size_t before = graph.nodes.size();
        node.name = std::string(1, static_cast<char>('a' + before));
        for (std::size_t i = 0; before > 0 && i < 1 + below(3); ++i) {
            // Mostly the last steps, so that graphs become deep.
            const auto from = static_cast<StepId>(
                one_in(3) ? below(before) : before - 1 - below(std::min<std::size_t>(before, 2)));
            const bool twice = std::any_of(node.needs.begin(), node.needs.end(),
                                           [&](const auto& e) { return e.from == from; });
            if (!twice && !graph.nodes[from].at_end && !one_in(8)) {
                node.needs.push_back({from, one_in(5), 0});
            }
        }
        node.foreach = one_in(3);
        node.joins = !node.foreach && !node.needs.empty() && !graph.nodes[node.needs[0].from].stack.empty() &&
                     one_in(2);
        node.when = one_in(5);
        node.cleanup = one_in(6);
        node.when = node.when || node.cleanup;
        node.when_per_item = node.foreach && node.when && one_in(2);
        node.caught = one_in(6);
        node.retry.times = static_cast<std::uint32_t>(one_in(2) ? below(3) : 0);
        if (!one_in(3)) {
            node.retry.delay_s = one_in(2) ? static_cast<double>(1 + below(20)) : 0;
        }
        node.retry.backoff = 2;
        node.retry.jitter = one_in(2) ? 0.5 : 0;
        node.limit = static_cast<std::uint32_t>(one_in(4) ? 1 + below(2) : 0);
        node.priority = static_cast<std::int32_t>(one_in(4) ? below(3) : 0);
        if (one_in(6)) {
            node.repeat = true;
            node.until = !one_in(3);
            node.max_rounds = static_cast<std::uint32_t>(node.until && one_in(3) ? 0 : 1 + below(3));
            node.on_max_ok = one_in(2);
        }
        return node;
    }

    std::string make_join_step(const Graph& graph) {
        const auto& node = graph.nodes.back();
        if (!node.joins || one_in(2)) {
            return {};
        }
        const auto& stack = graph.nodes[node.needs[0].from].stack;
        return graph.nodes[stack[below(stack.size())]].name;
    }

    std::mt19937_64& random_;
};

}  // namespace

Graph random_graph(std::mt19937_64& random) {
    return Maker(random).make();
}

}  // namespace amp::test
