#include "cli/amp_main.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>

#include "cli/config.hpp"
#include "cli/explain.hpp"
#include "cli/help_topics.hpp"
#include "cli/runs.hpp"
#include "core/base/json.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/temp_folder.hpp"

namespace amp {
namespace {

class NoWaiter : public Waiter {
  public:
    void wait_any(std::span<const int>, double) override {}
    int interrupts() override { return 0; }
    int terminating_signal() override { return 0; }
};

/// amp in a world without stores.
struct World {
    int amp(const std::vector<std::string>& arguments) {
        out.clear();
        err.clear();
        const Surroundings surroundings{
            {}, environment, [&](bool signals, const std::function<ExitCode(Services&)>& work) {
                waits_for_signals = signals;
                Services services{clock, files, process,     waiter, {},      {},
                                  {},    {},    environment, "ann",  "node7", 1};
                return work(services);
            }};
        return amp_main(
            arguments, surroundings,
            [&](std::string_view text) {
                out += text;
                return out_error;
            },
            [&](std::string_view text) {
                err += text;
                return 0;
            });
    }

    test::FakeClock clock;
    test::MemoryFiles files;
    test::FakeProcess process;
    NoWaiter waiter;
    Environment environment;
    std::string out;
    std::string err;
    int out_error = 0;
    bool waits_for_signals = false;
};

}  // namespace

TEST_CASE("usage errors exit with 2, as text or as a document") {
    World world;
    CHECK(world.amp({"rnu"}) == 2);
    CHECK(world.out.empty());
    CHECK(world.err == "error: unknown command 'rnu'\nhelp: did you mean 'amp run'?\n");
    CHECK(world.amp({"runs", "--limt", "--json"}) == 2);
    CHECK(get_string(json::parse(world.out), "schema") == "amp.error/1");
}

TEST_CASE("version and help") {
    World world;
    CHECK(world.amp({"--version"}) == 0);
    CHECK(world.out.starts_with("amp "));
    CHECK(world.amp({"--version", "--json"}) == 0);
    CHECK(get_string(json::parse(world.out), "schema") == "amp.version/1");
    CHECK(world.amp({}) == 0);
    CHECK(world.out == help_overview());
    CHECK(world.amp({"run", "-h"}) == 0);
    CHECK(world.out.starts_with("Usage: amp run [FLOW] [options]\n"));
    for (const HelpTopic& topic : help_topics()) {
        CHECK(world.amp({"help", std::string(topic.name)}) == 0);
        CHECK(world.out == topic.text);
    }
    CHECK(world.amp({"help", "exit-code"}) == 2);
    CHECK(world.err.find("did you mean 'exit-codes'?") != std::string::npos);
}

TEST_CASE("codes are explained, with the mistake and its mended form") {
    World world;
    const CatalogueEntry entry{"AMP1", "a title", "Some words.", "[flow]\n\nx = 1\n", "[flow]\n"};
    CHECK(explanation_text(entry, Style(false)) ==
          "AMP1: a title\n\nSome words.\n\nWith the mistake:\n\n    [flow]\n\n    x = 1\n\nMended:\n\n    "
          "[flow]\n");
    CHECK(world.amp({"explain", "AMP1001"}) == 0);
    CHECK(world.out.starts_with("AMP1001: "));
    CHECK(world.amp({"explain", "AMP1001", "--json"}) == 0);
    CHECK(get_string(json::parse(world.out), "code") == "AMP1001");
    CHECK(world.amp({"explain"}) == 0);
    CHECK(world.out.find("\nAMP1002  ") != std::string::npos);
    CHECK(world.amp({"explain", "APM1001"}) == 7);
    CHECK(world.err.find("did you mean 'AMP1001'?") != std::string::npos);
    CHECK(world.amp({"explain", "nothing"}) == 7);
}

TEST_CASE("put and get inside a task") {
    World world;
    const test::TempFolder folder;
    CHECK(world.amp({"put", "x", "1"}) == 2);
    CHECK(world.err.find("AMP_OUT is not set") != std::string::npos);
    CHECK(world.amp({"get", "x"}) == 2);
    CHECK(world.err.find("amp get latest x") != std::string::npos);
    world.environment = {{"AMP_OUT", folder.path()}, {"AMP_IN", folder.path()}};
    CHECK(world.amp({"put", "x", "[1,2]"}) == 0);
    CHECK(world.out.empty());
    CHECK(world.amp({"get", "x"}) == 0);
    CHECK(world.out == "[1,2]\n");
    CHECK(world.amp({"get", "x", "--json"}) == 0);
    CHECK(world.out ==
          "{\"name\":\"x\",\"path\":null,\"run\":null,\"schema\":\"amp.value/"
          "1\",\"task\":null,\"value\":[1,2]}\n");
    CHECK(world.amp({"put", "y", "@" + folder.path() + "/x.json"}) == 0);
    CHECK(world.amp({"get", "y"}) == 0);
    CHECK(world.out == folder.path() + "/y\n");
    CHECK(world.amp({"get", "z"}) == 7);
    CHECK(world.amp({"put", "a/b", "1"}) == 2);
}

TEST_CASE("a result that cannot be written is an error, unless the reader left") {
    World world;
    world.out_error = EPIPE;
    CHECK(world.amp({"help"}) == 0);
    CHECK(world.err.empty());
    world.out_error = ENOSPC;
    CHECK(world.amp({"help"}) == 10);
    CHECK(world.err.find("standard output") != std::string::npos);
}

TEST_CASE("times of `amp runs` are dates, times or how long ago") {
    const Timestamp now{1'793'174'400'000};
    CHECK(!parse_when("--since", "", now));
    CHECK(parse_when("--since", "2d", now) == now.plus_seconds(-172800));
    CHECK(parse_when("--since", "2026-10-28", now) == Timestamp{1'793'145'600'000});
    CHECK(parse_when("--since", "2026-10-28T08:00:00Z", now) == now);
    CHECK_THROWS_AS(parse_when("--since", "yesterday", now), Error);
}

TEST_CASE("settings are listed leaf by leaf, with the place that they come from") {
    Project project;
    project.settings = Object{{"default", "local"},
                              {"profile", Object{{"hpc", Object{{"partition", "gpu"}, {"nodes", 2}}}}}};
    project.origins = {{"profile.hpc.partition", "amp.toml"}};
    const std::vector<SettingLine> all = list_settings(project, "");
    REQUIRE(all.size() == 3);
    CHECK(all[0].key == "default");
    CHECK(all[0].origin == "built in");
    CHECK(all[2].key == "profile.hpc.partition");
    CHECK(all[2].origin == "amp.toml");
    CHECK(list_settings(project, "profile.hpc").size() == 2);
    CHECK(list_settings(project, "default").size() == 1);
    CHECK_THROWS_AS(list_settings(project, "profile.hp"), Error);
    CHECK_THROWS_AS(list_settings(project, "defalt"), Error);
    CHECK(list_settings(Project{}, "").empty());
}

}  // namespace amp
