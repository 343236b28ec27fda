#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "core/base/json.hpp"
#include "core/flow/load.hpp"
#include "tests/support/patience.hpp"

using namespace amp;

namespace {

/// The findings of a flow with these steps and the parameters lr, xs and n; "w:" before the code of a
/// warning. Unused parameters and their warnings are left out unless asked for.
std::vector<Diagnostic> findings(const std::string& steps, const Value& config = {}) {
    Diagnostics diagnostics;
    const Flow flow = load_flow(
        "[flow]\nname = 'F'\n[params]\nlr = 0.1\nxs = [1, 2]\nn = 3\n[config]\nc = { file = 'c.toml', "
        "required = false }\n" +
            steps,
        "flow.toml", diagnostics);
    validate(flow, diagnostics, config);
    std::vector<Diagnostic> found;
    for (const Diagnostic& d : diagnostics.sorted()) {
        if (d.code != "AMP1509") {
            found.push_back(d);
        }
    }
    return found;
}

std::string codes(const std::string& steps, const Value& config = {}) {
    std::string out;
    for (const Diagnostic& d : findings(steps, config)) {
        out += (out.empty() ? "" : " ") +
               std::string(d.severity == Diagnostic::Severity::warning ? "w:" : "") + d.code;
    }
    return out;
}

/// A step that makes `m`.
std::string maker(const std::string& name, const std::string& more = {}) {
    return "[step." + name + "]\nrun = 'x'\noutputs = { m = 'm' }\n" + more + "\n";
}
std::string step(const std::string& name, const std::string& lines) {
    return "[step." + name + "]\n" + lines + "\n";
}
/// A step that uses an expression in its command.
std::string user(const std::string& name, const std::string& expression, const std::string& more = {}) {
    return step(name, "run = [\"x\", \"{{ " + expression + " }}\"]\n" + more);
}

}  // namespace

TEST_CASE("params, config, env and the other fixed roots") {
    CHECK(codes(user("a", "params.lr")) == "");
    CHECK(codes(user("a", "params.lrr")) == "AMP1401");
    CHECK(findings(user("a", "params.l")).at(0).hint == "did you mean 'lr'?");
    CHECK(codes(step("a", "run = 'x'\nparams = ['lr', 'nn']")) == "AMP1401");
    CHECK(codes(user("a", "config.c.key")) == "");
    CHECK(codes(user("a", "config.d.key")) == "AMP1403");
    CHECK(codes(user("a", "env.HOME + git.commit + run.id + flow.name + step.name")) == "");
    CHECK(codes(user("a", "env")) == "AMP1402");
    CHECK(codes(user("a", "git.comit")) == "AMP1405");
    CHECK(codes(user("a", "attempt")) == "");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'range(attempt)'")) == "AMP1407");
}

TEST_CASE("config is looked up where its files are known") {
    const Value config = json::parse(R"({"c": {"key": 1, "list": [1, 2]}})");
    CHECK(codes(user("a", "config.c.key"), config) == "");
    CHECK(codes(user("a", "config.c.list[1]"), config) == "");
    CHECK(codes(user("a", "config.c.kye"), config) == "AMP1404");
    CHECK(findings(user("a", "config.c.kye"), config).at(0).hint == "did you mean 'key'?");
    CHECK(codes(user("a", "default(config.c.kye, 1)"), config) == "");
}

