#include "core/run/run_scope.hpp"

#include "core/base/error.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using amp::test::file_artifact;
using amp::test::RecordedRun;
using amp::test::value_artifact;

namespace {

constexpr const char* k_sweep = R"toml(
[flow]
name = "Sweep"
[params]
lr = 0.1
[step.prepare]
run = "true"
outputs = { words = { path = "words.json", type = "json" }, data = "data.bin" }
[step.order]
needs = "prepare"
foreach = "prepare.words"
as = "word"
run = "true"
outputs = { size = { path = "size.json", type = "json" } }
[step.smooth]
needs = "order"
foreach = "range(2)"
run = "true"
outputs = { loss = { path = "loss.json", type = "json" } }
[step.best]
needs = "smooth"
join = true
run = "true"
[step.all]
needs = "best"
join = true
run = "true"
)toml";

/// The words a and b; two smoothings each; loss = 10 * word + smoothing. The loss of 1.0 was never made.
RecordedRun sweep() {
    RecordedRun run(k_sweep, Object{{"lr", 0.1}});
    run.succeed("prepare", {}, {{"words", value_artifact(List{"a", "b"})}, {"data", file_artifact()}});
    run.items("order", {}, {"a", "b"});
    for (std::uint32_t i = 0; i < 2; ++i) {
        run.succeed("order", TaskIndex{{i}, 0}, {{"size", value_artifact(static_cast<int>(i) + 100)}});
        run.items("smooth", TaskIndex{{i}, 0}, {0, 1});
        for (std::uint32_t k = 0; k < 2; ++k) {
            const bool hole = i == 1 && k == 0;
            run.succeed("smooth", TaskIndex{{i, k}, 0},
                        hole ? std::map<std::string, Artifact>{}
                             : std::map<std::string, Artifact>{
                                   {"loss", value_artifact(static_cast<int>(10 * i + k))}});
        }
    }
    return run;
}

struct At {
    const RecordedRun& run;
    std::string step;
    TaskIndex index;

    Value operator()(const std::string& text) const {
        Diagnostics diagnostics;
        const auto expression = Expression::parse(text, Place{1, 1, 1}, diagnostics);
        REQUIRE(expression);
        const ArtifactLoader none = [](const Artifact&) -> Value {
            throw Error(ExitCode::bug, "nothing lies elsewhere");
        };
        return expression->evaluate(
            RunScope(*run.data, {run.step(step), index, 2, false}, none, Timestamp{5000}));
    }
};

}  // namespace

TEST_CASE("a task sees the record, itself, and its items by name") {
    const RecordedRun run = sweep();
    const At at{run, "smooth", TaskIndex{{1, 0}, 0}};
    CHECK(at("params.lr") == Value(0.1));
    CHECK(at("run.id") == Value("261120-081530-k3fx"));
    CHECK(at("flow.name") == Value("Sweep"));
    CHECK(at("step.name") == Value("smooth"));
    CHECK(at("attempt") == Value(2));
    CHECK(at("word") == Value("b"));
    CHECK(at("item") == Value(0));
    CHECK(at("index") == Value(0));
}

TEST_CASE("artifacts of ancestors are those of the same branch") {
    const RecordedRun run = sweep();
    const At at{run, "smooth", TaskIndex{{1, 0}, 0}};
    CHECK(at("order.size") == Value(101));
    CHECK(at("size") == Value(101));
    CHECK(at("prepare.words[1]") == Value("b"));
    const Value data = at("prepare.data");
    REQUIRE(data.is_file());
    CHECK(data.as_file().path == "prepare/data");
}

TEST_CASE("a join sees its branch's items by star and by number, without holes") {
    const RecordedRun run = sweep();
    const At first{run, "best", TaskIndex{{0}, 0}};
    CHECK(first("smooth.*.loss") == Value(List{0, 1}));
    CHECK(first("smooth[1].loss") == Value(1));
    CHECK(first("smooth[-1].loss") == Value(1));
    CHECK(first("default(smooth[7].loss, 'none')") == Value("none"));
    const At second{run, "best", TaskIndex{{1}, 0}};
    CHECK(second("smooth.*.loss") == Value(List{11}));
    CHECK(second("exists(smooth[0].loss)") == Value(false));
}

