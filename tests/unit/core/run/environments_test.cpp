#include "core/run/environments.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/flow/load.hpp"
#include "core/run/run_record.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml([flow]
name = 'E'
[step.a]
environment = { requirements = 'r.txt' }
run = 'true'
[step.b]
environment = { uv = 'uv.lock' }
image = 'python:3.12'
container = true
run = 'true'
[step.c]
run = 'true'
)toml";

Artifact folder(char digit) {
    Artifact artifact;
    artifact.kind = Artifact::Kind::folder;
    artifact.sha256 = std::string(64, digit);
    return artifact;
}

/// A record without a store: keys alone.
struct Recorded {
    FakeWorld world{k_flow};
    Diagnostics diagnostics;
    Flow flow = load_flow(k_flow, "flow.toml", diagnostics);
    RunRecord record;
    std::vector<std::string> told;

    explicit Recorded(const std::string& requirements) {
        world.files.add("/project/r.txt", requirements);
        record.project_folder = "/project";
        record_environments(*world.services, nullptr, flow, {}, record,
                            [this](const std::string& text) { told.push_back(text); });
    }
    std::string key() const { return get_string(environment_keys(record), "r.txt"); }
};

}  // namespace

TEST_CASE("what steps need is recorded, but not where an image brings its own") {
    const Recorded with("six\n");
    CHECK(with.record.environments.as_object().size() == 1);
    CHECK(with.key().size() == 64);
    CHECK(with.told ==
          std::vector<std::string>{"b: its image brings its own environment: that of uv.lock is not made"});
    const RunRecord back = run_record_from(to_value(with.record));
    CHECK(back.environments == with.record.environments);
    CHECK(locked_environment(with.flow.steps[0], back, "")->key == with.key());
    CHECK_FALSE(locked_environment(with.flow.steps[1], back, ""));
    CHECK_FALSE(locked_environment(with.flow.steps[2], back, ""));
    CHECK(Recorded("six\n").key() == with.key());
    CHECK(Recorded("six==1\n").key() != with.key());
}

TEST_CASE("what is recorded stays, until it is unlocked") {
    Recorded with("six\n");
    const std::string before = with.key();
    CHECK(changed_environments(*with.world.services, with.record).empty());
    with.world.files.add("/project/r.txt", "six==1\n");
    CHECK(changed_environments(*with.world.services, with.record) == std::vector<std::string>{"r.txt"});
    const auto again = [&with] {
        record_environments(*with.world.services, nullptr, with.flow, {}, with.record,
                            [](const std::string&) {});
    };
    again();
    CHECK(with.key() == before);
    unlock_environments(*with.world.services, with.record);
    again();
    CHECK(with.key() != before);
    with.world.files.remove("/project/r.txt");
    CHECK(changed_environments(*with.world.services, with.record) == std::vector<std::string>{"r.txt"});
}

TEST_CASE("tasks elsewhere get what is carried for their profile") {
    RunRecord record;
    record.environments =
        Object{{"requirements:r.txt",
                Object{{"tool", "requirements"},
                       {"file", "r.txt"},
                       {"key", "k"},
                       {"files", to_value(folder('a'))},
                       {"carried", Object{{"box", Object{{"for", "Python 3.11, x86_64"},
                                                         {"files", to_value(folder('b'))}}}}}}}};
    Step step;
    step.environment = EnvironmentSource{PythonEnvironment::Tool::requirements, "r.txt"};
    CHECK(locked_environment(step, record, "")->files.sha256 == std::string(64, 'a'));
    CHECK(locked_environment(step, record, "box")->files.sha256 == std::string(64, 'b'));
    CHECK(locked_environment(step, record, "other")->files.sha256 == std::string(64, 'a'));
    step.environment->file = "other.txt";
    CHECK_FALSE(locked_environment(step, record, ""));
}
