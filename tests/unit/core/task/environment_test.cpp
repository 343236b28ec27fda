#include "core/task/environment.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace amp;

namespace {

std::vector<std::string> sorted(TaskEnvironment& environment) {
    std::vector<std::string> entries;
    for (char* const* entry = environment.block(); *entry != nullptr; ++entry) {
        entries.emplace_back(*entry);
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

}  // namespace

TEST_CASE("a task's own variables win over inherited ones") {
    const BaseEnvironment base({"A=1", "B=2", "PATH=/bin"}, true, "");
    TaskEnvironment environment(base);
    environment.set("B", "3");
    environment.set("C", "4");
    environment.set("C", "5");
    CHECK(sorted(environment) == std::vector<std::string>{"A=1", "B=3", "C=5", "PATH=/bin"});
    environment.set("D", "");
    CHECK(sorted(environment) == std::vector<std::string>{"A=1", "B=3", "C=5", "D=", "PATH=/bin"});
    CHECK(environment.get("B") == "3");
    CHECK(environment.get("A") == "1");
    CHECK(environment.get("none").empty());
    TaskEnvironment other(base);
    CHECK(sorted(other) == std::vector<std::string>{"A=1", "B=2", "PATH=/bin"});
}

TEST_CASE("amp's folder stays in front of PATH") {
    const BaseEnvironment base({"PATH=/bin"}, true, "/amp");
    TaskEnvironment environment(base);
    CHECK(environment.get("PATH") == "/amp:/bin");
    environment.set("PATH", "/mine");
    CHECK(environment.get("PATH") == "/amp:/mine");
}

TEST_CASE("what an outer task was told is not inherited; settings are") {
    const BaseEnvironment base(
        {"AMP_RUN=x", "AMP_PARAM_LR=1", "AMP_CA_BUNDLE=/ca", "AMP__STORE__URL=u", "MASTER_PORT=1", "odd"},
        true, "");
    CHECK(base.get("AMP_RUN").empty());
    CHECK(base.get("AMP_PARAM_LR").empty());
    CHECK(base.get("AMP_CA_BUNDLE") == "/ca");
    CHECK(base.get("AMP__STORE__URL") == "u");
    CHECK(base.get("PATH") == "/usr/local/bin:/usr/bin:/bin");
}

TEST_CASE("a task that does not inherit gets what every program needs") {
    const BaseEnvironment base({"PATH=/bin", "HOME=/home/ann", "SECRET=1", "LANG=C"}, false, "");
    TaskEnvironment environment(base);
    CHECK(sorted(environment) == std::vector<std::string>{"HOME=/home/ann", "LANG=C", "PATH=/bin"});
}

TEST_CASE("late texts get the folders of the node") {
    const LateText late = {{Piece::Kind::text, "--x="},
                           {Piece::Kind::input, "a/b"},
                           {Piece::Kind::text, ":"},
                           {Piece::Kind::output, "c"}};
    CHECK(render(late, "/in", "/out") == "--x=/in/a/b:/out/c");
    CHECK(render({}, "/in", "/out").empty());
}
