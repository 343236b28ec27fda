#include "core/run/containers.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/flow/load.hpp"
#include "core/run/run_scope.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_flow = R"toml([flow]
name = 'C'
[params]
tag = '1'
[step.a]
foreach = "['1', '2']"
image = 'ml:{{ params.tag }}'
container = true
run = 'true'
[step.b]
image = 'other:1'
run = 'true'
[step.c]
foreach = "['1', '2']"
image = 'late:{{ item }}'
container = true
run = 'true'
)toml";

const std::string k_id = "sha256:d4091317be2207f37d53ab33f9f9f9fe99c7f9da11d32e9b8249777dbeb4436a";

ToolResult said(std::string out) {
    ToolResult result;
    result.out = std::move(out);
    return result;
}

ToolResult failed(std::string err) {
    ToolResult result;
    result.exit = 1;
    result.err = std::move(err);
    return result;
}

/// A world whose tools are docker and podman.
struct WithEngines {
    FakeWorld world{k_flow};
    FakeProcess tools;
    Diagnostics diagnostics;
    Flow flow = load_flow(k_flow, "flow.toml", diagnostics);
    RunRecord record;
    std::vector<std::string> told;
    Value settings = Object{};

    WithEngines() { record.params = Object{{"tag", "1"}}; }

    void look(bool pull = true) {
        const Services& given = *world.services;
        Services services{given.clock,      given.files,      tools,
                          given.waiter,     given.open_store, given.make_backend,
                          given.ask_cancel, given.machine,    given.environment,
                          given.user,       given.host};
        record_containers(services, settings, flow, {}, record, pull,
                          [this](const std::string& text) { told.push_back(text); });
    }

    RecordedContainer of(std::size_t step, bool here = true) const {
        return recorded_container(flow.steps[step], RecordScope(record, flow.name), record, here);
    }
};

}  // namespace

TEST_CASE("each image that is known is asked for once, and the record says which it was") {
    WithEngines with;
    with.tools.expect(version_words("docker"), said("20.10 [\"name=rootless\"]\n"));
    with.tools.expect(image_words("docker", "ml:1"), said(k_id + " []\n"));
    with.look();
    CHECK(with.told == std::vector<std::string>{"the image ml:1 is " + k_id + " (docker 20.10)"});
    with.record = run_record_from(to_value(with.record));
    CHECK(with.of(0).image == k_id);
    CHECK(with.of(0).digest == k_id);
    CHECK(with.of(0).engine == "docker:rootless");
    CHECK(with.of(1).image.empty());
}

TEST_CASE("a task on another backend has its image, and no engine of this machine") {
    WithEngines with;
    with.tools.expect(version_words("docker"), said("20.10 []\n"));
    with.tools.expect(image_words("docker", "ml:1"), said(k_id + " []\n"));
    with.look();
    CHECK(with.of(1, false).image == "other:1");
    CHECK(with.of(1, false).engine.empty());
    CHECK(with.of(0, false).image == "ml:1");
}

TEST_CASE("with all, an image suffices; what is not there is pulled") {
    WithEngines with;
    contain_all(with.settings);
    with.tools.expect(version_words("docker"), said("20.10 []\n"));
    with.tools.expect(image_words("docker", "ml:1"), said(k_id + " []\n"));
    with.tools.expect(image_words("docker", "other:1"), failed("Error: No such image: other:1"));
    with.tools.expect(pull_words("docker", "other:1"), said(""));
    with.tools.expect(image_words("docker", "other:1"), said("sha256:2 [\"other@sha256:3\"]\n"));
    with.look();
    CHECK(with.of(1).image == "other@sha256:3");
    CHECK(with.of(1).digest == "sha256:3");
    CHECK(with.told[1] == "docker pulls the image other:1");
}

TEST_CASE("an image that cannot be had ends it, with the engine's words; who only looks goes on") {
    WithEngines with;
    with.tools.expect(version_words("docker"), said("20.10 []\n"));
    with.tools.expect(image_words("docker", "ml:1"), failed("Error: No such image: ml:1"));
    with.look(false);
    CHECK(with.told.empty());
    CHECK(with.of(0).image == "ml:1");
    with.tools.expect(version_words("docker"), said("20.10 []\n"));
    with.tools.expect(image_words("docker", "ml:1"), failed("Error: No such image: ml:1"));
    with.tools.expect(pull_words("docker", "ml:1"),
                      failed("Error response from daemon: pull access denied for ml\n"));
    CHECK_THROWS_WITH_AS(with.look(), "the image 'ml:1' cannot be had: pull access denied for ml", Error);
}

TEST_CASE("without containers no engine is asked") {
    WithEngines with;
    with.flow =
        load_flow("[flow]\nname = 'N'\n[step.a]\nimage = 'x'\nrun = 'true'\n", "flow.toml", with.diagnostics);
    with.look();
    CHECK(with.record.profiles == RunRecord().profiles);
}

TEST_CASE("the setting goes before the variable") {
    WithEngines with;
    Services& services = *with.world.services;
    CHECK(wanted_engine(services, Object{}).empty());
    services.environment["AMP_CONTAINER_ENGINE"] = "docker";
    CHECK(wanted_engine(services, Object{}) == "docker");
    CHECK(wanted_engine(services, Object{{"containers", Object{{"engine", "podman"}}}}) == "podman");
}
