#include "core/flow/load.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/base/json.hpp"
#include "core/flow/params.hpp"

using namespace amp;

namespace {

std::string text_of(const Diagnostics& diagnostics) {
    std::string out;
    for (const Diagnostic& d : diagnostics.sorted()) {
        out += d.code + " " + std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " +
               d.message + " [" + d.hint + "]\n";
    }
    return out;
}

Flow load(const std::string& text, const Value& overrides = {}) {
    Diagnostics diagnostics;
    Flow flow = load_flow(text, "flow.toml", diagnostics, overrides);
    CHECK(text_of(diagnostics) == "");
    return flow;
}

/// What is wrong with a step of these lines (or, with `all`, with these lines alone).
std::vector<Diagnostic> mistakes_of(const std::string& lines, bool all = false) {
    Diagnostics diagnostics;
    load_flow(all ? lines : "[flow]\nname = 'F'\n[step.a]\n" + lines, "flow.toml", diagnostics);
    return diagnostics.sorted();
}

std::string codes_of(const std::string& lines, bool all = false) {
    std::string codes;
    for (const Diagnostic& d : mistakes_of(lines, all)) {
        codes += (codes.empty() ? "" : " ") + d.code;
    }
    return codes;
}

const Step& step_of(const Flow& flow, std::string_view name) {
    const Step* step = flow.find(name);
    REQUIRE(step != nullptr);
    return *step;
}

const std::string k_big = R"(
[flow]
name = "FinetuneEval"
description = "all of it"
tags = ["a", "b"]
schedule = "0 2 * * mon-fri"
timezone = "Europe/Berlin"
max_workers = 8
keep_going = true
timeout = "1d"
cleanup_timeout = 30

[params]
model = { default = "t5-3b", help = "base model" }
lr = { type = "float", default = 3e-4, min = 0.0 }
n = 4
actions = { type = "list", default = ["click", "type"] }

[config]
data = "data.toml"
more = { file = "more.json", required = false, env = "MORE" }

[defaults]
retry = 1
env = { SEED = 7, MODE = "fast" }

[step.prepare]
run = "python prepare.py --model {{ params.model }} --out {{ outputs.dataset }}"
outputs = { dataset = "data.bin", info = { path = "info.json", type = "json", optional = true } }

[step.train]
needs = "prepare"
run = ["python", "train.py", "--data", "{{ prepare.dataset }}", "-n", 3]
nodes = 4
launcher = "torchrun"
resources = { gpu = 4, cpu = 16, memory = "64G" }
timeout = "3h"
retry = { times = 2, delay = "1m", backoff = 2.0, on = ["infra", "oom"], grow = { memory = 2.0 } }
outputs = { model = "model" }
env = { MODE = "slow" }

[step.evaluate]
needs = ["train", { step = "prepare", when = "params.n > 3" }]
foreach = "params.actions"
as = "action"
run = "python evaluate.py --action {{ action }}"
catch = true
limit = "{{ params.n }}"
priority = -2

[step.report]
needs = "evaluate"
join = true
run = "python report.py"
inputs = { "scores" = "evaluate.*.error" }
repeat = { until = "round > 2", max = 5, on_max = "ok" }
)";

}  // namespace

TEST_CASE("a whole flow is loaded, in the order of the file") {
    const Flow flow = load(k_big);
    CHECK(flow.name == "FinetuneEval");
    CHECK(flow.tags == std::vector<std::string>{"a", "b"});
    CHECK(flow.keep_going);
    CHECK(flow.timeout_s == 86400);
    CHECK(flow.cleanup_timeout_s == 30);
    CHECK(flow.max_workers->value == Value(8));
    REQUIRE(flow.params.size() == 4);
    CHECK(flow.params[0].type == Parameter::Type::string);
    CHECK(flow.params[1].min == 0.0);
    CHECK(flow.params[2].type == Parameter::Type::integer);
    CHECK(flow.params[2].fallback == Value(4));
    REQUIRE(flow.config.size() == 2);
    CHECK(flow.config[1].env == "MORE");
    CHECK_FALSE(flow.config[1].required);
    REQUIRE(flow.steps.size() == 4);
    CHECK(flow.steps[0].name == "prepare");
    CHECK(flow.steps[3].name == "report");
}