TEST_CASE("an artifact must be made by an ancestor") {
    CHECK(codes(maker("a") + user("b", "a.m", "needs = 'a'")) == "");
    CHECK(codes(maker("a") + user("b", "a.m")) == "AMP1418");
    CHECK(codes(user("b", "a.m") + maker("a", "needs = 'b'")) == "AMP1418");
    CHECK(codes(maker("a") + user("b", "a.n", "needs = 'a'")) == "AMP1415");
    CHECK(codes(step("a", "run = 'x'\noutputs = { model = 'm' }") + user("b", "a.modle", "needs = 'a'")) ==
          "AMP1415");
    CHECK(findings(step("a", "run = 'x'\noutputs = { model = 'm' }") + user("b", "a.modle", "needs = 'a'"))
              .at(0)
              .hint == "did you mean 'model'?");
    CHECK(codes(maker("a") + user("b", "a", "needs = 'a'")) == "AMP1402");
    CHECK(codes(maker("a") + user("b", "aa.m", "needs = 'a'")) == "AMP1422");
    CHECK(codes(user("a", "a.m")) == "AMP1414");
    // Not the direct need, and past a diamond whose sides both come before.
    CHECK(codes(maker("a") + maker("b", "needs = 'a'") + maker("c", "needs = 'a'") +
                user("d", "a.m", "needs = ['b', 'c']")) == "");
    CHECK(codes(maker("r") + maker("a", "needs = 'r'") + maker("b", "needs = 'r'") +
                step("j", "run = 'x'\nneeds = ['a', 'b']") + user("d", "a.m", "needs = 'j'")) == "");
    CHECK(codes(maker("r") + maker("a", "needs = 'r'") + maker("b", "needs = 'r'") +
                user("d", "a.m", "needs = 'b'")) == "AMP1418");
}

TEST_CASE("what a command visibly makes need not be declared") {
    for (const char* run : {"amp put m 3", "echo 1 > $AMP_OUT/m", "cp x ${AMP_OUT}/m.json",
                            "python -c \\\"amp.put('m', 1)\\\""}) {
        CHECK_MESSAGE(
            codes(step("a", std::string("run = \"") + run + "\"") + user("b", "a.m", "needs = 'a'")) == "",
            run);
    }
    CHECK(codes(step("a", "run = ['amp', 'put', 'm', '3']") + user("b", "a.m", "needs = 'a'")) == "");
    CHECK(codes(step("a", "run = 'amp put mm 3'") + user("b", "a.m", "needs = 'a'")) == "AMP1415");
}

TEST_CASE("a bare name is what exactly one ancestor makes") {
    CHECK(codes(maker("a") + user("b", "m", "needs = 'a'")) == "");
    CHECK(codes(maker("a") + maker("b", "needs = 'a'") + user("c", "m", "needs = 'b'")) == "AMP1423");
    CHECK(findings(maker("a") + maker("b", "needs = 'a'") + user("c", "m", "needs = 'b'")).at(0).hint ==
          "say which: a.m or b.m");
    CHECK(codes(maker("a") + maker("z") + user("c", "m", "needs = 'a'")) == "");
    CHECK(codes(maker("a") + user("b", "m")) == "AMP1422");
    CHECK(findings(user("b", "lr")).at(0).hint == "did you mean params.lr?");
    // The same with so many makers that they are carried through the graph.
    std::string many;
    for (int i = 0; i < 40; ++i) {
        many += maker("s" + std::to_string(i));
    }
    CHECK(codes(many + user("c", "m", "needs = 's7'")) == "");
    CHECK(codes(many + user("c", "m", "needs = ['s7', 's8']")) == "AMP1423");
    CHECK(codes(many + user("c", "m")) == "AMP1422");
}

TEST_CASE("what is made once an item is a list behind the join") {
    const std::string loop = maker("a", "foreach = 'params.xs'");
    CHECK(codes(loop + user("b", "a.m", "needs = 'a'")) == "");
    CHECK(codes(loop + user("b", "a.*.m", "needs = 'a'\njoin = true")) == "");
    CHECK(codes(loop + user("b", "a.*", "needs = 'a'\njoin = true")) == "");
    CHECK(codes(loop + user("b", "a[0].m", "needs = 'a'\njoin = true")) == "");
    CHECK(codes(loop + user("b", "a.m", "needs = 'a'\njoin = true")) == "AMP1416");
    CHECK(findings(loop + user("b", "m", "needs = 'a'\njoin = true")).at(0).hint ==
          "all of them are the list a.*.m");
    CHECK(codes(loop + user("b", "a.*.m", "needs = 'a'")) == "AMP1417");
    CHECK(codes(loop + user("b", "a[0].m", "needs = 'a'")) == "AMP1417");
    CHECK(codes(loop + user("b", "a.*.n", "needs = 'a'\njoin = true")) == "AMP1415");
    CHECK(codes(maker("p") + user("b", "p.*.m", "needs = 'p'")) == "AMP1417");
    CHECK(codes(maker("p") + maker("a", "needs = 'p'\nforeach = 'params.xs'") +
                user("b", "p.m", "needs = 'a'\njoin = true")) == "");
}

