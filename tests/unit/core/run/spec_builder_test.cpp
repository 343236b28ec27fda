#include "core/run/spec_builder.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/requests.hpp"
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
    CHECK(variable(spec, "AMP_PARAM_LR") == "0.5");
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
    CHECK(variable(spec, "AMP_PARAM_C") == "(unset)");
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
    CHECK(definition(run_line + "\nnodes = 2\nlauncher = 'torchrun'", Object{{"lr", 1}}) == base);
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

TEST_CASE("GPUs grow after oom as well, to whole ones, and with them the processes of a gang") {
    RecordedRun run(
        "[flow]\nname = 'T'\n[step.s]\nrun = 'true'\nresources = { gpu = 3 }\nlauncher = 'torchrun'\nretry = "
        "{ "
        "times = 3, grow = { gpu = 1.5 } }\n[step.many]\nrun = 'true'\nresources = { gpu = 9 }\nretry = { "
        "times = "
        "3, grow = { gpu = 1000 } }\n");
    CHECK(build(run, "s").spec.resources.gpu == 3);
    run.fail("s", {}, Cause::oom, "out of memory", 1);
    run.fail("many", {}, Cause::oom, "out of memory", 1);
    run.data->plan().advance(Timestamp{1'900'000'000'000});
    const TaskSpec second = build(run, "s").spec;
    CHECK(second.resources.gpu == 5);
    REQUIRE(second.gang.has_value());
    CHECK(second.gang->tasks_per_node == 5);
    CHECK(build(run, "many").spec.resources.gpu == k_most_gpus);
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

TEST_CASE("AMP_PARAMS holds files as paths, and no secrets") {
    RecordedRun run(
        "[flow]\nname = 'T'\n[params]\ndata = { type = 'file' }\ntoken = { type = 'secret' }\nn = 1\n"
        "[step.a]\nrun = 'true'\nparams = '*'\n",
        Object{
            {"data", FileRef{"params/data", std::string(64, 'a'), 3, false}}, {"token", Value()}, {"n", 1}});
    const TaskSpec spec = build(run, "a").spec;
    CHECK(variable(spec, "AMP_PARAMS") == R"({"data":"<IN>/params/data","n":1})");
    CHECK(variable(spec, "AMP_PARAM_DATA") == "<IN>/params/data");
    CHECK(variable(spec, "AMP_PARAM_TOKEN") == "(unset)");
    CHECK(spec.secrets ==
          std::vector<std::pair<std::string, std::string>>{{"AMP_PARAM_TOKEN", "param:token"}});
}

TEST_CASE("specs name secrets, and definitions know their names alone") {
    const auto built = [](const std::string& run, const std::string& secrets) {
        RecordedRun recorded("[flow]\nname = 'T'\n[params]\ntoken = { type = 'secret' }\n[step.a]\nrun = '" +
                                 run + "'\nsecrets = " + secrets + "\n",
                             Object{{"token", Value()}});
        return build(recorded, "a");
    };
    const BuiltTask one = built("use {{ params.token }}", "{ A = 'env:X', B = 'cmd:y' }");
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    CHECK(
        one.spec.secrets ==
        Pairs{{"amp_v1", "param:token"}, {"AMP_PARAM_TOKEN", "param:token"}, {"A", "env:X"}, {"B", "cmd:y"}});
    CHECK(variable(one.spec, "amp_v1") == "(unset)");
    CHECK(task_spec_from(to_value(one.spec)).secrets == one.spec.secrets);
    CHECK(built("use {{ params.token }}", "{ A = 'file:z', B = 'cmd:y' }").definition == one.definition);
    CHECK(built("use {{ params.token }}", "{ A = 'env:X' }").definition != one.definition);
}

TEST_CASE("a gang is what the step says, as late as it can be known") {
    RecordedRun run(
        "[flow]\nname = 'T'\n[params]\nn = 1\n[step.s]\nrun = 'true'\nnodes = '{{ params.n }}'\nlauncher = "
        "'torchrun'\nresources = { gpu = 4 }\n[step.t]\nrun = 'true'\ntasks_per_node = 3\n[step.u]\nrun = "
        "'true'\n",
        Object{{"n", 8}});
    CHECK(build(run, "s").spec.gang == Gang{8, 4, Launcher::torchrun});
    CHECK(build(run, "t").spec.gang == Gang{1, 3, Launcher::none});
    CHECK_FALSE(build(run, "u").spec.gang);
    CHECK(total_resources(build(run, "s").spec).gpu == 32);
    CHECK(total_resources(build(run, "s").spec).cpu == 8);
}

TEST_CASE("what fits is left alone, and what does not is cut to what is there") {
    const Capacity machine{8, std::uint64_t{16} << 30, 4};
    const auto fit = [&](Resources node, std::optional<Gang> gang = {}) {
        std::string told;
        for (const std::string& cut : fit_request(node, gang, machine)) {
            told += cut + ". ";
        }
        return told;
    };
    CHECK(fit({8, std::uint64_t{16} << 30, 4}).empty());
    CHECK(fit({2, 0, 1}, Gang{4, 2, Launcher::none}).empty());
    CHECK(fit({64, 0, 8}) == "8 of 64 cpu. 4 of 8 gpu. ");
    CHECK(fit({16, 0, 4}, Gang{2, 1, Launcher::none}) ==
          "4 of 16 cpu on each of 2 nodes. 2 of 4 gpu on each of 2 nodes. ");
    CHECK(fit({1, 0, 1}, Gang{32, 1, Launcher::none}) == "4 of 32 nodes. ");
    CHECK(fit({0, 0, 0}, Gang{4000, 1, Launcher::none}) == "1024 of 4000 nodes. ");
    std::optional<Gang> none;
    Resources gpu{1, 0, 2};
    CHECK(fit_request(gpu, none, {8, 0, 0}).size() == 1);
    CHECK(gpu.gpu == 0);
}

TEST_CASE("with --fit tasks are built for this machine, and the record says so") {
    RecordedRun run("[flow]\nname = 'T'\n[step.s]\nrun = 'true'\nresources = { cpu = 64 }\n");
    SpecBuilder builder(*run.data, k_nothing_elsewhere);
    builder.set_limits({2, 0, 0});
    const BuiltTask built = builder.build(*run.data->plan().find(run.step("s"), {}), Timestamp{1000});
    CHECK(built.spec.resources.cpu == 2);
    CHECK(built.cuts == std::vector<std::string>{"2 of 64 cpu"});
    RunRecord record;
    CHECK_FALSE(run_record_from(to_value(record)).fit);
    record.fit = true;
    record.cuts = {"a cut"};
    CHECK(run_record_from(to_value(record)).fit);
    CHECK(run_record_from(to_value(record)).cuts == record.cuts);
}
