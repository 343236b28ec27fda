#include "backends/ssh/far_spec.hpp"

#include <doctest/doctest.h>

using namespace amp;

namespace {

LateText text(const std::string& content) {
    return {{Piece::Kind::text, content}};
}

FarSpec far_of(const TaskSpec& spec, std::vector<std::string>* kept = nullptr) {
    return make_far(
        spec, "/home/me/project",
        [kept](const Artifact& value) {
            REQUIRE(kept != nullptr);
            kept->push_back(value.pack);
        },
        [](const Artifact&) {
            return std::vector<agent::SizedObject>{{"f1", 1}, {"f2", 2}};
        });
}

}  // namespace

TEST_CASE("a spec names all that it takes of this machine") {
    TaskSpec spec;
    spec.cwd = "/home/me/project";
    spec.inputs = {{"in line", {Artifact::Kind::value, Value(1), "v1", 1, {}, 0}},
                   {"in a pack", {Artifact::Kind::value, {}, "v2", 5000, "runs/r/packs/1-1", 77}},
                   {"as an object", {Artifact::Kind::value, {}, "v3", 70000, {}, 0}},
                   {"file", {Artifact::Kind::file, {}, "a", 10, {}, 0}},
                   {"folder", {Artifact::Kind::folder, {}, "d", 1000, {}, 0}}};
    std::vector<std::string> kept;
    const FarSpec far = far_of(spec, &kept);
    CHECK(kept == std::vector<std::string>{"runs/r/packs/1-1"});
    CHECK(far.spec.inputs[1].artifact.pack.empty());
    CHECK(far.needs ==
          std::vector<agent::SizedObject>{
              {"v2", 5000}, {"v3", 70000}, {"a", 10}, {"d", agent::k_unknown_size}, {"f1", 1}, {"f2", 2}});
    CHECK(far.needs_code);
    CHECK_FALSE(far.spec.inherit_env);
    spec.inputs.clear();
    spec.cwd.clear();
    CHECK_FALSE(far_of(spec).needs_code);
    spec.cwd = "/home/me/project2";
    CHECK_FALSE(far_of(spec).needs_code);
}

TEST_CASE("the working folder lies in the code there, and so do outputs that are declared in it") {
    TaskSpec spec;
    spec.cwd = "/home/me/project/sub";
    spec.outputs = {{"x", "./x.json", TaskOutput::Type::json, false},
                    {"y", "y", TaskOutput::Type::file, false}};
    spec.argv = {text("/home/me/project/sub/x.json"), text("/home/me/project/sub/y"),
                 text("/home/me/project")};
    spec.env = {{"X", text("/home/me/project/sub/x.json")}};
    TaskSpec placed = spec;
    place_far(placed, "/home/me/project", "/root/code/h");
    CHECK(placed.cwd == "/root/code/h/sub");
    CHECK(placed.argv[0] == text("/root/code/h/sub/x.json"));
    CHECK(placed.argv[1] == spec.argv[1]);
    CHECK(placed.argv[2] == spec.argv[2]);
    CHECK(placed.env[0].second == text("/root/code/h/sub/x.json"));
    place_far(spec, "/home/me/project", "");
    CHECK(spec.cwd.empty());
}
