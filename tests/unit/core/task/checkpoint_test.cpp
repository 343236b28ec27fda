#include "core/task/checkpoint.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/no_descriptors.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace fs = std::filesystem;

namespace {

const TaskName k_task{"train", TaskIndex{{2}, 0}};
constexpr const char* k_run = "261120-081530-k3fx";
constexpr std::int64_t k_begin_s = 1'000'000'000;

struct Place {
    TempFolder folder;
    MemoryStore store;
    int made = 0;

    Checkpoint checkpoint() {
        return {(folder / ("checkpoint" + std::to_string(++made))), store, k_run, k_task};
    }
    std::vector<std::string> saves() {
        return store.list_after(layout::checkpoint_prefix(k_run, k_task.text()), {}, 100);
    }
};

Timestamp at(double seconds) {
    return Timestamp{k_begin_s * 1000}.plus_seconds(seconds);
}

/// With that time of change, in seconds after the beginning.
void write(const Checkpoint& in, const std::string& path, const std::string& text, int changed = 0) {
    const fs::path file = fs::path(in.folder()) / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    const timespec times[2] = {{k_begin_s + changed, 0}, {k_begin_s + changed, 0}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

std::string read(const Checkpoint& in, const std::string& path) {
    std::ifstream file(fs::path(in.folder()) / path);
    std::stringstream text;
    text << file.rdbuf();
    return file ? text.str() : "nothing";
}

}  // namespace

TEST_CASE("what was saved is laid back as copies that can be written, with links, modes and empty folders") {
    Place place;
    Checkpoint first = place.checkpoint();
    CHECK(first.lay().empty());
    write(first, "a", "one");
    write(first, "deep/er/b", std::string(100'000, 'x'));
    fs::create_directories(fs::path(first.folder()) / "empty");
    fs::create_symlink("deep/er/b", fs::path(first.folder()) / "link");
    fs::permissions(fs::path(first.folder()) / "a", fs::perms::owner_all);
    CHECK(first.save(at(10), 1, 1).written);

    Checkpoint second = place.checkpoint();
    CHECK(second.lay().empty());
    CHECK(read(second, "a") == "one");
    CHECK(read(second, "link").size() == 100'000);
    CHECK(fs::is_directory(fs::path(second.folder()) / "empty"));
    struct stat info {};
    REQUIRE(::stat((second.folder() + "/a").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0755);
    CHECK(info.st_nlink == 1);
    write(second, "a", "changed");
    Checkpoint third = place.checkpoint();
    third.lay();
    CHECK(read(third, "a") == "one");
}

TEST_CASE("nothing is written where nothing has changed, and the latest two saves stay") {
    Place place;
    Checkpoint checkpoint = place.checkpoint();
    checkpoint.lay();
    CHECK_FALSE(checkpoint.save(at(1), 1, 1).written);
    for (int n = 1; n <= 4; ++n) {
        write(checkpoint, "n", std::to_string(n), n * 10);
        CHECK(checkpoint.save(at(n * 10 + 5), 1, 1).written);
        CHECK_FALSE(checkpoint.save(at(n * 10 + 6), 1, 1).written);
    }
    CHECK(place.saves().size() == 2);
    fs::remove(checkpoint.folder() + "/n");
    CHECK(checkpoint.save(at(100), 1, 1).written);
    Checkpoint next = place.checkpoint();
    next.lay();
    CHECK(read(next, "n") == "nothing");
    SUBCASE("a later attempt goes on counting") {
        write(next, "n", "5", 200);
        CHECK(next.save(at(210), 2, 1).written);
        CHECK(place.saves().back().ends_with("00000006.json"));
    }
    SUBCASE("dropped, none is left") {
        drop_checkpoint(place.store, k_run, {"train", TaskIndex{{2}, 7}});  // all rounds have one
        CHECK(place.saves().empty());
    }
}

TEST_CASE("a young file is left once; what was saved of it stands until then") {
    Place place;
    Checkpoint checkpoint = place.checkpoint();
    checkpoint.lay();
    write(checkpoint, "a", "old", 0);
    checkpoint.save(at(10), 1, 1);
    write(checkpoint, "a", "newer", 20);
    write(checkpoint, "b", "first", 20);
    CHECK_FALSE(checkpoint.save(at(20.5), 1, 1).written);
    {
        Checkpoint now = place.checkpoint();
        now.lay();
        CHECK(read(now, "a") == "old");
        CHECK(read(now, "b") == "nothing");
    }
    write(checkpoint, "a", "newest", 21);
    SUBCASE("it is read the second time, though it is young again") {
        checkpoint.save(at(21.5), 1, 1);
    }
    SUBCASE("asked for, all is saved as it is") {
        checkpoint.save(at(20.6), 1, 0);
    }
    Checkpoint now = place.checkpoint();
    now.lay();
    CHECK(read(now, "a") == "newest");
    CHECK(read(now, "b") == "first");
}

TEST_CASE("what is damaged is told, and the save before it is laid") {
    Place place;
    Checkpoint checkpoint = place.checkpoint();
    checkpoint.lay();
    write(checkpoint, "n", "one", 0);
    checkpoint.save(at(10), 1, 1);
    write(checkpoint, "n", "two", 20);
    checkpoint.save(at(30), 1, 1);
    place.store.tamper(place.saves().back(), "{");
    {
        Checkpoint next = place.checkpoint();
        CHECK(next.lay().size() == 1);
        CHECK(read(next, "n") == "one");
    }
    place.store.tamper(place.saves().front(), "{}");
    Checkpoint next = place.checkpoint();
    CHECK(next.lay().size() == 2);
    CHECK(fs::is_empty(next.folder()));
    write(next, "n", "three", 40);
    CHECK(next.save(at(50), 2, 1).written);
    CHECK(place.checkpoint().lay().empty());
}

TEST_CASE("what cannot be saved is left out and told") {
    Place place;
    Checkpoint checkpoint = place.checkpoint();
    checkpoint.lay();
    write(checkpoint, "a", "fine");
    fs::create_symlink("/etc/passwd", checkpoint.folder() + "/out");
    REQUIRE(::mkfifo((checkpoint.folder() + "/pipe").c_str(), 0600) == 0);
    const auto saved = checkpoint.save(at(10), 1, 1);
    CHECK(saved.written);
    CHECK(saved.notes.size() == 2);
}

TEST_CASE("a folder that cannot be read now is not taken for an empty one") {
    Place place;
    Checkpoint checkpoint = place.checkpoint();
    checkpoint.lay();
    write(checkpoint, "weights/last", "1");
    CHECK(checkpoint.save(at(10), 1, 0).written);
    {
        const NoDescriptors none;
        CHECK_THROWS_AS(checkpoint.save(at(20), 1, 0), Error);
    }
    CHECK_FALSE(checkpoint.save(at(30), 1, 0).written);
    Checkpoint again = place.checkpoint();
    CHECK(again.lay().empty());
    CHECK(read(again, "weights/last") == "1");
}
