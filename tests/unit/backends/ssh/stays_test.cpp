// Outputs that stay on "another machine", and how they come home: the agent is the real program.

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "backends/ssh/ssh_fetch.hpp"
#include "core/base/error.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"
#include "tests/unit/backends/ssh/far_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr std::uint64_t k_most = 100'000;

struct Stay : World {
    std::unique_ptr<SshBackend> drive_keeping(std::uint32_t epoch = 1) {
        SshBackendOptions options = far.options(epoch);
        options.profile = "box";
        options.keep_above = k_most;
        return std::make_unique<SshBackend>(here.objects(), here.files(), options);
    }
    /// What it makes: a large file, a small one, and a large folder.
    AttemptResult make(SshBackend& backend) {
        submit(backend,
               shell_task("make",
                          "head -c 3000000 /dev/urandom > $AMP_OUT/large; echo small > $AMP_OUT/small;"
                          "mkdir $AMP_OUT/all; head -c 200000 /dev/urandom > $AMP_OUT/all/a;"
                          "echo b > $AMP_OUT/all/b"));
        watch_ends(backend, seen, 1);
        return seen.result("make");
    }
    std::string object_there(const std::string& sha256) const {
        return far.root() + "/store/" + layout::object(sha256, false);
    }
    FarPlace place() { return {"box", "ssh", "far", "", open_store(far.store().objects(), "", "").id}; }
    SshFetchOptions fetch_options(std::vector<std::string> command = {}) {
        SshFetchOptions options;
        options.place = place();
        options.command = command.empty() ? far.options().command : std::move(command);
        options.first_pause_s = 0.02;
        options.longest_pause_s = 0.1;
        return options;
    }
};

/// Until as many have been decided.
std::vector<FarArrival> arrivals_of(SshFetch& fetch, std::size_t count) {
    std::vector<FarArrival> out;
    for (int rounds = 0; out.size() < count && rounds < 2000; ++rounds) {
        pollfd wait{fetch.event_fd(), POLLIN, 0};
        poll(&wait, 1, 100);
        for (FarArrival& arrival : fetch.events()) {
            out.push_back(std::move(arrival));
        }
    }
    return out;
}

}  // namespace

TEST_CASE("what is large stays there, noted, and all else comes") {
    Stay world;
    const auto backend = world.drive_keeping();
    backend->open();
    const AttemptResult made = world.make(*backend);
    REQUIRE(made.message.empty());
    const Artifact& large = made.artifacts.at("large");
    const Artifact& all = made.artifacts.at("all");
    DirectoryStore& here = world.here.objects();
    CHECK(is_here(here, made.artifacts.at("small")));
    CHECK_FALSE(is_here(here, large));
    CHECK_FALSE(is_here(here, all));
    CHECK(Objects(here).get(all.sha256).size() > 100);  // its manifest
    for (const Artifact& stayed : {large, all}) {
        const auto note = find_far(here, stayed);
        REQUIRE(note);
        CHECK(note->place == world.place());
        CHECK(note->artifact.size_bytes == stayed.size_bytes);
    }
    CHECK(list_far(here).size() == 2);

    // A task there has them, and nothing comes here.
    TaskSpec user = shell_task("use", "wc -c < $AMP_IN/large; cat $AMP_IN/all/b; wc -c < $AMP_IN/all/a");
    user.inputs = {{"large", large}, {"all", all}};
    submit(*backend, user);
    watch_ends(*backend, world.seen, 2);
    CHECK(log_of(world.here, world.seen.result("use")) == "3000000\nb\n200000\n");
    CHECK_FALSE(is_here(here, large));
    CHECK_FALSE(is_here(here, all));
    backend->close();

    // Who asks gets them.
    SshFetch fetch(here, world.fetch_options());
    fetch.want(large);
    fetch.want(all);
    fetch.want(large);
    for (const FarArrival& arrival : arrivals_of(fetch, 2)) {
        CHECK(arrival.error.empty());
    }
    CHECK(is_here(here, large));
    CHECK(is_here(here, all));
    CHECK(Objects(here).get(large.sha256).size() == 3'000'000);  // of that hash
    CHECK(list_far(here).empty());
    CHECK(fetch.events().empty());
}

TEST_CASE("a later driver is told the same, and what it notes is there") {
    Stay world;
    {
        const auto backend = world.drive_keeping();
        backend->open();
        world.make(*backend);
    }  // killed, as far as anybody knows
    const AttemptResult made = world.seen.result("make");
    for (const std::string& sha256 : list_far(world.here.objects())) {
        forget_far(world.here.objects(), sha256);  // before it could write them
    }
    {
        const auto backend = world.drive_keeping(2);
        const Adoption found = backend->adopt();
        REQUIRE(found.ended.size() == 1);
        CHECK(found.ended[0].succeeded());
        CHECK(list_far(world.here.objects()).size() == 2);
        backend->close();
    }
    std::filesystem::remove(world.object_there(made.artifacts.at("large").sha256));
    const auto backend = world.drive_keeping(3);
    const Adoption found = backend->adopt();
    REQUIRE(found.ended.size() == 1);
    CHECK(found.ended[0].cause == Cause::lost);
    CHECK(found.ended[0].message == "its outputs cannot be fetched: it is not in the store there");
    backend->close();
}

