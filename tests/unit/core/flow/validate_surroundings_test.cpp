#include <doctest/doctest.h>

#include <string>

#include "core/flow/load.hpp"

using namespace amp;

namespace {

/// "AMP1604:error@4 " for each finding where HOME alone is set and there is no git.
std::string found(const std::string& steps, bool starting) {
    Diagnostics loading;
    const Flow flow = load_flow("[flow]\nname='F'\n" + steps, "flow.toml", loading);
    const Graph graph = validate(flow, loading);
    CHECK_FALSE(loading.has_errors());
    Diagnostics diagnostics;
    validate_surroundings(flow, graph,
                          {[](const std::string& name) { return name == "HOME"; }, [] { return false; }},
                          starting, diagnostics);
    std::string out;
    for (const Diagnostic& d : diagnostics.sorted()) {
        out += d.code + (d.severity == Diagnostic::Severity::error ? ":error@" : ":warning@") +
               std::to_string(d.place.line) + " ";
    }
    return out;
}

std::string at_start(const std::string& steps) {
    return found(steps, true);
}

}  // namespace

TEST_CASE("a variable that is not set is a warning, and an error where the run is sure to need it") {
    const std::string flow = "[step.a]\nrun = 'x {{ env.HOME }} {{ env.NO }}'\n";
    CHECK(found(flow, false) == "AMP1604:warning@4 ");
    CHECK(at_start(flow) == "AMP1604:error@4 ");
    CHECK(at_start("[step.a]\nrun = ['x', '{{ env.NO }}']\n") == "AMP1604:error@4 ");
    CHECK(at_start("[step.a]\nrun = 'x'\nenv = { A = '{{ env.NO }}' }\n") == "AMP1604:error@5 ");
    CHECK(at_start("[step.a]\nrun = 'x'\nwhen = \"env.NO == '1'\"\n") == "AMP1604:error@5 ");
    CHECK(at_start("[step.a]\nrun = 'x'\nforeach = 'split(env.NO)'\n") == "AMP1604:error@5 ");
}

TEST_CASE("a default file that is not there is a warning, since another may be given") {
    const auto codes = [](const std::string& fallback, bool starting) {
        Diagnostics diagnostics;
        const Flow flow = load_flow("[flow]\nname='F'\n[params]\nd = { type = 'file', default = '" +
                                        fallback + "' }\n[step.a]\nrun = 'x'\nparams = '*'\n",
                                    "flow.toml", diagnostics);
        const Graph graph = validate(flow, diagnostics);
        validate_surroundings(flow, graph, {{}, {}, [](const std::string& f) { return f == "data.csv"; }},
                              starting, diagnostics);
        std::string out;
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + (d.severity == Diagnostic::Severity::error ? ":error@" : ":warning@") +
                   std::to_string(d.place.line) + " ";
        }
        return out;
    };
    CHECK(codes("data.csv", false).empty());
    CHECK(codes("gone.csv", false) == "AMP1516:warning@4 ");
    CHECK(codes("gone.csv", true).empty());  // told as an error when the values are known
}

TEST_CASE("git outside of a work tree") {
    const std::string flow = "[step.a]\nrun = 'x {{ git.commit }}'\n[step.b]\nrun = 'x {{ git.dirty }}'\n";
    CHECK(found(flow, false) == "AMP1605:warning@4 ");
    CHECK(at_start(flow) == "AMP1605:error@4 ");
    CHECK(at_start("[step.a]\nrun = \"x {{ default(git.commit, 'none') }}\"\n").empty());
}

TEST_CASE("what is looked for first is fine") {
    CHECK(at_start("[step.a]\nrun = \"x {{ default(env.NO, 'a') }}\"\n").empty());
    CHECK(at_start("[step.a]\nrun = \"x {{ env.NO if exists(env.NO) else 'a' }}\"\n").empty());
    CHECK(at_start("[step.a]\nwhen = 'exists(env.NO)'\nrun = 'x {{ env.NO }}'\n").empty());
    CHECK(at_start("[step.a]\nwhen = 'exists(env.NO)'\nrun = 'x {{ env.OTHER }}'\n") == "AMP1604:warning@5 ");
}

TEST_CASE("what may never be asked for is a warning at the start, too") {
    const std::string uses = "run = 'x {{ env.NO }}'\n";
    CHECK(at_start("[params]\np = true\n[step.a]\nrun = \"x {{ env.NO if params.p else 'a' }}\"\n") ==
          "AMP1604:warning@6 ");
    CHECK(at_start("[params]\np = true\n[step.a]\nrun = 'x'\nwhen = 'params.p and env.NO'\n") ==
          "AMP1604:warning@7 ");
    CHECK(at_start("[params]\np = true\n[step.a]\nwhen = 'params.p'\n" + uses) == "AMP1604:warning@7 ");
    CHECK(at_start("[params]\np = true\n[step.a]\nwhen = 'params.p'\nrun = 'x'\n[step.b]\nneeds = 'a'\n" +
                   uses) == "AMP1604:warning@10 ");
    CHECK(at_start("[params]\nl = []\n[step.a]\nforeach = 'params.l'\n" + uses) == "AMP1604:warning@7 ");
    CHECK(at_start("[step.a]\ncatch = true\n" + uses) == "AMP1604:warning@5 ");
    CHECK(at_start("[step.a]\nrun = 'x'\n[step.b]\nwhen = 'failed()'\n" + uses) == "AMP1604:warning@7 ");
}

TEST_CASE("each variable is told once, where it surely fails") {
    CHECK(at_start("[step.a]\ncatch = true\nrun = 'x {{ env.NO }}'\n[step.b]\nrun = 'x {{ env.NO "
                   "}}'\n[step.c]\nrun = "
                   "'x {{ env.NO }} {{ env.ALSO }}'\n") == "AMP1604:error@7 AMP1604:error@9 ");
}

TEST_CASE("keys that are not acted upon yet fail nothing") {
    CHECK(at_start("[step.a]\nrun = 'x'\nslurm = { partition = '{{ env.NO }}' }\n").empty());
}

TEST_CASE("secrets that are not there are a warning; a start looks them up itself") {
    CHECK(found("[step.a]\nrun = 'x'\nsecrets = ['HOME', 'NO']\n", false) == "AMP1606:warning@5 ");
    CHECK(found("[step.a]\nrun = 'x'\nsecrets = { A = 'env:NO', B = 'cmd:x' }\n", false) ==
          "AMP1606:warning@5 ");
    CHECK(at_start("[step.a]\nrun = 'x'\nsecrets = ['NO']\n").empty());
}