TEST_CASE("several closed levels take a star for all, or an index each") {
    const std::string loops =
        maker("a", "foreach = 'params.xs'") + maker("b", "needs = 'a'\nforeach = 'params.xs'");
    CHECK(codes(loops + user("j", "b.*.m", "needs = 'b'\njoin = 'a'")) == "");
    CHECK(codes(loops + user("j", "b[0][1].m", "needs = 'b'\njoin = 'a'")) == "");
    CHECK(codes(loops + user("j", "b[0].*.m", "needs = 'b'\njoin = 'a'")) == "");
    CHECK(codes(loops + user("j", "b[0].m", "needs = 'b'\njoin = 'a'")) == "AMP1416");
    CHECK(codes(loops + user("j", "b.*.m", "needs = 'b'\njoin = true")) == "");
    CHECK(codes(loops + user("j", "a.m", "needs = 'b'\njoin = true")) == "");
    CHECK(codes(loops + user("j", "b[0][1].m", "needs = 'b'\njoin = true")) == "AMP1417");
}

TEST_CASE("items are known inside their foreach") {
    CHECK(codes(user("a", "item", "foreach = 'params.xs'")) == "");
    CHECK(codes(user("a", "str(index)", "foreach = 'params.xs'")) == "");
    CHECK(codes(user("a", "item")) == "AMP1409");
    CHECK(codes(user("a", "index")) == "AMP1409");
    CHECK(codes(user("a", "x", "foreach = 'params.xs'\nas = 'x'")) == "");
    CHECK(codes(user("a", "item", "foreach = 'params.xs'\nas = 'x'")) == "AMP1409");
    CHECK(findings(user("a", "item", "foreach = 'params.xs'\nas = 'x'")).at(0).hint ==
          "the item is called `x` here");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'item.list'")) == "AMP1409");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'") +
                step("b", "run = 'x'\nneeds = 'a'\nforeach = 'item.list'")) == "");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\nas = 'x'") +
                user("j", "x", "needs = 'a'\njoin = true")) == "AMP1409");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\nwhen = 'item > 1'")) == "");
    CHECK(codes(step("a", "run = 'x'\nwhen = 'item > 1'")) == "AMP1409");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\nlimit = '{{ item }}'")) == "AMP1407");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\nas = 'b'") + step("b", "run = 'x'")) ==
          "AMP1310");
}

TEST_CASE("outputs, rounds and the round before") {
    CHECK(codes(step("a", "run = 'x {{ outputs.m }}'\noutputs = { m = 'm' }")) == "");
    CHECK(codes(step("a", "run = 'x {{ outputs.n }}'\noutputs = { m = 'm' }")) == "AMP1408");
    CHECK(codes(step("a", "run = 'x'\noutputs = { m = 'm' }\nwhen = 'exists(outputs.m)'")) == "AMP1407");
    const std::string repeat = "repeat = { until = 'round > 2 and a.m > 0.9 and m > prev.m', max = 3 }";
    CHECK(codes(maker("a", repeat)) == "");
    CHECK(codes(step("a", "run = 'x'\nrepeat = { until = 'a.m > 0.9', max = 3 }")) == "AMP1415");
    CHECK(codes(step("a",
                     "run = 'x {{ default(prev.m, 0) }}'\noutputs = { m = 'm' }\nrepeat = { until = 'm', max "
                     "= 3 }")) == "");
    CHECK(codes(step("a",
                     "run = 'x {{ prev.z }}'\noutputs = { m = 'm' }\nrepeat = { until = 'm', max = 3 }")) ==
          "AMP1413");
    CHECK(codes(user("a", "round")) == "AMP1410");
    CHECK(codes(user("a", "prev.m")) == "AMP1410");
}

TEST_CASE("inputs are artifacts") {
    CHECK(codes(maker("a") + step("b", "run = 'x'\nneeds = 'a'\ninputs = ['a.m', 'm']")) == "");
    CHECK(codes(maker("a") + step("b", "run = 'x'\nneeds = 'a'\ninputs = { 'd/x' = 'a.m' }")) == "");
    CHECK(codes(step("b", "run = 'x'\ninputs = ['params.lr']")) == "AMP1029");
    CHECK(codes(maker("a") + step("b", "run = 'x'\nneeds = 'a'\ninputs = ['a.m + 1']")) == "AMP1029");
    CHECK(codes(maker("a") + step("b", "run = 'x'\nneeds = 'a'\ninputs = ['a.z']")) == "AMP1415");
}

