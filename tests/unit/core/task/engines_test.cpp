#include "core/task/engines.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "tests/support/fake_process.hpp"

using namespace amp;
using namespace amp::test;

namespace {

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

std::string found(FakeProcess& tools, const std::string& wanted) {
    try {
        return find_engine(tools, wanted).name;
    } catch (const Error& error) {
        return std::to_string(static_cast<int>(error.code())) + " " + error.message();
    }
}

const std::string k_away = "Cannot connect to the Docker daemon at unix:///x.";

}  // namespace

TEST_CASE("docker where its daemon answers") {
    FakeProcess tools;
    tools.expect(version_words("docker"), said("20.10.24 [\"name=rootless\"]\n"));
    const Engine engine = find_engine(tools, "");
    CHECK(engine.name == "docker");
    CHECK(engine.version == "20.10.24");
    CHECK(engine_text(engine) == "docker:rootless");
    CHECK(parse_engine("docker:rootless").rootless);
}

TEST_CASE("else podman, else it is said why not") {
    FakeProcess tools;
    tools.expect(version_words("docker"), failed(k_away));
    tools.expect(version_words("podman"), said("4.3.1 rootless=false\n"));
    CHECK(found(tools, "") == "podman");
    tools.expect(version_words("docker"), failed(k_away));
    tools.expect_missing(version_words("podman"));
    CHECK(found(tools, "") == "5 no container engine answers: docker: " + k_away + "; there is no podman");
}

TEST_CASE("only what is wanted is asked") {
    FakeProcess tools;
    tools.expect(version_words("podman"), said("4.3.1 rootless=true\n"));
    CHECK(found(tools, "podman") == "podman");
    tools.expect(version_words("docker"), failed(k_away));
    CHECK(found(tools, "docker:rootless") == "5 no container engine answers: docker: " + k_away);
    CHECK(found(tools, "dokker").starts_with("2 'dokker' is no container engine"));
}

TEST_CASE("a task's spec says which engine has it") {
    TaskSpec spec;
    CHECK(engine_of(spec).name == "docker");
    spec.env.emplace_back("AMP_CONTAINER_ENGINE", LateText{Piece{Piece::Kind::text, "podman:rootless"}});
    CHECK(engine_of(spec).name == "podman");
    CHECK(engine_of(spec).rootless);
}