TEST_CASE("a step's keys come to their places") {
    const Flow flow = load(k_big);
    const Step& train = step_of(flow, "train");
    CHECK(train.arguments.size() == 6);
    CHECK(train.arguments.back().source() == "3");
    CHECK(train.needs.at(0).step == "prepare");
    CHECK(train.retry.times == 2);
    CHECK(train.retry.delay_s == 60);
    CHECK(train.retry.on == std::vector<Cause>{Cause::infra, Cause::oom});
    CHECK(train.retry.grow.at("memory") == 2.0);
    CHECK(train.resources.at("memory").value == Value("64G"));
    CHECK(train.timeout->value == Value("3h"));
    const Step& evaluate = step_of(flow, "evaluate");
    CHECK(evaluate.needs.at(1).when.has_value());
    CHECK(evaluate.as == "action");
    CHECK(evaluate.catch_as == "error");
    CHECK(evaluate.limit->text.has_value());
    CHECK(evaluate.priority->value == Value(-2));
    const Step& report = step_of(flow, "report");
    CHECK(report.joins);
    CHECK(report.repeat->max == 5);
    CHECK(report.repeat->on_max_ok);
    CHECK(report.inputs.at(0).path == "scores");
    CHECK(step_of(flow, "prepare").outputs.at(1).type == TaskOutput::Type::json);
    CHECK(step_of(flow, "prepare").outputs.at(1).optional);
}

TEST_CASE("defaults stand where a step says nothing; tables of names add up") {
    const Flow flow = load(k_big);
    CHECK(step_of(flow, "prepare").retry.times == 1);
    CHECK(step_of(flow, "train").retry.times == 2);
    const auto& env = step_of(flow, "train").env;
    REQUIRE(env.size() == 2);
    CHECK(env[0].first == "MODE");
    CHECK(env[0].second.source() == "slow");
    CHECK(env[1].first == "SEED");
    CHECK(env[1].second.source() == "7");
}

TEST_CASE("a default `run` yields to a step's `flow`") {
    const Flow flow =
        load("[flow]\nname='F'\n[defaults]\nrun = 'make'\n[step.a]\n[step.b]\nflow = 'other.toml'\n");
    CHECK(step_of(flow, "a").command.has_value());
    CHECK_FALSE(step_of(flow, "b").command.has_value());
}

TEST_CASE("a profile's overrides win, key by key") {
    const Value overrides =
        json::parse(R"({"train": {"timeout": "9h", "resources": {"cpu": 2}}, "unknown": {"run": "x"}})");
    const Flow flow = load(k_big, overrides);
    const Step& train = step_of(flow, "train");
    CHECK(train.timeout->value == Value("9h"));
    CHECK(train.resources.at("cpu").value == Value(2));
    CHECK(train.resources.at("memory").value == Value("64G"));
    Diagnostics diagnostics;
    load_flow(k_big, "flow.toml", diagnostics, json::parse(R"({"train": {"timeot": 1}})"));
    CHECK(diagnostics.sorted().at(0).code == "AMP1010");
}

TEST_CASE("keys that are not acted upon yet are named with their places") {
    std::string keys;
    for (const LaterKey& key : keys_not_acted_upon(load(k_big))) {
        keys += key.key + "@" + std::to_string(key.place.line) + " ";
    }
    CHECK(keys == "flow.schedule@6 flow.timezone@7 ");
}

TEST_CASE("where the code of a run is") {
    const auto flow = [](const std::string& code) {
        return load("[flow]\nname = 'F'\n" + code + "\n[step.a]\nrun = 'x'\n");
    };
    CHECK(flow("").code_mode == "files");
    CHECK(flow("code = { exclude = ['*.bin'] }").code_mode == "files");
    CHECK(flow("code = { exclude = ['*.bin'] }").code_exclude == std::vector<std::string>{"*.bin"});
    CHECK(flow("code = 'image'").code_mode == "image");
    CHECK(flow("code = 'image+diff'").code_mode == "image+diff");
    CHECK(keys_not_acted_upon(flow("code = 'image'")).empty());
}