TEST_CASE("artifacts of steps that may be skipped are asked for with default() or exists()") {
    const std::string choose = step("c", "run = 'x'\noutputs = { kind = { path = 'k', type = 'text' } }") +
                               maker("a", "needs = 'c'\nwhen = \"c.kind == 'a'\"") +
                               maker("b", "needs = { step = 'c', when = \"c.kind == 'b'\" }");
    CHECK(codes(choose + user("j", "a.m", "needs = ['a', 'b']")) == "w:AMP1420");
    CHECK(codes(choose + user("j", "b.m", "needs = ['a', 'b']")) == "w:AMP1420");
    CHECK(codes(choose + user("j", "default(a.m, b.m)", "needs = ['a', 'b']")) == "");
    CHECK(codes(choose + user("j", "c.kind", "needs = ['a', 'b']")) == "");
    // A step whose only need was skipped is skipped itself.
    CHECK(codes(choose + user("j", "a.m", "needs = 'a'")) == "");
    CHECK(codes(choose + user("j", "a.m", "needs = 'a'") + user("k", "a.m", "needs = 'j'")) == "");
    CHECK(codes(choose + step("j", "run = 'x'\nneeds = ['c', { step = 'a', when = 'a.m' }]")) == "");
    CHECK(codes(step("a", "run = 'x'\noutputs = { m = { path = 'm', optional = true } }") +
                user("b", "a.m", "needs = 'a'")) == "w:AMP1421");
    CHECK(codes(maker("a", "catch = true") + user("b", "a.error", "needs = 'a'")) == "w:AMP1421");
    CHECK(codes(maker("a", "catch = true") + user("b", "a.m", "needs = 'a'")) == "w:AMP1421");
    CHECK(codes(maker("a", "catch = true\nforeach = 'params.xs'") +
                user("b", "a.*.m", "needs = 'a'\njoin = true")) == "");
}

TEST_CASE("clean-up steps guard what they use") {
    CHECK(codes(maker("a") + user("e", "default(a.m, '')", "when = 'always()'")) == "");
    CHECK(codes(maker("a") + user("e", "a.m", "when = 'always()'")) == "AMP1419");
    CHECK(codes(maker("a") + user("e", "a.m", "needs = 'a'\nwhen = 'failed()'")) == "AMP1419");
    CHECK(codes(maker("a") + step("e", "run = 'x'\nwhen = 'failed(\"a\")'")) == "");
    CHECK(codes(maker("a") + step("e", "run = 'x'\nwhen = 'failed(\"aa\")'")) == "AMP1411");
    CHECK(codes(maker("a") + maker("b") + step("e", "run = 'x'\nneeds = 'b'\nwhen = 'failed(\"a\")'")) ==
          "AMP1418");
    CHECK(codes(user("e", "failed()")) == "AMP1412");
    CHECK(codes(step("e", "run = 'x'\nwhen = 'always()'\noutputs = { m = 'm' }") +
                user("f", "default(e.m, 1)", "when = 'always()'")) == "AMP1418");
}

TEST_CASE("two tasks never write the same file of the working folder") {
    const std::string here = "outputs = { m = './out/m.bin' }";
    CHECK(codes(step("a", "run = 'x'\n" + here)) == "");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\n" + here)) == "AMP1311");
    CHECK(codes(step("a", "run = 'x'\n" + here) +
                step("b", "run = 'x'\noutputs = { z = './out//./m.bin' }")) == "AMP1311");
    CHECK(codes(step("a", "run = 'x'\n" + here) + step("b", "run = 'x'\nneeds = 'a'\n" + here)) == "");
    CHECK(codes(step("a", "run = 'x'\nforeach = 'params.xs'\noutputs = { m = 'out' }")) == "");
}

