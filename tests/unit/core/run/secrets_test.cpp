#include "core/run/secrets.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.hpp"
#include "core/flow/load.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/fake_world.hpp"

using namespace amp;
using namespace amp::test;

namespace {

struct Machine {
    FakeWorld world{"[flow]\nname = 'F'\n"};
    FakeProcess process;
    Services services = services_with(*world.services, process);

    static Services services_with(const Services& from, Process& process) {
        return {from.clock,  from.files, process,
                from.waiter, {},         {},
                {},          {},         {{"TOKEN", "t0ken\n"}, {"EMPTY", ""}},
                "ann",       "box",      1};
    }

    std::vector<Secret> look_up(const std::string& secrets, const std::string& folder = "/nowhere") {
        Diagnostics diagnostics;
        const Flow flow = load_flow("[flow]\nname = 'F'\n[step.a]\nrun = 'x'\nsecrets = " + secrets + "\n",
                                    "flow.toml", diagnostics);
        REQUIRE_FALSE(diagnostics.has_errors());
        return look_up_secrets(services, folder, flow);
    }

    std::string refusal(const std::string& secrets) {
        try {
            look_up(secrets);
        } catch (const Error& error) {
            return error.message();
        }
        return "none";
    }
};

ToolResult printed(const std::string& out, int exit = 0, const std::string& err = {}) {
    ToolResult result;
    result.exit = exit;
    result.out = out;
    result.err = err;
    return result;
}

}  // namespace

TEST_CASE("secrets come from variables, files and programs, each looked up once") {
    Machine place;
    const auto folder = std::filesystem::temp_directory_path() / ("amp-secrets-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "file") << "of file\r\n";
    place.process.expect({"/bin/sh", "-c", "pass x"}, printed("two\nlines\n"));
    const std::string all = "{ A = 'env:TOKEN', B = 'file:file', C = 'cmd:pass x' }";
    for (int i = 0; i < 2; ++i) {
        const auto found = place.look_up(all, folder.string());
        REQUIRE(found.size() == 3);
        CHECK(found[0].key == "cmd:pass x");
        CHECK(found[0].name == "C");
        CHECK(found[0].value == "two\nlines");
        CHECK(found[1].value == "t0ken");
        CHECK(found[2].value == "of file");
    }
    CHECK(place.process.folders == std::vector<std::string>{folder.string()});
    std::filesystem::remove_all(folder);
}

TEST_CASE("all that is missing is told at once") {
    Machine place;
    const std::string told =
        place.refusal("{ A = 'env:NO', B = 'file:no', C = 'env:EMPTY', D = 'env:TOKEN' }");
    CHECK(told ==
          "secret 'A': the variable 'NO' is not set; secret 'B': cannot read '/nowhere/no'; secret 'C': it "
          "is empty");
}

TEST_CASE("a program that fails is told with what it said, without what is secret already") {
    Machine place;
    place.services.secrets["k"] = {"k", "KNOWN", "hunter2"};
    place.process.expect({"/bin/sh", "-c", "x"}, printed("", 4, "hunter2 is wrong\n"));
    CHECK(place.refusal("{ A = 'cmd:x' }") ==
          "secret 'A': its command failed (exit 4): ***KNOWN*** is wrong");
    place.process.expect({"/bin/sh", "-c", "x"}, printed(std::string(70000, 'x')));
    CHECK(place.refusal("{ A = 'cmd:x' }") == "secret 'A': it is longer than 64 KiB");
    place.process.expect({"/bin/sh", "-c", "x"}, printed(std::string("a\0b", 3)));
    CHECK(place.refusal("{ A = 'cmd:x' }") == "secret 'A': it holds a NUL, which no variable can");
}
