#include "core/ports/task_spec.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

using namespace amp;

namespace {

TaskSpec full_spec() {
    TaskSpec spec;
    spec.task = TaskName::parse("train/3.0@2");
    spec.attempt = 4;
    spec.token = "token";
    spec.argv = {{{Piece::Kind::text, "prog"}},
                 {{Piece::Kind::text, "--in="}, {Piece::Kind::input, "a/b"}},
                 {{Piece::Kind::output, "model"}},
                 {}};
    spec.env = {{"A", {{Piece::Kind::text, "1"}}}, {"B", {{Piece::Kind::output, "x"}}}};
    spec.inherit_env = false;
    spec.cwd = "/work";
    Artifact value{Artifact::Kind::value, Value(Object{{"n", 1}}), "aa", 7, {}, 0};
    Artifact packed{Artifact::Kind::value, {}, "bb", 5000, "runs/R/packs/1", 17};
    spec.inputs = {{"a/b", {Artifact::Kind::file, {}, "cc", 12, {}, 0}}, {"v", value}, {"w", packed}};
    spec.outputs = {{"model", "model.pt", TaskOutput::Type::file, true},
                    {"m", "./m.json", TaskOutput::Type::metrics, false}};
    spec.resources = {2.5, 1 << 20, 1};
    spec.gang = Gang{2, 3, Launcher::torchrun};
    spec.timeout_s = 60;
    spec.grace_s = 3;
    spec.priority = -2;
    spec.checkpoint_s = 30;
    spec.cache_dirs = {{"torch", "~/.cache/torch"}};
    spec.log.head_bytes = 10;
    spec.log.tail_bytes = 20;
    return spec;
}

}  // namespace

TEST_CASE("a task spec survives its record") {
    const Value record = to_value(full_spec());
    const TaskSpec back = task_spec_from(json::parse(json::dump(record)));
    CHECK(to_value(back) == record);
    CHECK(back.task.text() == "train/3.0@2");
    CHECK(back.argv[1][1].kind == Piece::Kind::input);
    CHECK(back.argv[3] == LateText{{Piece::Kind::text, ""}});
    CHECK(back.inputs[1].artifact.value->find("n")->as_int() == 1);
    CHECK(back.inputs[2].artifact.pack_offset == 17);
    CHECK(back.outputs[0].optional);
    CHECK(back.outputs[1].type == TaskOutput::Type::metrics);
    CHECK(back.resources == Resources{2.5, 1 << 20, 1});
    CHECK_FALSE(back.inherit_env);
    CHECK(back.gang == Gang{2, 3, Launcher::torchrun});
    CHECK(total_resources(back) == Resources{5, 2 << 20, 2});
    CHECK(back.priority == -2);
    CHECK(back.checkpoint_s == 30);
    CHECK(back.cache_dirs.at(0).first == "torch");
    CHECK(back.cache_dirs.at(0).second == "~/.cache/torch");
}

TEST_CASE("a plain task spec is a short record with the defaults left out") {
    TaskSpec spec;
    spec.task = TaskName::parse("a");
    spec.argv = {{{Piece::Kind::text, "true"}}};
    CHECK(json::dump(to_value(spec)) == R"({"argv":["true"],"attempt":1,"task":"a/_","token":""})");
    const TaskSpec back = task_spec_from(to_value(spec));
    CHECK(back.inherit_env);
    CHECK(back.grace_s == spec.grace_s);
    CHECK(back.log.head_bytes == spec.log.head_bytes);
    CHECK(back.resources == spec.resources);
}

TEST_CASE("a result survives its record") {
    AttemptResult result;
    result.task = TaskName::parse("a/1");
    result.attempt = 2;
    result.cause = Cause::oom;
    result.exit = -1;
    result.signal = 9;
    result.message = "out of memory";
    result.started = {1'793'174'400'123};
    result.ended = {1'793'174'400'456};
    result.cpu_s = 0.25;
    result.max_rss_bytes = 1 << 20;
    result.artifacts["x"] = {Artifact::Kind::folder, {}, "dd", 99, {}, 0};
    result.log = {{"p", 1, 2}, {"p", 30, 4}};
    result.log.back().rank = 1;
    result.ranks = {{0, 0}, {-1, 15}};
    result.failed_rank = 1;
    result.log_bytes = 6;
    result.log_dropped_bytes = 1;
    const AttemptResult back = attempt_result_from(json::parse(json::dump(to_value(result))));
    CHECK(to_value(back) == to_value(result));
    CHECK(back.started == result.started);
    CHECK(back.ended == result.ended);
    CHECK(back.artifacts.at("x") == result.artifacts.at("x"));
    CHECK(back.log == result.log);
    CHECK(back.ranks == result.ranks);
    CHECK(back.failed_rank == result.failed_rank);
}

TEST_CASE("records that cannot be are refused") {
    const auto refused = [](const char* text) { CHECK_THROWS_AS(task_spec_from(json::parse(text)), Error); };
    refused("{}");
    refused(R"({"task":"a","attempt":0})");
    refused(R"({"task":"a","attempt":-1})");
    refused(R"({"task":"a","argv":[1]})");
    refused(R"({"task":"a","argv":[],"env":[["A"]]})");
    refused(R"({"task":"a","argv":[],"outputs":[{"name":"x","path":"x","type":"film"}]})");
    CHECK_THROWS_AS(attempt_result_from(json::parse(R"({"task":"a","cause":"bad luck"})")), Error);
    CHECK_THROWS_AS(attempt_result_from(json::parse(R"({"task":"a"})")), Error);
}

TEST_CASE("causes have names") {
    for (const Cause cause :
         {Cause::none, Cause::user, Cause::timeout, Cause::oom, Cause::evicted, Cause::preempted,
          Cause::image, Cause::node, Cause::quota, Cause::lost, Cause::infra, Cause::cancelled}) {
        CHECK(parse_cause(cause_name(cause)) == cause);
    }
    CHECK_FALSE(parse_cause("nothing"));
}