TEST_CASE("expressions of keys that are not acted upon yet are looked into as well") {
    CHECK(codes(step("a", "run = 'x'\nnodes = '{{ params.nn }}'")) == "AMP1401");
    CHECK(codes(step("a", "run = 'x'\nslurm = { partition = ['{{ params.nn }}'] }")) == "AMP1401");
    CHECK(codes(step("a", "flow = 'x.toml'\nparams = { y = '{{ params.nn }}' }")) == "AMP1401");
    CHECK(codes(step("a", "run = 'x'\nresources = { memory = '{{ params.nn }}' }")) == "AMP1401");
    CHECK(codes(step("a", "run = 'x'\nenv = { A = '{{ params.nn }}' }\ncwd = '{{ params.mm }}'")) ==
          "AMP1401 AMP1401");
}

TEST_CASE("parameters that nobody uses, and such that an option hides") {
    const auto check = [&](const std::string& text) {
        Diagnostics found;
        validate(load_flow("[flow]\nname = 'F'\n" + text, "flow.toml", found), found);
        std::string out;
        for (const Diagnostic& d : found.sorted()) {
            CHECK(d.severity == Diagnostic::Severity::warning);
            out += d.code + " ";
        }
        return out;
    };
    CHECK(check("[params]\nlr = 1\n[step.a]\nrun = 'x'\n") == "AMP1509 ");
    CHECK(check("[params]\nlr = 1\n[step.a]\nrun = 'x'\nparams = '*'\n") == "");
    CHECK(check("[params]\nlr = 1\n[step.a]\nrun = 'x'\nparams = ['lr']\n") == "");
    CHECK(check("[params]\nlr = 1\n[step.a]\nrun = 'x'\nwhen = 'params.lr > 0'\n") == "");
    CHECK(check("[params]\nmax_workers = 1\n[step.a]\nrun = 'x'\nparams = '*'\n") == "AMP1510 ");
}

TEST_CASE("a mistake in the graph is told once, not again by what lies behind it") {
    CHECK(codes(maker("a") + step("b", "run = 'x'\nneeds = 'aa'") + user("c", "a.m", "needs = 'b'")) ==
          "AMP1301");
}

TEST_CASE("with syntax errors nothing is said of what may stand in the lines left out") {
    CHECK(codes("[step.a\nrun = 'x'\n[step.b]\nrun = 'x'\nneeds = 'a'\n") == "AMP1001");
}

TEST_CASE("requests beyond the machine") {
    Diagnostics diagnostics;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[params]\nn=1\n[step.a]\nrun='x'\nresources={cpu=9,memory='2Gi',gpu=3}\n[step.b]"
        "\nrun='x'\nresources={cpu=8,memory='1Gi'}\n[step.c]\nrun='x'\nresources={cpu='{{ params.n }}'}\n",
        "flow.toml", diagnostics);
    validate_requests(flow, {.cpu = 8, .memory_bytes = std::uint64_t{1} << 30, .gpu = 2}, diagnostics);
    std::string out;
    for (const Diagnostic& d : diagnostics.sorted()) {
        out += d.code + " ";
    }
    CHECK(out == "AMP1601 AMP1602 AMP1603 ");
    Diagnostics none;
    validate_requests(flow, {}, none);
    CHECK_FALSE(none.has_errors());
}

TEST_CASE("a gang asks for all of its nodes at once") {
    const auto found = [](const std::string& keys) {
        Diagnostics diagnostics;
        const Flow flow = load_flow("[flow]\nname='F'\n[params]\nn=1\n[step.a]\nrun='x'\n" + keys,
                                    "flow.toml", diagnostics);
        validate_requests(flow, {.cpu = 8, .memory_bytes = std::uint64_t{1} << 30, .gpu = 2}, diagnostics);
        std::string out;
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + "@" + std::to_string(d.place.line) + " ";
        }
        return out;
    };
    CHECK(found("nodes=8\n") == "");
    CHECK(found("nodes=9\n") == "AMP1601@7 ");
    CHECK(found("nodes=9\nresources={cpu=0.5}\n") == "");
    CHECK(found("nodes=2\nresources={cpu=5,memory='600Mi',gpu=2}\n") == "AMP1601@8 AMP1602@8 AMP1603@8 ");
    CHECK(found("nodes='{{ params.n }}'\nresources={cpu=5}\n") == "");
    CHECK(found("tasks_per_node=1000\n") == "");
    CHECK(found("nodes=2\ntasks_per_node=1000\n") == "AMP1607@7 ");
}

