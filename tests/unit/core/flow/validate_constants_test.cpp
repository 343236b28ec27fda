#include "core/flow/validate_constants.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/flow/load.hpp"
#include "tests/support/cpu_time.hpp"

namespace amp {
namespace {

constexpr const char* k_params = R"(
[flow]
name = "x"
[params]
n = 3
s = "a"
o = { type = "object", default = { a = 1 } }
l = [1, 2]
never = false
)";

/// "E AMP1113" or "W AMP1113", of the step's lines; with `given` as a run sees it.
std::string found(const std::string& step, const Object* given = nullptr) {
    Diagnostics diagnostics;
    const Flow flow = load_flow(std::string(k_params) + "[step.a]\n" + step + "\n", "flow.toml", diagnostics);
    const Graph graph = validate(flow, diagnostics);
    Diagnostics of_run;
    if (given != nullptr) {
        REQUIRE_FALSE(diagnostics.has_errors());
        validate_constants(flow, graph, given, of_run);
    }
    std::string out;
    for (const Diagnostic& mistake : (given == nullptr ? diagnostics : of_run).sorted()) {
        if (mistake.code != "AMP1509") {
            out += (out.empty() ? "" : " ") +
                   std::string(mistake.severity == Diagnostic::Severity::error ? "E " : "W ") + mistake.code;
        }
    }
    return out;
}

TEST_CASE("what fails whatever is given is an error") {
    CHECK(found("run = \"echo {{ 1/0 }}\"") == "E AMP1113");
    CHECK(found("run = \"echo {{ 2 + 'a' }}\"") == "E AMP1113");
    CHECK(found("run = \"echo {{ len(5) }}\"") == "E AMP1113");
    CHECK(found("run = \"echo {{ 1 + 1 }} {{ params.n + 1 }}\"\ntimeout = \"{{ params.n }}m\"") == "");
}

TEST_CASE("what another value could make right is a warning, and of a run an error") {
    const Object same{{"n", 3}, {"s", "a"}, {"o", Object{{"a", 1}}}, {"l", List{1, 2}}, {"never", false}};
    const Object right{{"n", 3}, {"s", "a"}, {"o", Object{{"zz", 1}}}, {"l", List(12, 2)}, {"never", false}};
    for (const std::string step : {"run = \"echo {{ params.o.zz }}\"", "run = \"echo {{ params.l[9] }}\""}) {
        CAPTURE(step);
        CHECK(found(step) == "W AMP1113");
        CHECK(found(step, &same) == "E AMP1113");
        CHECK(found(step, &right) == "");
    }
    CHECK(found("run = \"echo {{ 6 / (params.n - 3) }}\"") == "W AMP1113");
    CHECK(found("run = \"echo {{ [7, 8][params.n - 40] }}\"") == "W AMP1113");
    CHECK(found("foreach = \"params.n\"\nrun = \"echo {{ item }}\"") == "W AMP1113");
    CHECK(found("foreach = \"params.n\"\nrun = \"echo {{ item }}\"", &same) == "E AMP1113");
    CHECK(found("run = \"echo a\"\nwhen = \"params.n + 'x'\"") == "W AMP1113");
    CHECK(found("run = \"echo a\"\ntimeout = \"{{ params.n }}x\"") == "W AMP1114");
    CHECK(found("run = \"echo a\"\nresources = { cpu = \"{{ params.o }}\" }") == "W AMP1114");
    CHECK(found("run = \"echo {{ default(params.o.zz, 1) }}\"") == "");
}

TEST_CASE("what may not be reached is no error") {
    CHECK(found("when = \"params.never\"\nrun = \"echo {{ 1/0 }}\"") == "");
    CHECK(found("when = \"env.X\"\nrun = \"echo {{ 1/0 }}\"") == "W AMP1113");
    CHECK(found("catch = \"e\"\nrun = \"echo {{ 1/0 }}\"") == "W AMP1113");
    CHECK(found("run = \"echo {{ 1/0 if params.never else 2 }}\"") == "");
}

TEST_CASE("a NUL byte in constants") {
    CHECK(found("run = \"echo \\u0000\"") == "E AMP1213");
    CHECK(found("run = [\"echo\", \"\\u0000\"]") == "E AMP1213");
    CHECK(found("run = \"a\"\nenv = { A = \"\\u0000\" }") == "E AMP1213");
    CHECK(found("run = \"a\"\ncwd = \"a\\u0000\"") == "E AMP1213");
    CHECK(found("run = \"a\"\noutputs = { m = \"a\\u0000\" }") == "E AMP1213");
    CHECK(found("run = \"a\"\nshell = [\"sh\\u0000\", \"-c\"]") == "E AMP1213");
    CHECK(found("run = \"a\"\ncache_dirs = { k = \"a\\u0000\" }") == "E AMP1213");
    CHECK(found("flow = \"f.toml\"\nparams = { p = \"a\\u0000\" }") == "E AMP1213");
    CHECK(found("wait = { file = \"a\\u0000\" }") == "E AMP1213");
}

TEST_CASE("what default() is to hold is said as it was written") {
    Diagnostics diagnostics;
    const Flow flow = load_flow(R"([flow]
name = "x"
[step.fan]
foreach = "[1, 2]"
run = "a"
outputs = { sq = { path = "sq", optional = true } }
[step.all]
needs = "fan"
join = true
run = "echo {{ fan[0].sq }} {{ fan[1].sq.x }}"
)",
                                "flow.toml", diagnostics);
    validate(flow, diagnostics);
    const auto list = diagnostics.sorted();
    REQUIRE(list.size() == 2);
    CHECK(list[0].code == "AMP1421");
    CHECK(list[0].hint == "say default(fan[0].sq, …)");
    CHECK(list[1].hint == "say default(fan[1].sq, …)");
}

TEST_CASE("how much is evaluated is counted, so that a flow is as right on every machine") {
    // Each costs about a million steps: some of them are looked at, then no more.
    std::string text = "[flow]\nname = \"x\"\n";
    for (int i = 0; i < 40; ++i) {
        text += fmt::format("[step.s{}]\nrun = \"echo {{{{ sum(range(300000)) + 'a' }}}}\"\n", i);
    }
    const auto told = [&] {
        Diagnostics diagnostics;
        const Flow flow = load_flow(text, "flow.toml", diagnostics);
        validate(flow, diagnostics);
        return diagnostics.error_count();
    };
    const std::size_t first = told();
    CHECK(first >= 2);
    CHECK(first <= 30);
    for (int i = 0; i < 3; ++i) {
        CHECK(told() == first);
    }
}

TEST_CASE("many parameters and costly expressions take no time") {
    std::string text = "[flow]\nname = \"x\"\n[params]\n";
    for (int i = 0; i < 2000; ++i) {
        text += fmt::format("p{} = {}\n", i, i);
    }
    for (int i = 0; i < 2000; ++i) {
        text += fmt::format("[step.s{0}]\nrun = \"echo {{{{ params.p{0} }}}} {{{{ 1/0 }}}}\"\n", i);
    }
    Diagnostics diagnostics;
    const Flow flow = load_flow(text, "flow.toml", diagnostics);
    const Graph graph = build_graph(flow, diagnostics);
    const double before = cpu_seconds();
    validate_constants(flow, graph, nullptr, diagnostics);
    CHECK(cpu_seconds() - before < 3 * k_slower);
}

}  // namespace
}  // namespace amp