TEST_CASE("closing several levels nests the lists") {
    const RecordedRun run = sweep();
    const At at{run, "all", {}};
    CHECK(at("smooth.*.loss") == Value(List{List{0, 1}, List{11}}));
    CHECK(at("smooth.*.*.loss") == Value(List{List{0, 1}, List{11}}));
    CHECK(at("smooth.*[1].loss") == Value(List{1, 11}));
    CHECK(at("order.*.size") == Value(List{100, 101}));
}

TEST_CASE("a bare star shows all items, holes too") {
    const RecordedRun run = sweep();
    const Value all = At{run, "best", TaskIndex{{1}, 0}}("smooth.*");
    REQUIRE(all.is_list());
    REQUIRE(all.as_list().size() == 2);
    CHECK(get_int(all.as_list()[0], "index") == 0);
    CHECK(get_string(all.as_list()[0], "state") == "succeeded");
    CHECK(get_object(all.as_list()[0], "artifacts").empty());
    CHECK(get_object(all.as_list()[1], "artifacts").at("loss") == Value(11));
}

TEST_CASE("what was read is remembered, with its place in the task's inputs") {
    const RecordedRun run = sweep();
    const ArtifactLoader none = [](const Artifact&) { return Value(); };
    const RunScope scope(*run.data, {run.step("best"), TaskIndex{{0}, 0}, 1, false}, none, Timestamp{});
    Diagnostics diagnostics;
    Expression::parse("smooth.*.loss + [prepare.words]", Place{1, 1, 1}, diagnostics)->evaluate(scope);
    std::vector<std::string> paths;
    for (const auto& read : scope.reads()) {
        paths.push_back(read.path);
    }
    CHECK(paths == std::vector<std::string>{"prepare/words", "smooth/0/loss", "smooth/1/loss"});
}

TEST_CASE("a caught failure leaves its error as an artifact") {
    RecordedRun run(
        "[flow]\nname = 'C'\n[step.a]\nrun = 'exit 3'\ncatch = 'problem'\n[step.b]\nneeds = 'a'\nrun = "
        "'true'\n");
    run.fail("a", {}, Cause::user, "exit status 3");
    const At at{run, "b", {}};
    CHECK(at("a.problem.cause") == Value("user"));
    CHECK(at("a.problem.exit") == Value(3));
    CHECK(at("problem.log_tail") == Value("last line\n"));
}

TEST_CASE("in a repetition prev is the round before, also in until") {
    RecordedRun run(
        "[flow]\nname = 'R'\n[step.a]\nrun = 'true'\noutputs = { loss = { path = 'loss.json', type = 'json' "
        "} }\n"
        "repeat = { until = 'loss < 1', max = 5 }\n");
    const ArtifactLoader none = [](const Artifact&) { return Value(); };
    const auto evaluate = [&](const std::string& text, std::uint32_t round, bool after) {
        Diagnostics diagnostics;
        const auto expression = Expression::parse(text, Place{1, 1, 1}, diagnostics);
        return expression->evaluate(
            RunScope(*run.data, {0, TaskIndex{{}, round}, 1, after}, none, Timestamp{}));
    };
    CHECK(evaluate("exists(prev.loss)", 1, false) == Value(false));
    run.succeed("a", TaskIndex{{}, 1}, {{"loss", value_artifact(8)}});
    CHECK(evaluate("loss", 1, true) == Value(8));
    CHECK(evaluate("exists(prev.loss)", 1, true) == Value(false));
    REQUIRE(run.data->apply({.event = UntilDecided{0, TaskIndex{{}, 1}, false}}));
    CHECK(evaluate("prev.loss", 2, false) == Value(8));
    run.succeed("a", TaskIndex{{}, 2}, {{"loss", value_artifact(4)}});
    CHECK(evaluate("prev.loss - loss", 2, true) == Value(4));
}
