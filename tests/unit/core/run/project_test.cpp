#include "core/run/project.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "core/base/error.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_process.hpp"
#include "tests/support/memory_files.hpp"

using namespace amp;
using namespace amp::test;

namespace {

class NoWaiter : public Waiter {
  public:
    void wait_any(std::span<const int>, double) override {}
    int interrupts() override { return 0; }
    int terminating_signal() override { return 0; }
};

/// A user's machine as far as finding a project asks for it.
struct World {
    FakeClock clock;
    MemoryFiles files;
    FakeProcess process;
    NoWaiter waiter;
    Services services{clock, files,  process, waiter, {}, {}, {}, {}, {{"HOME", "/home/ada"}},
                      "ada", "host", 1};

    Project find(const std::string& current, const std::vector<std::string>& overrides = {},
                 const std::string& profile = {}) {
        files.add_folder(current);
        files.set_current_folder(current);
        return find_project(services, overrides, profile);
    }
    std::string store_of(const std::string& toml) {
        files.add("/p/amp.toml", toml);
        return find("/p/sub").store_folder;
    }
};

Error error_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error;
    }
    FAIL("no error");
    return Error(ExitCode::ok, "");
}

}  // namespace

TEST_CASE("the nearest folder upwards with amp.toml is the project") {
    World world;
    world.files.add("/a/amp.toml", "");
    world.files.add("/a/b/amp.toml", "");
    world.files.add_folder("/a/b/c/.amp");
    CHECK(world.find("/a/b/c/d").folder == "/a/b");
    CHECK(world.find("/a/b").folder == "/a/b");
    CHECK(world.find("/a/x").folder == "/a");
    CHECK(world.find("/a/b/c/d").store_folder == "/a/b/.amp");
}

TEST_CASE("without amp.toml it is the nearest with .amp, else the current folder") {
    World world;
    world.files.add_folder("/a/.amp");
    CHECK(world.find("/a/b/c").folder == "/a");
    CHECK(world.find("/x/y").folder == "/x/y");
    CHECK(world.find("/x/y").store_folder == "/x/y/.amp");
    CHECK(world.find("/").store_folder == "/.amp");
    world.files.add_folder("/.amp");
    CHECK(world.find("/x/y").folder == "/");
}

TEST_CASE("a store is named by the settings, then by the environment") {
    World world;
    CHECK(world.store_of("[store]\nurl = 'st/ore/'\n") == "/p/st/ore");
    CHECK(world.store_of("[store]\nurl = '../shared/./x'\n") == "/shared/x");
    CHECK(world.store_of("[store]\nurl = '/abs'\n") == "/abs");
    CHECK(world.store_of("[store]\nurl = '~/amp'\n") == "/home/ada/amp");
    world.services.environment["AMP_STORE"] = "mine";
    CHECK(world.store_of("[store]\nurl = 'own'\n") == "/p/own");
    CHECK(world.store_of("") == "/p/sub/mine");
    world.services.environment["AMP_STORE"] = "";
    CHECK(world.store_of("") == "/p/.amp");
}

TEST_CASE("a store that is no folder is refused") {
    World world;
    const Error error = error_of([&] { world.store_of("[store]\nurl = 's3://bucket/amp'\n"); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.message().find("s3://bucket/amp") != std::string::npos);
    world.services.environment["AMP_STORE"] = "s3://bucket/amp";
    CHECK(error_of([&] { world.store_of(""); }).where() == "AMP_STORE");
}

TEST_CASE("the profile is the one asked for, the default, or local") {
    World world;
    CHECK(world.find("/x").profile == "local");
    world.files.add("/p/amp.toml",
                    "default = 'hpc'\n[profile.hpc]\nbackend = 'slurm'\nhost = "
                    "'bastion'\n[profile.eks]\nbackend = 'kubernetes'\n");
    CHECK(world.find("/p").profile == "hpc");
    CHECK(world.find("/p", {}, "eks").profile == "eks");
    CHECK(world.find("/p", {}, "local").profile == "local");
    const Error error = error_of([&] { world.find("/p", {}, "ekx"); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.hint() == "did you mean 'eks'?");
    world.files.add("/p/amp.toml", "default = 'elsewhere'\n");
    CHECK(error_of([&] { world.find("/p"); }).code() == ExitCode::invalid);
}

TEST_CASE("a broken amp.toml says where") {
    World world;
    world.files.add("/p/amp.toml", "default = \n");
    const Error error = error_of([&] { world.find("/p"); });
    CHECK(error.code() == ExitCode::invalid);
    CHECK(error.where().starts_with("/p/amp.toml:1"));
    world.files.add("/p/amp.toml", "[stor]\nurl = 'x'\n");
    CHECK(error_of([&] { world.find("/p"); }).where().starts_with("/p/amp.toml:1"));
}

TEST_CASE("settings come in layers, each with its origin") {
    World world;
    world.files.add("/home/ada/.config/amp/config.toml",
                    "default = 'mine'\n[profile.mine]\nbackend = 'local'\n");
    world.files.add("/p/amp.toml", "[store]\nurl = 'a'\n[project]\nname = 'agents'\n");
    Project project = world.find("/p/sub");
    CHECK(project.profile == "mine");
    CHECK(project.store_folder == "/p/a");
    CHECK(project.origins.at("store.url").starts_with("/p/amp.toml"));
    CHECK(get_string(project.settings.as_object().at("project"), "name") == "agents");
    world.files.add("/p/.amp/local.toml", "default = 'local'\nstore.url = 'b'\n");
    project = world.find("/p");
    CHECK(project.profile == "local");
    CHECK(project.store_folder == "/p/b");
    world.services.environment["AMP__STORE__URL"] = "c";
    CHECK(world.find("/p").store_folder == "/p/c");
    project = world.find("/p/sub", {"store.url=d"});
    CHECK(project.store_folder == "/p/d");
    CHECK(project.origins.at("store.url").starts_with("--set"));
    CHECK(error_of([&] { world.find("/p", {"nonsense"}); }).code() == ExitCode::invalid);
}
