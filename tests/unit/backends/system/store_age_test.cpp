// A writer that finds an object present while a collector is about to remove it, and what dead writers leave.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "backends/system/directory_store.hpp"
#include "backends/system/host_probe.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using amp::test::TempFolder;
namespace fs = std::filesystem;

namespace {

void make_old(const std::string& path) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(24 * 30));
}

Timestamp an_hour_ago() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()}.plus_seconds(-3600);
}

}  // namespace

TEST_CASE("what is put again while it is being removed is there afterwards") {
    const TempFolder folder;
    DirectoryStore writer(folder / "store");
    DirectoryStore collector(folder / "store");
    Objects objects(writer);
    const std::string content = "the content";
    const std::string key = layout::object(objects.put(content).sha256, false);
    int removed = 0;
    for (int round = 0; round < 300; ++round) {
        objects.put(content);
        make_old(folder / ("store/" + key));
        std::atomic<int> ready = 0;
        bool gone = false;
        std::thread thread([&] {
            for (++ready; ready < 2;) {
            }
            gone = collector.remove_older(key, an_hour_ago());
        });
        for (++ready; ready < 2;) {
        }
        objects.put(content);
        thread.join();
        removed += gone ? 1 : 0;
        REQUIRE(writer.get(key).has_value());
    }
    MESSAGE("removed before it was put again: ", removed, " of 300");
}

TEST_CASE("half-written files go when they are old") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    store.put_if_absent("objects/ab/x", "whole");
    for (const char* name : {"store/objects/ab/~1-old", "store/~2-old", "store/objects/ab/~3-new"}) {
        std::ofstream(folder / name) << "half";
    }
    make_old(folder / "store/objects/ab/~1-old");
    make_old(folder / "store/~2-old");
    CHECK(store.remove_abandoned(an_hour_ago(), true) == 2);
    CHECK(store.remove_abandoned(an_hour_ago(), false) == 2);
    CHECK(store.remove_abandoned(an_hour_ago(), false) == 0);
    CHECK(fs::exists(folder / "store/objects/ab/~3-new"));
    CHECK(store.get("objects/ab/x").has_value());
}

TEST_CASE("a store's folder and a scratch folder are probed, and nothing stays") {
    const TempFolder folder;
    const StoreFacts facts = probe_store(folder.path());
    CHECK(facts.exists);
    CHECK(facts.write_problem.empty());
    CHECK(facts.lock_problem.empty());
    CHECK(facts.free_bytes > 0);
    CHECK(facts.mode == 0700);
    CHECK(std::abs(facts.clock_ahead_s) < 5);
    CHECK(fs::is_empty(folder.path()));
    CHECK_FALSE(probe_store(folder / "none/of/it").exists);
    CHECK(probe_store("/proc").write_problem != "");
    CHECK(probe_scratch(folder.path()).problem.empty());
    CHECK(probe_scratch(folder / "none").problem != "");
    CHECK(fs::is_empty(folder.path()));
    const HostFacts host = probe_host(folder.path(), {"sh", "no-such-program"});
    CHECK(host.programs == std::vector<std::string>{"sh"});
    CHECK(host.memory_bytes > 0);
}
