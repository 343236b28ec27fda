#include "core/task/code.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace fs = std::filesystem;

namespace {

constexpr const char* k_run = "261120-081530-k3fx";

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

struct Place {
    TempFolder folder;
    MemoryStore store;
    CodeManifest code;

    void add(const std::string& path, const std::string& content, bool executable = false) {
        const ObjectInfo stored = Objects(store).put(content);
        code.entries.push_back({path, executable, {}, stored.size_bytes, stored.sha256});
    }
    void finish() {
        std::sort(code.entries.begin(), code.entries.end(),
                  [](const CodeEntry& a, const CodeEntry& b) { return a.path < b.path; });
        code.hash = hash_of(code.entries);
    }
    Place() {
        add("run.sh", "#!/bin/sh\n", true);
        add("lib/a.py", "a = 1\n");
        add("large", std::string(3 << 20, 'x'));
        code.entries.push_back({"link", false, "lib/a.py", 0, {}});
        CodeEntry empty;
        empty.path = "made";
        empty.folder = true;
        code.entries.push_back(empty);
        finish();
    }
};

}  // namespace

TEST_CASE("a task has a folder of its own, and what it writes there is its own") {
    Place place;
    const std::string shared = place.folder / "laid";
    fs::create_directory(shared);
    CHECK(lay_code_files(place.store, place.code, shared, LaidRights::read_only).empty());
    const std::string own = place.folder / "own";
    lay_own_code(shared, own);
    CHECK(mode_of(own + "/run.sh") == 0755);
    CHECK(text_of(own + "/link") == "a = 1\n");
    std::ofstream(own + "/lib/a.py") << "changed";
    std::ofstream(own + "/made/new") << "new";
    CHECK(text_of(own + "/link") == "changed");
    CHECK(text_of(shared + "/lib/a.py") == "a = 1\n");
    CHECK(fs::is_empty(shared + "/made"));
    CHECK(fs::file_size(own + "/large") == std::uintmax_t{3} << 20);
}

TEST_CASE("what is not kept is told, and a name that is reserved refused") {
    Place place;
    place.code.entries.front().sha256 = std::string(64, 'e');
    fs::create_directory(place.folder / "own");
    CHECK(lay_code_files(place.store, place.code, place.folder / "own") == std::vector<std::string>{"large"});
    CHECK(text_of(place.folder / "own/lib/a.py") == "a = 1\n");
    CHECK(mode_of(place.folder / "own/run.sh") == 0755);
    CHECK(mode_of(place.folder / "own/lib/a.py") == 0644);
    CHECK_THROWS_AS(lay_code_files(place.store, place.code, place.folder / "own", LaidRights::own, "lib"),
                    Error);
}

TEST_CASE("the list is found as an object, or in the run's record, and is what its hash says") {
    Place place;
    CHECK_THROWS_AS(read_code_manifest(place.store, k_run, place.code.hash), Error);
    create_run(place.store, k_run, Object{{"code", to_value(place.code)}});
    CHECK(read_code_manifest(place.store, k_run, place.code.hash).entries == place.code.entries);
    CHECK_THROWS_AS(read_code_manifest(place.store, k_run, std::string(64, 'd')), Error);

    Place other;
    const Value entries = *to_value(other.code).find("entries");
    CHECK(Objects(other.store).put(json::dump(entries)).sha256 == other.code.hash);
    CHECK(read_code_manifest(other.store, k_run, other.code.hash).entries == other.code.entries);

    Place wrong;
    CodeManifest lies = wrong.code;
    lies.entries.pop_back();
    create_run(wrong.store, k_run, Object{{"code", to_value(lies)}});
    CHECK_THROWS_AS(read_code_manifest(wrong.store, k_run, wrong.code.hash), Error);
}
