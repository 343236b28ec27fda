#include "backends/system/folder_watch.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>

#include "backends/system/local_append_files.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

bool readable(const Watch& watch) {
    pollfd ready{watch.fd(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
}

/// A run's folder in a store.
struct Place {
    Place() { files.open("runs/r/run.json", 0); }
    TempFolder folder;
    LocalAppendFiles files{folder.path()};
};

}  // namespace

TEST_CASE("a watch tells of what appears, grows and is closed, also in folders that came later") {
    Place place;
    const auto watch = place.files.watch("runs/r/");
    REQUIRE(watch);
    CHECK_FALSE(readable(*watch));
    CHECK_FALSE(watch->take());

    auto file = place.files.open("runs/r/packs/1", 0);
    CHECK(readable(*watch));
    CHECK(watch->take());
    CHECK_FALSE(readable(*watch));

    file->append("a line\n");
    CHECK(watch->take());
    file.reset();
    CHECK(watch->take());
    CHECK_FALSE(watch->take());

    std::filesystem::create_directories(place.folder / "runs/r/deep/deeper");
    CHECK(watch->take());
    std::ofstream(place.folder / "runs/r/deep/deeper/file") << "x";
    CHECK(watch->take());
}

TEST_CASE("another run's changes are none of its business, and reading is no change") {
    Place place;
    place.files.open("runs/r/packs/1", 0)->append("x");
    const auto watch = place.files.watch("runs/r/");
    place.files.open("runs/s/packs/1", 0)->append("x");
    CHECK(place.files.read("runs/r/packs/1", 0, 1) == "x");
    CHECK_FALSE(place.files.locked("runs/r/packs/1"));
    place.files.list("runs/r/");
    CHECK_FALSE(watch->take());
}

TEST_CASE("after more changes than the kernel remembers there was a change, and new folders are watched") {
    Place place;
    const auto watch = place.files.watch("runs/r/");
    for (int i = 0; i < 20'000; ++i) {  // the queue holds 16,384 by default, equal neighbours count once
        const std::string below = place.folder / "runs/r/" + std::to_string(i);
        std::filesystem::create_directory(below);
        std::filesystem::remove(below);
    }
    std::filesystem::create_directory(place.folder / "runs/r/last");
    CHECK(watch->take());
    std::ofstream(place.folder / "runs/r/last/file") << "x";
    CHECK(watch->take());
}

TEST_CASE("where there is no folder there is no watch") {
    Place place;
    CHECK(place.files.watch("runs/none/") == nullptr);
}

TEST_CASE("a watch of names tells what appears in a folder, and that the folder is gone; nothing else") {
    TempFolder folder;
    const std::string place = folder.path() + "/place";
    CHECK_FALSE(FolderWatch::of_names(place));
    std::filesystem::create_directories(place + "/below");
    const auto watch = FolderWatch::of_names(place);
    REQUIRE(watch);
    CHECK_FALSE(watch->take());
    std::ofstream file(place + "/ready");
    CHECK(readable(*watch));
    CHECK(watch->take());
    file << "more" << std::flush;
    file.close();
    std::ofstream(place + "/below/other") << "x";
    CHECK_FALSE(watch->take());
    std::ofstream(folder.path() + "/beside") << "x";
    std::filesystem::rename(folder.path() + "/beside", place + "/moved");
    CHECK(watch->take());
    std::filesystem::remove_all(place);
    CHECK(watch->take());
}