TEST_CASE("each driver makes what stayed young there") {
    Stay world;
    {
        const auto backend = world.drive_keeping();
        backend->open();
        world.make(*backend);
        backend->close();
    }
    const std::string path = world.object_there(world.seen.result("make").artifacts.at("large").sha256);
    const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(20 * 24);
    std::filesystem::last_write_time(path, old);
    SshBackendOptions options = world.far.options(2);
    options.run = "260101-000000-bbbb";  // of any run, and without `keep_above`
    SshBackend backend(world.here.objects(), world.here.files(), options);
    backend.adopt();
    for (int i = 0; i < 500 && std::filesystem::last_write_time(path) == old; ++i) {
        pollfd wait{backend.event_fd(), POLLIN, 0};
        poll(&wait, 1, 20);
        backend.events();
    }
    CHECK(std::filesystem::last_write_time(path) > old + std::chrono::hours(19 * 24));
    backend.close();
}

TEST_CASE("what is there no more is told, and forgotten") {
    Stay world;
    auto backend = world.drive_keeping();
    backend->open();
    const AttemptResult made = world.make(*backend);
    backend->close();
    DirectoryStore& here = world.here.objects();
    const Artifact& large = made.artifacts.at("large");
    std::filesystem::remove(world.object_there(large.sha256));
    backend = world.drive_keeping(2);  // a driver asks once whether it is there
    backend->adopt();
    TaskSpec user = shell_task("use", "true");
    user.inputs = {{"make/large", large}};
    submit(*backend, user);
    watch_ends(*backend, world.seen, 2);
    const AttemptResult& failed = world.seen.result("use");
    CHECK(failed.cause == Cause::infra);
    CHECK(failed.message ==
          "its input 'make/large' stayed on box and is there no more: `amp resume` makes it again");
    CHECK_FALSE(read_far_note(here, large.sha256));
    backend->close();

    const Artifact& all = made.artifacts.at("all");
    std::filesystem::remove_all(world.far.store().folder() + "/objects");
    SshFetch fetch(here, world.fetch_options());
    fetch.want(all);
    const auto arrivals = arrivals_of(fetch, 1);
    REQUIRE(arrivals.size() == 1);
    CHECK(arrivals[0].error == "it stayed on box and is there no more");
    CHECK(arrivals[0].code == ExitCode::not_found);
    CHECK(list_far(here).empty());
}

TEST_CASE("bytes that were damaged there never come here") {
    Stay world;
    const auto backend = world.drive_keeping();
    backend->open();
    const Artifact large = world.make(*backend).artifacts.at("large");
    backend->close();
    const std::string path = world.object_there(large.sha256);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1000) << "damage";
    SshFetch fetch(world.here.objects(), world.fetch_options());
    fetch.want(large);
    const auto arrivals = arrivals_of(fetch, 1);
    REQUIRE(arrivals.size() == 1);
    CHECK(arrivals[0].code == ExitCode::not_found);
    CHECK_FALSE(is_here(world.here.objects(), large));
}

TEST_CASE("where another store lies there, nothing is concluded") {
    Stay world;
    const auto backend = world.drive_keeping();
    backend->open();
    const Artifact large = world.make(*backend).artifacts.at("large");
    backend->close();
    const SshFetchOptions options = world.fetch_options();
    const std::string store = world.far.store().folder();
    std::filesystem::rename(store, store + ".unmounted");
    for (const bool other : {false, true}) {
        if (other) {
            DirectoryStore empty(store);
            open_store(empty, "", "2026-01-01T00:00:00.000Z");
        }
        SshFetch fetch(world.here.objects(), options);
        fetch.want(large);
        const auto arrivals = arrivals_of(fetch, 1);
        REQUIRE(arrivals.size() == 1);
        CHECK(arrivals[0].error == std::string("it stayed on box, and: ") +
                                       (other ? "the store of amp on far is another one than it was"
                                              : "amp has no store on far any more"));
        CHECK(read_far_note(world.here.objects(), large.sha256));
        CHECK(std::filesystem::exists(store) == other);
    }
}

TEST_CASE("a line that is cut is made again, a few times") {
    Stay world;
    const auto backend = world.drive_keeping();
    backend->open();
    const Artifact large = world.make(*backend).artifacts.at("large");
    backend->close();
    const std::string agent = std::string(AMP_BINARY) + " agent --stdio --root " + world.far.root();
    const std::string sign = world.here.root() + "/cut";
    SshFetch fetch(world.here.objects(),
                   world.fetch_options({"/bin/sh", "-c",
                                        "if mkdir " + sign + " 2>/dev/null; then " + agent +
                                            " | head -c 1000000; else exec " + agent + "; fi"}));
    fetch.want(large);
    const auto arrivals = arrivals_of(fetch, 1);
    REQUIRE(arrivals.size() == 1);
    CHECK(arrivals[0].error.empty());
    CHECK(std::filesystem::exists(sign));
    CHECK(is_here(world.here.objects(), large));

    const std::string count = world.here.root() + "/tries";
    Artifact other = large;
    other.sha256[0] = other.sha256[0] == '0' ? '1' : '0';
    SshFetch never(world.here.objects(),
                   world.fetch_options({"/bin/sh", "-c", "echo x >> " + count + "; exit 255"}));
    never.want(other);
    const auto failed = arrivals_of(never, 1);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].code == ExitCode::infrastructure);
    CHECK(failed[0].error.starts_with("it stayed on box, and: "));
    CHECK(read_file(count) == "x\nx\nx\nx\n");
}
