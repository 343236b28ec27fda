#include "core/run/profiles.hpp"

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/spec_builder.hpp"
#include "tests/support/recorded_run.hpp"

using namespace amp;
using amp::test::RecordedRun;

namespace {

constexpr const char* k_flow = R"toml(
[flow]
name = "T"
[params]
place = "box"
[step.a]
run = "true"
[step.b]
run = "true"
on = "{{ params.place }}"
[step.c]
run = "true"
on = "local"
[step.d]
foreach = "['box', 'nowhere']"
run = "true"
on = "{{ item }}"
)toml";

Value profiles() {
    return json::parse(R"({"box":{"backend":"ssh","host":"b"},"far":{"backend":"ssh","host":"f"},)"
                       R"("here":{"backend":"local"}})");
}

std::string profile_in_spec(const RecordedRun& run, const std::string& step, const TaskIndex& index = {}) {
    SpecBuilder builder(*run.data, [](const Artifact&) { return Value(); });
    const auto task = run.data->plan().find(run.step(step), index);
    REQUIRE(task);
    return builder.build(*task, Timestamp{1000}).spec.profile;
}

}  // namespace

TEST_CASE("the record keeps the profiles, without what they override") {
    const Value settings = json::parse(
        R"({"profile":{"box":{"backend":"ssh","host":"b","step":{"a":{"nodes":2}}},"here":{"backend":"local"}}})");
    CHECK(json::dump(recorded_profiles(settings)) ==
          R"({"box":{"backend":"ssh","host":"b"},"here":{"backend":"local"}})");
    CHECK(json::dump(recorded_profiles(Object{})) == "{}");
}

TEST_CASE("a step runs on its own profile, else on that of the run") {
    RecordedRun run(k_flow, {{"place", "box"}});
    run.record.profile = "here";
    run.record.profiles = profiles();
    CHECK(profile_in_spec(run, "a").empty());
    CHECK(profile_in_spec(run, "b") == "box");
    CHECK(profile_in_spec(run, "c").empty());
    run.record.profile = "far";
    CHECK(profile_in_spec(run, "a") == "far");
    CHECK(profile_in_spec(run, "c").empty());
}

TEST_CASE("a profile that is known only at the start of a task, and one that is not there") {
    RecordedRun run(k_flow, {{"place", "box"}});
    run.record.profile = "here";
    run.record.profiles = profiles();
    const auto uses = used_profiles(run.record, run.loaded->flow);
    REQUIRE(uses.size() == 2);  // the items may name any
    CHECK(uses[0].name == "box");
    CHECK(uses[0].sure);
    CHECK(uses[1].name == "far");
    CHECK_FALSE(uses[1].sure);
}

TEST_CASE("a run that stays on this machine uses no other") {
    RecordedRun run("[flow]\nname = 'T'\n[step.a]\nrun = 'true'\n");
    run.record.profile = "local";
    run.record.profiles = profiles();
    CHECK(used_profiles(run.record, run.loaded->flow).empty());
}