TEST_CASE("a machine without GPUs is not one whose GPUs are unknown") {
    Diagnostics ignored;
    const Flow flow = load_flow(
        "[flow]\nname='F'\n[step.a]\nrun='x'\nresources={gpu=1}\n[step.b]\nrun='x'\nresources={gpu=0}\n"
        "[step.c]\nrun='x'\non='hpc'\nresources={gpu=8}\n",
        "flow.toml", ignored);
    Diagnostics without;
    validate_requests(flow, {.cpu = 8, .memory_bytes = {}, .gpu = 0}, without);
    REQUIRE(without.sorted().size() == 1);
    CHECK(without.sorted().front().code == "AMP1603");
    CHECK(without.sorted().front().message == "step 'a' asks for 1 GPU, but this machine has none");
    Diagnostics unknown;
    validate_requests(flow, {.cpu = 8, .memory_bytes = {}, .gpu = {}}, unknown);
    CHECK_FALSE(unknown.has_errors());
}

TEST_CASE("ten thousand steps are validated in linear time") {
    std::string text = "[flow]\nname = 'F'\n[params]\nlr = 1\n";
    text += maker("s0");
    for (int i = 1; i <= 3333; ++i) {
        const std::string n = std::to_string(i);
        const std::string before = "s" + std::to_string(i - 1);
        text += user("l" + n, before + ".m", "needs = '" + before + "'\noutputs = { m = 'm' }");
        text += user("r" + n, "params.lr", "needs = '" + before + "'\noutputs = { q" + n + " = 'm' }");
        // A reference far back, a bare name, and one past the split.
        const std::string far = "l" + std::to_string(i / 2 + 1);
        text += user("s" + n, far + ".m",
                     "needs = ['l" + n + "', 'r" + n + "']\noutputs = { m = 'm' }\nenv = { B = '{{ q" + n +
                         " }}', C = '{{ s0.m }}' }");
    }
    Diagnostics diagnostics;
    auto begin = std::clock();
    const Flow flow = load_flow(text, "flow.toml", diagnostics);
    const double loading = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    begin = std::clock();
    validate(flow, diagnostics);
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    CHECK(flow.steps.size() == 10000);
    CHECK_FALSE(diagnostics.has_errors());
    MESSAGE("10,000 steps: loaded in " << loading * 1000 << " ms, validated in " << took * 1000 << " ms");
    CHECK(took < test::k_linear_seconds);
}

TEST_CASE("many parameters, outputs and uses of them stay linear") {
    std::string params = "[flow]\nname = 'F'\n[params]\n";
    std::string outputs = "[step.a.outputs]\n";
    std::string command = "[step.a]\nrun = ['x'";
    std::string needing = "[step.b]\nneeds = 'a'\nrun = ['x'";
    for (int i = 0; i < 10000; ++i) {
        const std::string n = std::to_string(i);
        params += "p" + n + " = 1\n";
        outputs += "o" + n + " = 'o" + n + "'\n";
        command += ", '{{ params.p" + n + " }}', '{{ outputs.o" + n + " }}'";
        needing += ", '{{ a.o" + n + " }}', '{{ o" + n + " }}'";
    }
    Diagnostics diagnostics;
    const Flow flow =
        load_flow(params + command + "]\n" + outputs + needing + "]\n", "flow.toml", diagnostics);
    const auto begin = std::clock();
    validate(flow, diagnostics);
    CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < test::k_linear_seconds);
    CHECK(diagnostics.sorted().empty());
}

TEST_CASE("a flow full of mistakes stays linear") {
    std::string text = "[flow]\nname = 'F'\n";
    for (int i = 0; i < 5000; ++i) {
        text += user("s" + std::to_string(i), "nobody" + std::to_string(i) + ".m",
                     "needs = 'nowhere" + std::to_string(i) + "'");
    }
    Diagnostics diagnostics;
    const auto begin = std::clock();
    validate(load_flow(text, "flow.toml", diagnostics), diagnostics);
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    CHECK(diagnostics.error_count() == 5000);
    CHECK(took < 5.0);
}
