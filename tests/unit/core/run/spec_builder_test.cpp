#include "core/run/spec_builder.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using amp::test::file_artifact;
using amp::test::RecordedRun;
using amp::test::value_artifact;

namespace {

const ArtifactLoader k_nothing_elsewhere = [](const Artifact&) { return Value(); };

BuiltTask build(const RecordedRun& run, const std::string& step, const TaskIndex& index = {},
                const Value& failures = {}) {
    SpecBuilder builder(*run.data, k_nothing_elsewhere);
    const auto task = run.data->plan().find(run.step(step), index);
    REQUIRE(task);
    return builder.build(*task, Timestamp{1000}, failures);
}

std::string text_of(const LateText& text) {
    std::string out;
    for (const Piece& piece : text) {
        out += piece.kind == Piece::Kind::input ? "<IN>/" : piece.kind == Piece::Kind::output ? "<OUT>/" : "";
        out += piece.text;
    }
    return out;
}

std::string variable(const TaskSpec& spec, const std::string& name) {
    const auto it =
        std::find_if(spec.env.begin(), spec.env.end(), [&](const auto& v) { return v.first == name; });
    return it == spec.env.end() ? "(unset)" : text_of(it->second);
}

std::vector<std::string> input_paths(const TaskSpec& spec) {
    std::vector<std::string> out;
    for (const TaskInput& input : spec.inputs) {
        out.push_back(input.path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST_CASE("the list form is its arguments, late paths included") {
    RecordedRun run(R"toml(
[flow]
name = "T"
[params]
lr = 0.5
[step.a]
run = "true"
outputs = { data = "data.bin" }
[step.b]
needs = "a"
run = ["train", "--lr", "{{ params.lr }}", "--in={{ a.data }}", "--out", "{{ outputs.model }}"]
outputs = { model = "model.bin" }
)toml",
                    Object{{"lr", 0.5}});
    run.succeed("a", {}, {{"data", file_artifact()}});
    const TaskSpec spec = build(run, "b").spec;
    std::vector<std::string> argv;
    std::transform(spec.argv.begin(), spec.argv.end(), std::back_inserter(argv), text_of);
    CHECK(argv ==
          std::vector<std::string>{"train", "--lr", "0.5", "--in=<IN>/a/data", "--out", "<OUT>/model.bin"});
    CHECK(input_paths(spec) == std::vector<std::string>{"a/data", "data"});
    CHECK(variable(spec, "AMP_TASK") == "261120-081530-k3fx/b/_");
    CHECK(variable(spec, "AMP_PARAM_lr") == "0.5");
    CHECK(variable(spec, "AMP_PARAMS") == R"({"lr":0.5})");
    CHECK(spec.cwd == "/project");
}

TEST_CASE("the string form is the shell and its script; values are variables") {
    RecordedRun run("[flow]\nname = 'T'\n[params]\nname = 'x'\n[step.a]\nrun = 'echo {{ params.name }}'\n",
                    Object{{"name", "$(rm -rf /)"}});
    const TaskSpec spec = build(run, "a").spec;
    REQUIRE(spec.argv.size() == 5);
    CHECK(text_of(spec.argv[0]) == "bash");
    CHECK(text_of(spec.argv.back()).find("rm -rf") == std::string::npos);
    const bool carried = std::any_of(spec.env.begin(), spec.env.end(), [](const auto& v) {
        return v.first.starts_with("amp_v") && text_of(v.second) == "$(rm -rf /)";
    });
    CHECK(carried);
}

TEST_CASE("a task is given only the parameters that its step mentions or declares") {
    RecordedRun run(
        "[flow]\nname = 'T'\n[params]\na = 1\nb = 2\nc = 3\n[step.s]\nrun = 'echo {{ params.a }}'\nparams = "
        "['b']\n",
        Object{{"a", 1}, {"b", 2}, {"c", 3}});
    const TaskSpec spec = build(run, "s").spec;
    CHECK(variable(spec, "AMP_PARAMS") == R"({"a":1,"b":2})");
    CHECK(variable(spec, "AMP_PARAM_c") == "(unset)");
}

TEST_CASE("an output below the working folder is written there") {
    const RecordedRun run(
        "[flow]\nname = 'T'\n[step.a]\ncwd = 'sub'\nrun = ['x', 'a={{ outputs.o }}', '{{ outputs.p }}']\n"
        "env = { O = '{{ outputs.o }}' }\noutputs = { o = './o.txt', p = 'p.txt' }\n");
    const TaskSpec spec = build(run, "a").spec;
    REQUIRE(spec.argv.size() == 3);
    CHECK(text_of(spec.argv[1]) == "a=/project/sub/o.txt");
    CHECK(text_of(spec.argv[2]) == "<OUT>/p.txt");
    CHECK(variable(spec, "O") == "/project/sub/o.txt");
}

TEST_CASE("a short name gives way to what must lie at its place") {
    const auto paths = [](const std::string& inputs, const Artifact& artifact) {
        RecordedRun run(
            "[flow]\nname = 'T'\n[step.m]\nrun = 'true'\n[step.b]\nneeds = 'm'\nrun = ['x', '{{ m.m }}', "
            "'{{ m.d }}']\n" +
            inputs);
        run.succeed("m", {}, {{"m", artifact}, {"d", artifact}});
        return input_paths(build(run, "b").spec);
    };
    // An artifact of the name of its step.
    CHECK(paths("", file_artifact()) == std::vector<std::string>{"d", "m/d", "m/m"});
    CHECK(paths("", value_artifact(1)) == std::vector<std::string>{"d", "m", "m/d", "m/m"});
    // A place that `inputs` names, which `run` mentions as well.
    CHECK(paths("inputs = { d = 'm.d' }", file_artifact()) == std::vector<std::string>{"d", "m/d", "m/m"});
    CHECK(paths("inputs = { 'd/x' = 'm.d' }", file_artifact()) ==
          std::vector<std::string>{"d/x", "m/d", "m/m"});
    CHECK(paths("inputs = { 'y' = 'm.d' }", value_artifact(1)) ==
          std::vector<std::string>{"d", "m", "m/d", "m/m", "y"});
}

TEST_CASE("values of a join lie below AMP_IN when inputs asks for them, mentioned or not") {
    const auto paths = [](const std::string& inputs) {
        RecordedRun run(
            "[flow]\nname = 'T'\n[step.a]\nforeach = 'range(2)'\nrun = 'true'\n[step.j]\nneeds = 'a'\njoin = "
            "true\nrun = ['x', '{{ a.*.v }}']\n" +
            inputs);
        run.items("a", {}, {0, 1});
        run.succeed("a", TaskIndex{{0}, 0}, {{"v", value_artifact(1)}});
        run.succeed("a", TaskIndex{{1}, 0}, {{"v", value_artifact(2)}});
        return input_paths(build(run, "j").spec);
    };
    CHECK(paths("").empty());
    CHECK(paths("inputs = ['a.*.v']") == std::vector<std::string>{"a/0/v", "a/1/v"});
}

TEST_CASE("an item over 32 KiB comes as a file") {
    RecordedRun run("[flow]\nname = 'T'\n[step.s]\nforeach = 'range(1)'\nrun = 'true'\n");
    run.items("s", {}, {std::string(40000, 'x')});
    const TaskSpec spec = build(run, "s", TaskIndex{{0}, 0}).spec;
    CHECK(variable(spec, "AMP_ITEM") == "@<IN>/.amp/item.json");
    CHECK(input_paths(spec) == std::vector<std::string>{".amp/item"});
}

TEST_CASE("the definition follows what the task is, not where or how often it runs") {
    const auto definition = [](const std::string& step_text, Object params = {},
                               const std::string& rest = "") {
        const RecordedRun run(
            "[flow]\nname = 'T'\n[params]\nlr = 1\nother = 1\n[step.s]\n" + step_text + "\n" + rest,
            std::move(params));
        return build(run, "s").definition;
    };
    const std::string run_line = "run = 'echo {{ params.lr }}'";
    const std::string base = definition(run_line, Object{{"lr", 1}, {"other", 1}});
    CHECK(definition(run_line, Object{{"lr", 1}, {"other", 2}}) == base);
    CHECK(definition(run_line + "\ntimeout = '5m'\nretry = 3\nresources = { cpu = 2 }", Object{{"lr", 1}}) ==
          base);
    CHECK(definition(run_line, Object{{"lr", 2}, {"other", 1}}) != base);
    CHECK(definition("run = 'echo  {{ params.lr }}'", Object{{"lr", 1}}) != base);
    CHECK(definition(run_line + "\nenv = { A = 'b' }", Object{{"lr", 1}}) != base);
    CHECK(definition(run_line + "\ncwd = 'task'", Object{{"lr", 1}}) != base);
    CHECK(definition(run_line + "\noutputs = { x = 'x' }", Object{{"lr", 1}}) != base);
}

TEST_CASE("the definition follows the inputs' content and the sources") {
    const auto definition = [](char content, char code, const char* sources) {
        RecordedRun run(std::string("[flow]\nname = 'T'\n[step.a]\nrun = 'true'\noutputs = { data = 'd' "
                                    "}\n[step.s]\nneeds = 'a'\n") +
                        "run = ['cat', '{{ a.data }}']\nsources = " + sources + "\n");
        run.record.code.entries = {CodeEntry{"src/train.py", false, {}, 4, std::string(64, code)}};
        run.succeed("a", {}, {{"data", file_artifact(content)}});
        return build(run, "s").definition;
    };
    const std::string base = definition('1', '1', "['src/*.py']");
    CHECK(definition('1', '1', "['src/*.py']") == base);
    CHECK(definition('2', '1', "['src/*.py']") != base);
    CHECK(definition('1', '2', "['src/*.py']") != base);
    CHECK(definition('1', '1', "['lib/**']") == definition('1', '2', "['lib/**']"));
}

TEST_CASE("memory grows after oom, by the step's factor") {
    RecordedRun run(
        "[flow]\nname = 'T'\n[step.s]\nrun = 'true'\nresources = { memory = '1G' }\nretry = { times = 3, "
        "grow = { memory = 2.0 } }\n");
    CHECK(build(run, "s").spec.resources.memory_bytes == 1'000'000'000);
    run.fail("s", {}, Cause::oom, "out of memory", 1);
    run.data->plan().advance(Timestamp{1'900'000'000'000});
    const TaskSpec second = build(run, "s").spec;
    CHECK(second.attempt == 2);
    CHECK(second.resources.memory_bytes == 2'000'000'000);
}

TEST_CASE("clean-up steps are told of the failures") {
    RecordedRun run("[flow]\nname = 'T'\n[step.s]\nrun = 'true'\n");
    const TaskSpec spec = build(run, "s", {}, List{Object{{"task", "a/_"}}}).spec;
    CHECK(variable(spec, "AMP_FAILURES") == "<IN>/.amp/failures.json");
}

TEST_CASE("an expression that cannot be evaluated names the reason") {
    RecordedRun run("[flow]\nname = 'T'\n[params]\nn = 1\n[step.s]\nrun = ['echo', '{{ 1 / params.n }}']\n",
                    Object{{"n", 0}});
    SpecBuilder builder(*run.data, k_nothing_elsewhere);
    CHECK_THROWS_AS(builder.build(*run.data->plan().find(0, {}), Timestamp{}), Error);
}