TEST_CASE("what a step remembers and waits for") {
    const Flow flow = load(R"toml([flow]
name = "F"
[step.a]
run = "x"
cache = { ttl = "1h" }
checkpoint = { interval = "5m" }
cache_dirs = { torch = "~/.cache/torch" }
[step.b]
run = "x"
cache = true
checkpoint = true
wait = { file = "/data/{{ run.id }}", timeout = "1d" }
[step.c]
run = "x"
cache = false
checkpoint = false
cache_dirs = ["build"]
[step.d]
wait = "approval"
)toml");
    CHECK(flow.steps[0].cache->ttl_s == 3600);
    CHECK(flow.steps[0].checkpoint_s == 300);
    CHECK(flow.steps[0].cache_dirs.at(0).key == "torch");
    CHECK_FALSE(flow.steps[1].cache->ttl_s.has_value());
    CHECK(flow.steps[1].checkpoint_s == 60);
    CHECK(flow.steps[1].wait->file.has_value());
    CHECK(flow.steps[1].wait->timeout_s == 86400);
    CHECK_FALSE(flow.steps[2].cache.has_value());
    CHECK_FALSE(flow.steps[2].checkpoint_s.has_value());
    CHECK(flow.steps[2].cache_dirs.at(0).key == "build");
    CHECK(flow.steps[3].wait->approval);
    CHECK(flow.steps[3].only_waits());
    CHECK(keys_not_acted_upon(flow).empty());
}

