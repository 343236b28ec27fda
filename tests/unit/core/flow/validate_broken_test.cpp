#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "core/flow/load.hpp"

// A mistake hides no other, and makes none up.

namespace amp {
namespace {

/// "AMP1301@4:9 AMP1401@5:1": all findings of a flow whose steps begin on line 3.
std::string found(const std::string& steps) {
    Diagnostics diagnostics;
    const Flow flow = load_flow("[flow]\nname = 'F'\n" + steps, "flow.toml", diagnostics);
    validate(flow, diagnostics);
    std::string out;
    for (const Diagnostic& d : diagnostics.sorted()) {
        out += fmt::format("{}{}@{}:{}", out.empty() ? "" : " ", d.code, d.place.line, d.place.column);
    }
    return out;
}

Diagnostic first(const std::string& steps) {
    Diagnostics diagnostics;
    const Flow flow = load_flow("[flow]\nname = 'F'\n" + steps, "flow.toml", diagnostics);
    validate(flow, diagnostics);
    REQUIRE(diagnostics.has_errors());
    return diagnostics.sorted().front();
}

TEST_CASE("an expression that cannot be parsed hides no unknown name in the same text") {
    CHECK(found("[step.a]\nrun = 'x {{ params.p }} {{ 1 + }} {{ params.q }}'\n") ==
          "AMP1401@4:13 AMP1101@4:32 AMP1401@4:38");
    CHECK(found("[step.a]\nrun = ['x', '{{ params.p }}{{ ) }}', '{{ params.q }}']\n") ==
          "AMP1401@4:17 AMP1101@4:31 AMP1401@4:42");
    CHECK(found("[step.a]\nrun = 'x'\nenv = { A = '{{ params.p }}{{ ) }}' }\n") ==
          "AMP1401@5:17 AMP1101@5:31");
    CHECK(found("[step.a]\nrun = 'x'\ntimeout = '{{ params.p }}{{ ) }}'\n") == "AMP1401@5:15 AMP1101@5:29");
    CHECK(found("[step.a]\nrun = 'x'\nresources = { cpu = '{{ params.p }}{{ ) }}' }\n") ==
          "AMP1401@5:25 AMP1101@5:39");
    CHECK(found("[step.a]\nrun = ['x', 'y {{ *params.p }}']\n") == "AMP1212@4:16 AMP1401@4:20");
}

TEST_CASE("nor does a shell that the rest does not fit into") {
    CHECK(found("[step.a]\nrun = \"x '{{ params.p }}' {{ params.q }}\"\n") ==
          "AMP1202@4:14 AMP1401@4:14 AMP1401@4:30");
}

TEST_CASE("what such a text makes, and gives to a shell, is known") {
    CHECK(found("[step.a]\nrun = 'amp put m 1; x {{ 1 + }}'\n[step.b]\nneeds = 'a'\nrun = 'x {{ a.m }}'\n") ==
          "AMP1101@4:30");
    CHECK(found("[params]\nkey = { type = 'secret' }\n[step.a]\nrun = 'x {{ params.key }} {{ 1 + }}'\n") ==
          "AMP1101@6:34");
}

TEST_CASE("a need with a mistake of form hides no others, and no circle") {
    CHECK(found("[step.a]\nrun = 'x'\nneeds = [3, 'p', { stp = 'q' }, { step = 'r' }]\n") ==
          "AMP1011@5:10 AMP1301@5:13 AMP1012@5:18 AMP1010@5:20 AMP1301@5:42");
    CHECK(found("[step.a]\nrun = 'x'\nneeds = [3, 'b']\n[step.b]\nrun = 'x'\nneeds = 'a'\n") ==
          "AMP1011@5:10 AMP1302@8:9");
}

TEST_CASE("behind a need with a mistake nothing seems out of reach") {
    CHECK(found("[step.a]\nrun = 'x'\noutputs = { m = 'm' }\n[step.b]\nneeds = [3]\nrun = 'x {{ a.m }}'\n") ==
          "AMP1011@7:10");
}

TEST_CASE("right parts of a key with a mistake of form are looked at") {
    CHECK(found("[step.a]\nrun = 'x'\nenv = { A = [1], B = '{{ params.p }}' }\n") ==
          "AMP1011@5:13 AMP1401@5:26");
    CHECK(found("[step.a]\nrun = 'x'\ninputs = [3, 'zz.m']\n") == "AMP1011@5:11 AMP1422@5:15");
    CHECK(found("[step.a]\nrun = 'x'\noutputs = { m = 3, n = 'n', o = 'o' }\n"
                "[step.b]\nneeds = 'a'\nrun = 'x {{ a.m }} {{ a.n }} {{ a.k }}'\n") ==
          "AMP1011@5:17 AMP1415@8:33");
}

TEST_CASE("checks of a step as a whole are done beside a mistake") {
    CHECK(found("[step.a]\nrun = 'x {{ 1 + }}'\nflow = 'f.toml'\n") == "AMP1101@4:17 AMP1026@5:1");
    CHECK(found("[step.a]\nrun = 3\n") == "AMP1011@4:7");
    CHECK(found("[step.a]\nrun = 'x'\nrepeat = { until = '1 +', max = 2 }\n") == "AMP1101@5:24");
}

TEST_CASE("a mistake in [defaults] is told once and makes up no other") {
    CHECK(found("[defaults]\nrun = 'x {{ 1 + }}'\n[step.a]\n[step.b]\n") == "AMP1101@4:17");
    CHECK(found("[defaults]\nenv = { A = '{{ params.p }}' }\n[step.a]\nrun = 'x'\n[step.b]\nrun = 'x'\n") ==
          "AMP1401@4:17");
}

TEST_CASE("a table that is given twice hides nothing of its own, nor of the rest") {
    const std::string twice = "[step.a]\nrun = 'x'\n[step.a]\nrun = 'x {{ params.p }}'\nneds = 'a'\n";
    CHECK(found(twice + "[step.b]\nneeds = 'q'\nrun = 'x'\n") ==
          "AMP1002@5:1 AMP1401@6:13 AMP1010@7:1 AMP1301@9:9");
    CHECK(found("[step.a]\nrun = 'x'\n[step.a]\nrun = 'x'\n[step.a.outputs]\nm = 3\n[step.b]\nrun = 3\n") ==
          "AMP1002@5:1 AMP1011@8:5 AMP1011@10:7");
    CHECK(found("[step.a]\nrun = 'x'\n[step.a]\nrun = 'x'\n[step.a]\nneeds = 'q'\nrun = 'x'\n") ==
          "AMP1002@5:1 AMP1002@7:1 AMP1301@8:9");
    CHECK(found("[params]\np = 1\n[step.a]\nrun = 'x {{ params.p }} {{ params.q }} {{ params.r }}'\n"
                "[params]\np = 2\nq = { type = 'tezt' }\n") ==
          "AMP1401@6:43 AMP1002@7:1 AMP1002@8:1 AMP1013@9:14");
    CHECK(
        found(
            "[step.a]\nrun = 'x'\noutputs = { m = './m' }\n[step.a]\nrun = 'x'\noutputs = { m = './m' }\n") ==
        "AMP1002@6:1");
}

TEST_CASE("a syntax error in a table that is given twice is told in its place") {
    CHECK(found("[step.a]\nrun = 'x'\n[step.a]\nrun = x\nneeds = 'é'\n") == "AMP1002@5:1 AMP1001@6:7");
}

TEST_CASE("a list with a mistake is still one, which a join closes") {
    const std::string list =
        "[step.a]\nforeach = '[1'\nrun = 'x {{ item }} {{ index }}'\noutputs = { m = 'm' }\n"
        "[step.b]\nneeds = 'a'\nrun = 'x {{ a.m }} {{ item }}'\n";
    CHECK(found(list) == "AMP1101@4:14");
    CHECK(found(list + "[step.j]\nneeds = 'b'\njoin = true\nrun = 'x {{ a.*.m }}'\n") == "AMP1101@4:14");
    CHECK(found(list + "[step.j]\nneeds = 'b'\njoin = true\nrun = 'x {{ a.m }} {{ a.*.n }}'\n") ==
          "AMP1101@4:14 AMP1416@13:13 AMP1415@13:23");
    CHECK(found("[step.a]\nforeach = '[1'\nas = 'b'\nrun = 'x {{ b }}'\n") == "AMP1101@4:14");
    CHECK(found("[step.a]\nforeach = ['q']\nrun = 'x {{ item }}'\n") == "AMP1011@4:11");
}

TEST_CASE("a join of something unknown says what was meant, and is all that is told") {
    const auto join = [](const std::string& what) {
        return "[step.outer]\nforeach = '[1]'\nrun = 'x'\noutputs = { m = 'm' }\n"
               "[step.inner]\nneeds = 'outer'\nforeach = '[1]'\nrun = 'x'\n"
               "[step.j]\nneeds = 'inner'\nrun = 'x {{ outer.*.m }}'\njoin = '" +
               what + "'\n";
    };
    for (const std::string what : {"zz", "outr", "tru", "j"}) {
        CAPTURE(what);
        CHECK(found(join(what)) == "AMP1307@14:1");
    }
    CHECK(first(join("zz")).message ==
          "step 'j' has join = \"zz\", but there is no such step; open before it is foreach [outer, inner]");
    CHECK(first(join("zz")).hint == "say join = true, or join = \"outer\" or \"inner\"");
    CHECK(first(join("outr")).hint == "did you mean 'outer'?");
    CHECK(first(join("tru")).hint == "did you mean true?");
    CHECK(found("[step.a]\nforeach = '[1]'\nrun = 'x'\noutputs = { m = 'm' }\n"
                "[step.j]\nneeds = 'a'\njoin = 3\nrun = 'x {{ a.*.m }}'\n") == "AMP1011@9:8");
}

}  // namespace
}  // namespace amp
