#include "core/flow/graph.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "core/flow/load.hpp"
#include "tests/support/patience.hpp"

using namespace amp;

namespace {

struct Built {
    Graph graph;
    std::vector<Diagnostic> found;

    std::string codes() const {
        std::string out;
        for (const Diagnostic& d : found) {
            out += (out.empty() ? "" : " ") + d.code;
        }
        return out;
    }
    const Graph::Node& node(std::string_view name) const { return graph.nodes.at(graph.id(name)); }
    /// "[a, b]"
    std::string stack(std::string_view name) const {
        std::string out;
        for (const StepId id : node(name).stack) {
            out += (out.empty() ? "" : ",") + graph.nodes[id].name;
        }
        return "[" + out + "]";
    }
    /// "b:1 c:0": needs and how many levels each closes
    std::string needs(std::string_view name) const {
        std::string out;
        for (const Graph::Edge& edge : node(name).needs) {
            out += (out.empty() ? "" : " ") + graph.nodes[edge.from].name + ":" +
                   std::to_string(edge.closes) + (edge.conditional ? "?" : "");
        }
        return out;
    }
    std::string order() const {
        std::string out;
        for (const StepId id : graph.order) {
            out += (out.empty() ? "" : " ") + graph.nodes[id].name;
        }
        return out;
    }
};

/// Of lines "name: key = value; key = value".
Built build(const std::vector<std::string>& steps) {
    std::string text = "[flow]\nname = 'F'\n[params]\nxs = [1]\n";
    for (const std::string& step : steps) {
        const std::size_t colon = step.find(':');
        text += "[step." + step.substr(0, colon) + "]\nrun = 'true'\n";
        std::string keys = step.substr(colon + 1);
        for (char& c : keys) {
            c = c == ';' ? '\n' : c;
        }
        text += keys + "\n";
    }
    Diagnostics diagnostics;
    const Flow flow = load_flow(text, "flow.toml", diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    Graph graph = build_graph(flow, diagnostics);
    return {std::move(graph), diagnostics.sorted()};
}

}  // namespace

TEST_CASE("the order is topological, among equals that of the file") {
    const Built built = build({"d: needs = ['b', 'c']", "a:", "c: needs = 'a'", "b: needs = 'a'", "z:"});
    CHECK(built.codes().empty());
    CHECK(built.order() == "a c b d z");
    CHECK(built.graph.id("d") == 0);
    CHECK(built.graph.id("nobody") == 5);
    CHECK(built.node("a").next == std::vector<StepId>{2, 3});
}

TEST_CASE("an unknown need is told with the nearest step and left out") {
    const Built built = build({"train:", "report: needs = ['trian', 'train']"});
    REQUIRE(built.codes() == "AMP1301");
    CHECK(built.found[0].hint == "did you mean 'train'?");
    CHECK(built.needs("report") == "train:0");
}

TEST_CASE("a circle is shown once, as a path") {
    const Built built = build({"a: needs = 'c'", "b: needs = 'a'", "c: needs = 'b'", "d: needs = 'c'"});
    REQUIRE(built.codes() == "AMP1302");
    CHECK(built.found[0].message == "steps need each other in a circle: a needs c needs b needs a");
    CHECK(built.graph.order.size() == 4);
    CHECK(build({"a: needs = 'a'"}).codes() == "AMP1302");
    CHECK(build({"a: needs = 'b'", "b: needs = 'a'", "c: needs = 'd'", "d: needs = 'c'"}).codes() ==
          "AMP1302 AMP1302");
}

TEST_CASE("a need given twice is a mistake") {
    CHECK(build({"a:", "b: needs = ['a', 'a', 'a']"}).codes() == "AMP1303");
}

TEST_CASE("stacks grow by foreach and are inherited; a shorter one is shared") {
    const Built built = build({"p:", "a: foreach = 'params.xs'", "b: needs = 'a'; foreach = 'params.xs'",
                               "c: needs = ['b', 'a', 'p']", "d: needs = ['p', 'a']"});
    CHECK(built.codes().empty());
    CHECK(built.stack("p") == "[]");
    CHECK(built.stack("a") == "[a]");
    CHECK(built.stack("b") == "[a,b]");
    CHECK(built.stack("c") == "[a,b]");
    CHECK(built.needs("c") == "b:0 a:0 p:0");
    CHECK(built.stack("d") == "[a]");
}

TEST_CASE("siblings in one stack pair by index, others do not fit") {
    CHECK(build({"a: foreach = 'params.xs'", "b: needs = 'a'", "c: needs = 'a'", "d: needs = ['b', 'c']"})
              .stack("d") == "[a]");
    const Built built =
        build({"a: foreach = 'params.xs'", "b: foreach = 'params.xs'", "c: needs = ['a', 'b']"});
    REQUIRE(built.codes() == "AMP1304");
    CHECK(built.found[0].message ==
          "step 'c' needs 'a' inside foreach [a] and 'b' inside foreach [b], which do not fit together");
    CHECK(built.needs("c") == "a:0");
}

TEST_CASE("join closes the innermost foreach, or the named one and all within it") {
    const std::vector<std::string> steps = {"p:", "a: foreach = 'params.xs'",
                                            "b: needs = 'a'; foreach = 'params.xs'"};
    const auto with = [&](const std::string& last) {
        std::vector<std::string> all = steps;
        all.push_back(last);
        return build(all);
    };
    CHECK(with("j: needs = 'b'; join = true").stack("j") == "[a]");
    CHECK(with("j: needs = 'b'; join = true").needs("j") == "b:1");
    CHECK(with("j: needs = 'b'; join = 'a'").stack("j") == "[]");
    CHECK(with("j: needs = 'b'; join = 'a'").needs("j") == "b:2");
    // [A,B] + [A] with join = true closes B only.
    CHECK(with("j: needs = ['b', 'a']; join = true").needs("j") == "b:1 a:0");
    CHECK(with("j: needs = ['b', 'a']; join = true").stack("j") == "[a]");
    CHECK(with("j: needs = ['b', 'a']; join = 'a'").needs("j") == "b:2 a:1");
    // [A] + [] closes A.
    CHECK(with("j: needs = ['a', 'p']; join = true").needs("j") == "a:1 p:0");
    CHECK(with("j: needs = ['a', 'p']; join = true").stack("j") == "[]");
}

TEST_CASE("a join of two foreaches side by side closes both") {
    const Built built = build({"a: foreach = 'params.xs'", "b: foreach = 'params.xs'",
                               "j: needs = ['a', 'b']; join = true", "k: needs = ['a', 'b']; join = 'b'"});
    CHECK(built.codes().empty());
    CHECK(built.needs("j") == "a:1 b:1");
    CHECK(built.stack("j") == "[]");
    CHECK(built.needs("k") == "a:1 b:1");
    const Built inner =
        build({"a: foreach = 'params.xs'", "b: needs = 'a'; foreach = 'params.xs'",
               "c: needs = 'a'; foreach = 'params.xs'", "j: needs = ['b', 'c']; join = true"});
    CHECK(inner.codes().empty());
    CHECK(inner.stack("j") == "[a]");
}

TEST_CASE("what a join cannot close together") {
    const Built built = build({"a: foreach = 'params.xs'", "b: needs = 'a'; foreach = 'params.xs'",
                               "c: foreach = 'params.xs'", "j: needs = ['b', 'c']; join = true"});
    REQUIRE(built.codes() == "AMP1304");
    CHECK(built.found[0].hint == "join = \"a\" would close all of them");
    CHECK(build({"a: foreach = 'params.xs'", "b: needs = 'a'; foreach = 'params.xs'",
                 "c: foreach = 'params.xs'", "j: needs = ['b', 'c']; join = 'a'"})
              .needs("j") == "b:2 c:1");
}

TEST_CASE("wrong joins") {
    CHECK(build({"a: foreach = 'params.xs'", "b: needs = 'a'; foreach = 'params.xs'; join = true"}).codes() ==
          "AMP1305");
    CHECK(build({"a:", "b: needs = 'a'; join = true"}).codes() == "AMP1306");
    CHECK(build({"b: join = true"}).codes() == "AMP1306");
    const Built built = build({"train: foreach = 'params.xs'", "b: needs = 'train'; join = 'trian'"});
    REQUIRE(built.codes() == "AMP1307");
    CHECK(built.found[0].hint == "did you mean 'train'?");
    CHECK(build({"p:", "a: foreach = 'params.xs'; needs = 'p'", "b: needs = 'a'; join = 'p'"}).codes() ==
          "AMP1307");
}

TEST_CASE("a join is no mistake where the foreach before it may be lost to another one") {
    CHECK(build({"train: foreach = 'params.xs'", "b: needs = 'trian'; join = true"}).codes() == "AMP1301");
    CHECK(build({"a: needs = 'nobody'", "b: needs = 'a'", "c: needs = 'b'; join = true"}).codes() ==
          "AMP1301");
    CHECK(build({"a: needs = 'c'; foreach = 'params.xs'", "b: needs = 'a'", "c: needs = 'b'; join = 'a'"})
              .codes() == "AMP1302");
}

TEST_CASE("clean-up at the end is needed by nobody") {
    const Built built =
        build({"a:", "end: when = 'always()'", "b: needs = 'end'", "c: needs = 'a'; when = 'failed()'"});
    CHECK(built.codes() == "AMP1308");
    CHECK(built.node("end").at_end);
    CHECK(built.node("c").cleanup);
    CHECK_FALSE(built.node("c").at_end);
}

TEST_CASE("foreaches within foreaches end somewhere") {
    std::vector<std::string> steps = {"s0: foreach = 'params.xs'"};
    for (int i = 1; i < 33; ++i) {
        steps.push_back("s" + std::to_string(i) + ": foreach = 'params.xs'; needs = 's" +
                        std::to_string(i - 1) + "'");
    }
    CHECK(build(steps).codes() == "AMP1309");
}

TEST_CASE("a condition that mentions the item is asked once an item") {
    const Built built = build({"a: foreach = 'params.xs'; when = 'item > 3'",
                               "b: foreach = 'params.xs'; when = 'len(params.xs) > 3'",
                               "c: foreach = 'params.xs'; as = 'x'; when = 'x > 3'",
                               "d: foreach = 'params.xs'; when = 'index > 0'",
                               "e: needs = 'c'; foreach = 'params.xs'; when = 'x > 3'"});
    CHECK(built.node("a").when_per_item);
    CHECK_FALSE(built.node("b").when_per_item);
    CHECK(built.node("c").when_per_item);
    CHECK(built.node("d").when_per_item);
    CHECK_FALSE(built.node("e").when_per_item);
}

TEST_CASE("nodes hold what the plan asks for") {
    const Built built =
        build({"a: retry = 3; catch = true; limit = 2; priority = -5; repeat = { until = 'round > 1', max = "
               "7, on_max = 'ok' }",
               "b: needs = [{ step = 'a', when = 'params.xs' }]"});
    const Graph::Node& node = built.node("a");
    CHECK(node.retry.times == 3);
    CHECK(node.caught);
    CHECK(node.limit == 2);
    CHECK(node.priority == -5);
    CHECK(node.repeat);
    CHECK(node.until);
    CHECK(node.max_rounds == 7);
    CHECK(node.on_max_ok);
    CHECK(built.needs("b") == "a:0?");
}

TEST_CASE("ten thousand steps of splits in succession take no time") {
    Flow flow;
    const auto add = [&](std::string name, const std::vector<std::string>& needs) {
        Step step;
        step.name = std::move(name);
        for (const std::string& need : needs) {
            step.needs.push_back({need, std::nullopt, {}});
        }
        flow.steps.push_back(std::move(step));
    };
    add("s0", {});
    for (int i = 1; i <= 3333; ++i) {
        const std::string before = "s" + std::to_string(i - 1);
        add("l" + std::to_string(i), {before});
        add("r" + std::to_string(i), {before});
        add("s" + std::to_string(i), {"l" + std::to_string(i), "r" + std::to_string(i)});
    }
    Diagnostics diagnostics;
    const auto begin = std::clock();
    const Graph graph = build_graph(flow, diagnostics);
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    CHECK_FALSE(diagnostics.has_errors());
    CHECK(graph.order.size() == 10000);
    MESSAGE("graph of 10,000 steps: " << took * 1000 << " ms");
    CHECK(took <
          test::k_linear_seconds);  // an exponential or quadratic walk would take far longer; machines differ
}
