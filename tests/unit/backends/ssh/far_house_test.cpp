#include "backends/ssh/far_house.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace fs = std::filesystem;

namespace {

void age(const std::string& path, int days) {
    const timespec old{std::time(nullptr) - days * 86400, 0};
    const std::array<timespec, 2> times = {old, old};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

/// The folder of amp on another machine, with two objects and three programs, one each that is old.
struct House {
    TempFolder root;
    DirectoryStore objects{root / "store"};
    LocalAppendFiles files{root / "store"};
    std::string young, old;

    House() {
        open_store(objects, "", "2026-11-30T00:00:00.000Z");
        young = Objects(objects).put("young").sha256;
        old = Objects(objects).put("old").sha256;
        age(root / "store/" + layout::object(old, false), 31);
        for (const char name : {'a', 'b', 'c'}) {
            fs::create_directories(bin(name));
            std::ofstream(bin(name) + "/amp") << "a program";
            age(bin(name), name == 'c' ? 29 : 31);
        }
        fs::create_directory(root / "bin/mine");
        age(root / "bin/mine", 31);
    }

    std::string bin(char name) const { return root / "bin/" + std::string(64, name); }
    void keep() { keep_house(objects, files, bin('a') + "/amp"); }
    bool has_old() { return objects.size(layout::object(old, false)).has_value(); }
};

}  // namespace

TEST_CASE("what nothing has used for 30 days goes: objects, and other programs of ours") {
    House house;
    house.keep();
    CHECK_FALSE(house.has_old());
    CHECK(house.objects.size(layout::object(house.young, false)));
    CHECK(fs::exists(house.bin('a') + "/amp"));
    CHECK_FALSE(fs::exists(house.bin('b')));
    CHECK(fs::exists(house.bin('c')));
    CHECK(fs::exists(house.root / "bin/mine"));
    const auto used = fs::last_write_time(house.bin('a'));
    CHECK(fs::file_time_type::clock::now() - used < std::chrono::hours(1));
}

TEST_CASE("while a keeper is at work all stays, and so it does for a day after") {
    House house;
    auto keeper = house.files.open(layout::keeper_log("261120-081530-k3fx", 1), 0);
    house.keep();
    CHECK(house.has_old());
    CHECK(fs::exists(house.bin('b')));
    keeper.reset();
    house.keep();
    CHECK_FALSE(house.has_old());
    CHECK_FALSE(fs::exists(house.bin('b')));

    age(house.bin('c'), 31);
    house.keep();
    CHECK(fs::exists(house.bin('c')));
    age(house.root / "store/" + layout::collector_time(), 2);
    house.keep();
    CHECK_FALSE(fs::exists(house.bin('c')));
}

TEST_CASE("a program that was not sent leaves others alone") {
    House house;
    keep_house(house.objects, house.files, "/usr/bin/amp");
    CHECK(fs::exists(house.bin('b')));
    CHECK_FALSE(house.has_old());
}

TEST_CASE("what lies in the root is ours alone, also where the root is not") {
    const auto mode_of = [](const std::string& path) { return fs::status(path).permissions(); };
    const TempFolder folder;
    const std::string root = folder / "new/root";
    make_house(root);
    CHECK(mode_of(root) == fs::perms::owner_all);
    fs::permissions(root, fs::perms::all);
    for (const char* name : {"/store", "/code", "/environments"}) {
        const std::string place = root + name;
        CHECK(mode_of(place) == fs::perms::owner_all);
        make_house(root);
        fs::permissions(place, fs::perms::all);
        CHECK_THROWS_WITH_AS(make_house(root), doctest::Contains("others may write in"), Error);
        fs::permissions(place, fs::perms::owner_all);
        if (geteuid() == 0) {
            REQUIRE(::chown(place.c_str(), 12345, 12345) == 0);
            CHECK_THROWS_WITH_AS(make_house(root), doctest::Contains("others may write in"), Error);
            REQUIRE(::chown(place.c_str(), 0, 0) == 0);
        }
    }
    CHECK(mode_of(root) == fs::perms::all);  // the user's to choose
}
