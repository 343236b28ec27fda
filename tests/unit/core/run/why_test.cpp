#include "core/run/why.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "Train"
[params]
lr = 0.1
full = false
[step.prepare]
run = "prepare"
[step.train]
needs = "prepare"
run = '''
first
train {{ params.lr }}
'''
[step.deep]
needs = "train"
when = "params.full"
run = "deep"
[step.report]
needs = "train"
run = "report"
sources = ["report.py"]
)toml";

WhyAnswer why(FakeWorld& world, const std::string& step, const std::string& against = {}) {
    const WhyReport report = why_task(*world.services, world.project, {"latest", step, {}, against});
    REQUIRE(report.answers.size() == 1);
    return report.answers.front();
}

bool says(const WhyAnswer& answer, const std::string& text) {
    return std::any_of(answer.reasons.begin(), answer.reasons.end(),
                       [&](const std::string& reason) { return reason.find(text) != std::string::npos; });
}

ResumeOptions with_param(const std::string& name, const std::string& value) {
    ResumeOptions options;
    options.params.given.emplace_back(name, value);
    return options;
}

void change_flow(FakeWorld& world, const std::string& from, const std::string& to) {
    std::string text = k_flow;
    text.replace(text.find(from), from.size(), to);
    world.files.add("/project/flow.toml", text);
}

}  // namespace

TEST_CASE("a changed parameter is named with both values and its line; what follows from it, too") {
    FakeWorld world(k_flow);
    world.start();
    world.resume(with_param("lr", "0.2"));
    const WhyAnswer train = why(world, "train");
    REQUIRE(train.differences.size() == 1);
    CHECK(train.differences[0].part == "parameter");
    CHECK(train.differences[0].name == "lr");
    CHECK(train.differences[0].before == "0.1");
    CHECK(train.differences[0].after == "0.2");
    CHECK(train.differences[0].new_line->line == 5);
    const WhyAnswer report = why(world, "report");
    CHECK(says(report, "it needs train, which ran again"));
    CHECK(report.differences.empty());
    REQUIRE(report.because.size() == 1);
    CHECK(report.because[0].differences.size() == 1);
    CHECK(why(world, "prepare").state == "cached");
}

TEST_CASE("of a changed script the line is named in both files") {
    FakeWorld world(k_flow);
    world.start();
    change_flow(world, "[step.train]\nneeds = \"prepare\"\nrun = '''\nfirst\ntrain {{ params.lr }}",
                "\n[step.train]\nneeds = \"prepare\"\nrun = '''\nfirst\ntrain -v {{ params.lr }}");
    world.resume();
    const WhyAnswer train = why(world, "train");
    REQUIRE(train.differences.size() == 1);
    CHECK(train.differences[0].part == "run");
    CHECK(train.differences[0].old_line->line == 13);
    CHECK(train.differences[0].old_line->text == "train {{ params.lr }}");
    CHECK(train.differences[0].new_line->line == 14);
    CHECK(train.differences[0].new_line->text == "train -v {{ params.lr }}");
}

TEST_CASE("of changed sources the file is named") {
    FakeWorld world(k_flow);
    world.files.add("/project/report.py", "print(1)");
    world.files.add("/project/other.py", "print(1)");
    world.start();
    world.files.add("/project/report.py", "print(2)");
    world.files.add("/project/other.py", "print(2)");
    world.resume();
    const WhyAnswer report = why(world, "report");
    REQUIRE(report.differences.size() == 1);
    CHECK(report.differences[0].part == "source");
    CHECK(report.differences[0].name == "report.py");
}

TEST_CASE("a skipped task tells its condition and what it saw; a blocked one the failure before it") {
    FakeWorld world(k_flow);
    world.script = [](const TaskSpec& spec) { return spec.task.step == "prepare" ? fail() : succeed(); };
    StartOptions options;
    options.keep_going = true;
    world.start(options);
    CHECK(says(why(world, "report"), "train, which is blocked itself"));
    CHECK(says(why(world, "report"), "prepare, which failed"));
    world.script = [](const TaskSpec&) { return succeed(); };
    world.start();
    CHECK(says(why(world, "deep"), "`params.full` is false"));
    CHECK(says(why(world, "deep"), "params.full = false"));
}

TEST_CASE("a run that goes on from none is compared with the one before of its flow") {
    FakeWorld world(k_flow);
    const std::string first = world.start().run;
    CHECK(says(why(world, "train"), "no earlier run"));
    world.clock.advance(60);
    StartOptions options;
    options.params.given.emplace_back("lr", "0.5");
    world.start(options);
    CHECK(why(world, "train").differences.size() == 1);
    CHECK(says(why(world, "prepare"), "the same as in run " + first));
}

TEST_CASE("what is not there is told with what is meant") {
    FakeWorld world(k_flow);
    world.start();
    try {
        why_task(*world.services, world.project, {"latest", "trian", {}, ""});
        FAIL("it is there");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::not_found);
        CHECK(error.hint() == "did you mean 'train'?");
    }
}

TEST_CASE("parts of a flow: what was asked for, and what was given") {
    FakeWorld world(k_flow);
    const std::string first = world.start().run;
    SUBCASE("--only") {
        StartOptions options;
        options.only = {"train"};
        options.origin = first;
        world.start(options);
        CHECK(says(why(world, "train"), "it was asked for (--only)"));
        CHECK(says(why(world, "prepare"), "--only does not name it"));
        CHECK(says(why(world, "prepare"), first));
    }
    SUBCASE("--from") {
        ResumeOptions options;
        options.from = {"train"};
        world.resume(options);
        CHECK(says(why(world, "train"), "it was asked for (--from)"));
        CHECK(says(why(world, "report"), "it needs train, which ran again"));
    }
}
