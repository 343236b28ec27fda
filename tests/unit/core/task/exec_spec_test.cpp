#include "core/task/exec_spec.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

using namespace amp;

namespace {

ExecSpec sample() {
    ExecSpec out;
    out.store = "/shared/.amp";
    out.run = "261120-081530-k3fx";
    out.epoch = 3;
    out.spec.task = TaskName::parse("train/3.0");
    out.spec.attempt = 2;
    out.spec.token = "token";
    out.spec.argv = {{{Piece::Kind::text, "true"}}};
    out.spec.cwd = "/home/ann/project/sub";
    out.code = std::string(64, 'a');
    out.code_root = "/home/ann/project";
    out.term = Cause::cancelled;
    return out;
}

Value with(const std::string& key, const Value& value) {
    Object object = to_value(sample()).as_object();
    object[key] = value;
    return object;
}

std::string problem_of(const Value& value) {
    try {
        exec_spec_from(value);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::mismatch);
        return error.message();
    }
    return {};
}

}  // namespace

TEST_CASE("a spec goes through JSON unharmed") {
    const Value value = json::parse_record(json::dump_record(to_value(sample())));
    CHECK(to_value(exec_spec_from(value)) == to_value(sample()));
    const ExecSpec read = exec_spec_from(value);
    CHECK(read.epoch == 3);
    CHECK(read.spec.task.text() == "train/3.0");
    CHECK(read.term == Cause::cancelled);
    ExecSpec plain = sample();
    plain.code.clear();
    plain.term = Cause::preempted;
    CHECK(exec_spec_from(to_value(plain)).code.empty());
    CHECK(exec_spec_from(to_value(plain)).term == Cause::preempted);
}

TEST_CASE("what is not known is passed over, and what is newer refused") {
    CHECK(problem_of(with("later", true)).empty());
    CHECK(problem_of(with("schema", 2)) ==
          "the spec was written by a newer amp (schema 2, and this one knows 1)");
}

TEST_CASE("a spec that cannot be obeyed says why") {
    CHECK(problem_of(with("schema", {})) == "the spec cannot be obeyed: it says no schema");
    CHECK(problem_of(with("store", "s3://bucket")) ==
          "the spec cannot be obeyed: the store 's3://bucket' is no absolute path of a folder");
    CHECK(problem_of(with("run", "../..")) == "the spec cannot be obeyed: '../..' is no run");
    CHECK(problem_of(with("term", "oom")) == "the spec cannot be obeyed: TERM cannot mean 'oom'");
    CHECK(problem_of(with("spec", Object{{"task", "a/_"}, {"token", ""}})) ==
          "the spec cannot be obeyed: the task has no token");
    CHECK_FALSE(problem_of(with("spec", Object{{"task", "a/b/c/d"}, {"token", "t"}})).empty());
    CHECK(problem_of(Value(List{})) == "the spec cannot be obeyed: it says no schema");
}

TEST_CASE("what runs in a container is not for it") {
    ExecSpec contained = sample();
    contained.spec.container = Container{"python:3"};
    CHECK(problem_of(to_value(contained)).find("container") != std::string::npos);
}
