#include "cli/show_flow.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"
#include "core/flow/load.hpp"

namespace amp {
namespace {

constexpr const char* k_flow = R"toml([flow]
name = "Sample"
description = "A small one"

[params]
lr = 0.1
actions = { type = "list", default = ["a", "b"] }

[step.prepare]
run = "python prepare.py --out {{ outputs.data }} --lr {{ params.lr }}"
outputs = { data = "data.bin" }

[step.train]
needs = "prepare"
foreach = "params.actions"
run = ["python", "train it.py", "--action", "{{ item }}"]
retry = 2
outputs = { model = "model" }

[step.report]
needs = "train"
join = true
run = """
echo one
echo "two"
"""

[step.tidy]
when = "always()"
run = "rm -rf scratch"
)toml";

LoadedFlow load(const std::string& text) {
    LoadedFlow loaded;
    loaded.flow = load_flow(text, "flow.toml", loaded.diagnostics);
    loaded.graph = build_graph(loaded.flow, loaded.diagnostics);
    for (const Diagnostic& diagnostic : loaded.diagnostics.sorted()) {
        MESSAGE(diagnostic.message);
    }
    REQUIRE(!loaded.diagnostics.has_errors());
    return loaded;
}

}  // namespace

TEST_CASE("a flow as a tree") {
    CHECK(flow_tree(load(k_flow), {}) ==
          "flow Sample (flow.toml), 4 steps\n"
          "A small one\n"
          "params  lr=0.1 actions=[\"a\",\"b\"]\n"
          "\n"
          "prepare\n"
          "    python prepare.py --out {{ outputs.data }} --lr {{ params.lr }}\n"
          "| train  <- prepare  [foreach params.actions]  [retry 2]\n"
          "|     python 'train it.py' --action {{ item }}\n"
          "report  <- train  [join]\n"
          "    echo one\n"
          "    echo \"two\"\n"
          "tidy  [when always()]  [at the end]\n"
          "    rm -rf scratch\n");
}

TEST_CASE("a flow for Graphviz, with names that cannot break out of their quotes") {
    CHECK(flow_dot(load(k_flow)) ==
          "digraph \"Sample\" {\n"
          "  rankdir=LR;\n"
          "  node [shape=box];\n"
          "  \"prepare\";\n"
          "  \"train\" [label=\"train\\nforeach params.actions, retry 2\", peripheries=2];\n"
          "  \"report\" [label=\"report\\njoin\"];\n"
          "  \"tidy\" [label=\"tidy\\nwhen always(), at the end\"];\n"
          "  \"prepare\" -> \"train\";\n"
          "  \"train\" -> \"report\";\n"
          "}\n");
    const std::string quoted =
        flow_dot(load("[flow]\nname = \"F\"\n[params]\nx = \"1\"\n[step.a]\nwhen = 'params.x == "
                      "\"\\\\\"'\nrun = \"true\"\n"));
    CHECK(quoted.find(R"(when params.x == \"\\\\\")") != std::string::npos);
}

TEST_CASE("a flow as JSON") {
    const Value document = flow_document(load(k_flow));
    CHECK(get_string(document, "schema") == "amp.flow/1");
    CHECK(get_list(document, "params").size() == 2);
    const List& steps = get_list(document, "steps");
    REQUIRE(steps.size() == 4);
    CHECK(get_string(steps[1], "name") == "train");
    CHECK(get_string(steps[1], "foreach") == "params.actions");
    CHECK(json::dump(*steps[1].find("stack")) == "[\"train\"]");
    CHECK(json::dump(*steps[1].find("needs")) == "[{\"step\":\"prepare\",\"when\":null}]");
    CHECK(get_int(steps[1], "retries") == 2);
    CHECK(get_bool(steps[2], "join"));
    CHECK(get_bool(steps[3], "cleanup"));
}

}  // namespace amp