TEST_CASE("an unknown key is told at its place, with the nearest known one") {
    const auto found = mistakes_of("run = 'x'\ntimeot = 3\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "AMP1010");
    CHECK(found[0].place == Place{5, 1, 6});
    CHECK(found[0].hint == "did you mean 'timeout'?");
    CHECK(mistakes_of("run = 'x'\ndepends_on = 'b'\n").at(0).hint.find("needs") != std::string::npos);
    CHECK(mistakes_of("run = 'x'\nresources = { memroy = '1G' }\n").at(0).hint == "did you mean 'memory'?");
    CHECK(mistakes_of("[flow]\nname='F'\n[steps.a]\nrun='x'\n", true).at(0).code == "AMP1010");
}

TEST_CASE("a wrong type says what was found and what is expected") {
    const auto found = mistakes_of("run = 'x'\ntimeout = true\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "AMP1011");
    CHECK(found[0].message ==
          "`step.a.timeout` must be a duration such as \"1h30m\", or a number of seconds, not true (a "
          "boolean)");
    CHECK(codes_of("run = 7\n") == "AMP1011");
    CHECK(codes_of("run = 'x'\nneeds = 7\n") == "AMP1011");
    CHECK(codes_of("run = 'x'\nforeach = ['a', 'b']\n") == "AMP1011");
    CHECK(codes_of("run = 'x'\nlimit = 'many'\n") == "AMP1011");
    CHECK(codes_of("run = 'x'\nenv = { A = [1] }\n") == "AMP1011");
    CHECK(codes_of("run = ['x', true]\n") == "AMP1011");
}

TEST_CASE("a bare number for a size is an error that shows the unit") {
    const auto found = mistakes_of("run = 'x'\nresources = { memory = 64 }\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "AMP1019");
    CHECK(found[0].hint == R"(write "64G" or "64Gi")");
}

TEST_CASE("forms are checked, those of keys that are not acted upon too") {
    CHECK(codes_of("run = 'x'\ntimeout = '3 hours'\n") == "AMP1018");
    CHECK(codes_of("run = 'x'\ntimeout = 0\n") == "AMP1014");
    CHECK(codes_of("run = 'x'\ntimeout = '{{ params.t }}'\n").empty());
    CHECK(codes_of("run = 'x'\nretry = { times = 1, on = ['ooom'] }\n") == "AMP1013");
    CHECK(codes_of("run = 'x'\nretry = { delay = 1 }\n") == "AMP1012");
    CHECK(codes_of("run = 'x'\nretry = -1\n") == "AMP1014");
    CHECK(codes_of("run = 'x'\nlauncher = 'torch'\n") == "AMP1013");
    CHECK(codes_of("run = 'x'\nnodes = 0\n") == "AMP1014");
    CHECK(codes_of("run = 'x'\nnodes = '{{ params.n }}'\n").empty());
    CHECK(codes_of("run = 'x'\ncache = { ttl = '1x' }\n") == "AMP1018");
    CHECK(codes_of("run = 'x'\ncheckpoint = 3\n") == "AMP1011");
    CHECK(codes_of("run = 'x'\nwait = 'aproval'\n") == "AMP1013");
    CHECK(codes_of("wait = { until = '1 +' }\n").substr(0, 5) == "AMP11");
    CHECK(codes_of("wait = 'approval'\n").empty());
    CHECK(codes_of("run = 'x'\nimage = '{{ params. }}'\n").substr(0, 5) == "AMP11");
    CHECK(codes_of("run = 'x'\nslurm = { partition = '{{ 1 + }}', patch = { x = [1] } }\n").substr(0, 5) ==
          "AMP11");
    CHECK(codes_of("run = 'x'\noutputs = { m = '../m' }\n") == "AMP1023");
    CHECK(codes_of("run = 'x'\noutputs = { m = '/m' }\n") == "AMP1023");
    CHECK(codes_of("run = 'x'\noutputs = { 'a b' = 'm' }\n") == "AMP1016");
    CHECK(codes_of("run = 'x'\noutputs = { a = 'm', b = 'm' }\n") == "AMP1028");
    CHECK(codes_of("run = 'x'\nsecrets = { A = 'plain' }\n") == "AMP1024");
    CHECK(codes_of("run = 'x'\nsecrets = { A = 'aws:name' }\n") == "AMP1024");
    CHECK(codes_of("run = 'x'\nsecrets = { A = 'kube:name/key' }\n") == "AMP1024");
    CHECK(codes_of("run = 'x'\nsecrets = { A = 'cmd:pass x', B = 'file:~/b', C = 'env:D' }\n").empty());
    CHECK(codes_of("run = 'x'\nsecrets = ['A']\n").empty());
    CHECK(codes_of("run = 'x'\nwhen = '{{ params.x }}'\n") == "AMP1020");
    CHECK(codes_of("run = 'x'\nneeds = '{{ params.x }}'\n") == "AMP1020");
    CHECK(codes_of("run = 'x'\nas = 'params'\n") == "AMP1017");
    CHECK(codes_of("run = ''\n") == "AMP1015");
    CHECK(codes_of("run = []\n") == "AMP1015");
    CHECK(codes_of("env = { A = '1' }\n") == "AMP1027");
    CHECK(codes_of("run = 'x'\nflow = 'y.toml'\n") == "AMP1026");
    CHECK(codes_of("flow = 'x.toml'\noutputs = { url = 'publish.url' }\n").empty());
    CHECK(codes_of("flow = 'x.toml'\noutputs = { url = 'url' }\n") == "AMP1029");
    CHECK(codes_of("wait = { until = 'now() > ' }\n") == "AMP1101");
    CHECK(codes_of("wait = 'approval'\n").empty());
    CHECK(codes_of("run = 'x'\nrepeat = { max = 3 }\n") == "AMP1312");
    CHECK(codes_of("run = 'x'\nrepeat = { until = 'true' }\n") == "AMP1012");
    CHECK(codes_of("run = 'x'\nenvironment = {}\n") == "AMP1015");
}

TEST_CASE("schedules and time zones") {
    const auto schedule = [](const std::string& text) {
        return codes_of("[flow]\nname='F'\nschedule='" + text + "'\n[step.a]\nrun='x'\n", true);
    };
    for (const char* fine :
         {"0 2 * * *", "*/15 0-6 1,15 jan-mar MON", "@daily", "5 4 * * sun", "0 0 ? * 7"}) {
        CHECK(schedule(fine).empty());
    }
    for (const char* wrong : {"0 2 * *", "60 2 * * *", "0 24 * * *", "a b c d e", "@dayly", "0 2 0 * *",
                              "*/0 * * * *", "5-1 * * * *", "1- * * * *"}) {
        CHECK_MESSAGE(schedule(wrong) == "AMP1021", wrong);
    }
    const auto zone = [](const std::string& text) {
        return codes_of("[flow]\nname='F'\ntimezone='" + text + "'\n[step.a]\nrun='x'\n", true);
    };
    CHECK(zone("America/Argentina/Buenos_Aires").empty());
    CHECK(zone("Etc/GMT+5").empty());
    CHECK(zone("Europe Berlin") == "AMP1022");
    CHECK(zone("/etc/passwd") == "AMP1022");
    CHECK(zone("Europe/Berlni") == "AMP1022");
    CHECK(zone("CEST") == "AMP1022");
    CHECK(zone("UTC").empty());
    CHECK(zone("US/Eastern").empty());
    CHECK(zone("America/Coyhaique").empty());
}

TEST_CASE("names of flows, steps and parameters") {
    CHECK(codes_of("[flow]\nname='my flow'\n[step.a]\nrun='x'\n", true) == "AMP1016");
    CHECK(codes_of("[flow]\nname='F'\n[step.Train]\nrun='x'\n", true) == "AMP1016");
    CHECK(codes_of("[flow]\nname='F'\n[step.join]\nrun='x'\n", true) == "AMP1017");
    CHECK(codes_of("[flow]\nname='F'\n[params]\n'a-b'=1\n[step.a]\nrun='x'\n", true) == "AMP1016");
    CHECK(codes_of("[flow]\nname='F'\n[params]\nlr=1\nLR=2\n[step.a]\nrun='x'\n", true) == "AMP1505");
}

TEST_CASE("what a file must have") {
    CHECK(codes_of("", true) == "AMP1012 AMP1027");
    CHECK(codes_of("[step.a]\nrun='x'\n", true) == "AMP1012");
    CHECK(codes_of("[flow]\n[step.a]\nrun='x'\n", true) == "AMP1012");
    CHECK(codes_of("[flow]\nname='F'\n", true) == "AMP1027");
    CHECK(codes_of("step = 3\n[flow]\nname='F'\n", true) == "AMP1011");
    CHECK(codes_of("[flow]\nname='F'\n[step]\na = 3\n", true) == "AMP1011");
}

TEST_CASE("parameters of the long form") {
    const auto param = [](const std::string& text) {
        return codes_of("[flow]\nname='F'\n[params]\n" + text + "\n[step.a]\nrun='x'\n", true);
    };
    CHECK(param("x = { type = 'int', default = 3, min = 1, max = 5, choices = [1, 3] }").empty());
    CHECK(param("x = { choices = ['a', 'b'] }").empty());
    CHECK(param("x = { type = 'float', default = 3 }").empty());
    CHECK(param("x = { type = 'int', default = 'a' }") == "AMP1502");
    CHECK(param("x = { type = 'int', default = 3.5 }") == "AMP1502");
    CHECK(param("x = { type = 'integer' }") == "AMP1013");
    CHECK(param("x = { default = 0, min = 1 }") == "AMP1503");
    CHECK(param("x = { default = 'c', choices = ['a', 'b'] }") == "AMP1503");
    CHECK(param("x = { default = 'c', pattern = '^[ab]$' }") == "AMP1503");
    CHECK(param("x = { default = 'c', pattern = '(' }") == "AMP1025");
    CHECK(param("x = { default = 'c', min = 3 }") == "AMP1504");
    CHECK(param("x = { default = 3, pattern = 'a' }") == "AMP1504");
    CHECK(param("x = { type = 'int', min = 3, max = 2 }") == "AMP1504");
    CHECK(param("x = { required = true, default = 2 }") == "AMP1506");
    CHECK(param("x = { type = 'secret', default = 'k' }") == "AMP1507");
    CHECK(param("x = { a = 1, b = 2 }") == "AMP1010");
    CHECK(param("x = 2024-01-01") == "AMP1502");
}

TEST_CASE("all mistakes of a file are told, those behind a syntax error too") {
    CHECK(codes_of("[flow]\nname = \n[step.a]\nrun = 7\nneeds = tru\n[step.b]\nrum = 'x'\nrun = 'y'\n",
                   true) == "AMP1001 AMP1011 AMP1001 AMP1010");
}

TEST_CASE("a mistake in [defaults] is told once") {
    CHECK(codes_of("[flow]\nname='F'\n[defaults]\ntimeout='soon'\nenv={A='{{ 1 + "
                   "}}'}\n[step.a]\nrun='x'\n[step.b]\nrun='y'\n",
                   true)
              .size() == std::string("AMP1018 AMP1101").size());
}
