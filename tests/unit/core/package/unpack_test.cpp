#include "core/package/unpack.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "core/base/error.hpp"
#include "tests/support/packed_code.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_laid = 11 + 4;  // of sample(): its entries, and the folders around them

ReadArchive in_pieces(const std::string& archive, std::size_t piece = 1000) {
    return [archive, piece](const TakeBytes& take) {
        for (std::size_t at = 0; at < archive.size(); at += piece) {
            take(std::string_view(archive).substr(at, piece));
        }
    };
}

PackedCode sample() {
    PackedCode code;
    code.file("a.py", "print(1)\n")
        .file("bin/run.sh", "#!/bin/sh\n", true)
        .file("data/large", std::string(300'000, 'x') + "y")
        .file("data/nothing", "")
        .file("data/one block", std::string(512, 'b'))
        .folder("empty/inner")
        .link("latest", "data/large")
        .link("bin/up", "../a.py")
        .file(std::string(120, 'd') + "/" + std::string(200, 'f'), "long")
        .file("caf\xc3\xa9", "composed")
        .file("caf\xe9 latin", "not UTF-8");
    return code;
}

std::string content_of(const std::map<std::string, std::string>& tree, const std::string& path) {
    const auto it = tree.find(path);
    return it == tree.end() ? "" : it->second;
}

}  // namespace

TEST_CASE("what was packed is unpacked, with the same rights whatever the umask") {
    const PackedCode code = sample();
    for (const mode_t mask : {0000, 0022, 0077}) {
        const TempFolder top;
        const mode_t before = umask(mask);
        unpack_archive(code.manifest(), in_pieces(code.archive()), top / "place");
        umask(before);
        const auto tree = tree_of(top / "place");
        CHECK(tree.size() == k_laid);
        CHECK(content_of(tree, "bin/run.sh").starts_with("1 755 "));
        CHECK(content_of(tree, "a.py").starts_with("1 644 "));
        CHECK(content_of(tree, "bin").starts_with("2 755 "));
        CHECK(content_of(tree, "empty/inner").starts_with("2 755 "));
        CHECK(content_of(tree, "bin/up").ends_with("../a.py"));
        CHECK((fs::status(top / "place").permissions() & fs::perms::mask) == fs::perms(0755));
    }
}

TEST_CASE("in pieces of any size") {
    const PackedCode code = sample();
    const TempFolder top;
    unpack_archive(code.manifest(), in_pieces(code.archive(), 1'000'000), top / "whole");
    unpack_archive(code.manifest(), in_pieces(code.archive(), 1), top / "bytes");
    CHECK(tree_of(top / "whole") == tree_of(top / "bytes"));
}

TEST_CASE("no code at all is an empty folder") {
    const TempFolder top;
    const PackedCode code;
    unpack_archive(code.manifest(), in_pieces(code.archive()), top / "a/b/place/");
    CHECK(tree_of(top / "a/b/place").empty());
    unpack_archive(sample().manifest(), in_pieces(sample().archive()), top / "a/b/place");  // it was empty
    CHECK(tree_of(top / "a/b/place").size() == k_laid);
}

TEST_CASE("a folder that has something in it stays as it is") {
    const TempFolder top;
    fs::create_directories(top / "place/mine");
    const auto before = tree_of(top.path());
    const PackedCode code = sample();
    CHECK_THROWS_AS(unpack_archive(code.manifest(), in_pieces(code.archive()), top / "place"), Error);
    CHECK(tree_of(top.path()) == before);
}

TEST_CASE("what the reader of the archive throws goes through, and nothing stays") {
    const TempFolder top;
    const PackedCode code = sample();
    const ReadArchive broken = [&](const TakeBytes& take) {
        take(code.archive().substr(0, 100));
        throw Error(ExitCode::infrastructure, "gone");
    };
    CHECK_THROWS_WITH(unpack_archive(code.manifest(), broken, top / "place"), "gone");
    CHECK(tree_of(top.path()).empty());
}

TEST_CASE("once a node: who comes later finds it") {
    const TempFolder top;
    const PackedCode code = sample();
    const std::string place = unpack_once(code.manifest(), in_pieces(code.archive()), top / "cache");
    CHECK(place == top / "cache/" + code.manifest().hash);
    const ReadArchive never = [](const TakeBytes&) { FAIL("it is there already"); };
    CHECK(unpack_once(code.manifest(), never, top / "cache") == place);
    CHECK(tree_of(place).size() == k_laid);
}

TEST_CASE("of many that come at once one unpacks, and all have it") {
    const TempFolder top;
    const PackedCode code = sample();
    const CodeManifest manifest = code.manifest();
    const std::string archive = code.archive();
    std::atomic<int> read = 0;
    std::atomic<int> right = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i) {
        all.emplace_back([&] {
            const ReadArchive counted = [&](const TakeBytes& take) {
                ++read;
                in_pieces(archive)(take);
            };
            const std::string place = unpack_once(manifest, counted, top / "cache");
            right += fs::exists(place + "/a.py") ? 1 : 0;
        });
    }
    for (std::thread& thread : all) {
        thread.join();
    }
    CHECK(read == 1);
    CHECK(right == 8);
    CHECK(tree_of(top / "cache").size() == k_laid + 2);  // the folder itself, and its lock
}

TEST_CASE("who was first without a lock wins, too") {
    const TempFolder top;
    const PackedCode code = sample();
    const ReadArchive overtaken = [&](const TakeBytes& take) {
        unpack_archive(code.manifest(), in_pieces(code.archive()), top / "cache/" + code.manifest().hash);
        in_pieces(code.archive())(take);
    };
    const std::string place = unpack_once(code.manifest(), overtaken, top / "cache");
    CHECK(tree_of(place).size() == k_laid);
    CHECK(tree_of(top / "cache").size() == k_laid + 2);
}

TEST_CASE("what a dead process left of it is removed") {
    const TempFolder top;
    const PackedCode code = sample();
    const std::string hash = code.manifest().hash;
    fs::create_directories(top / "cache/." + hash + ".dead/half");
    fs::create_directories(top / "cache/.other.dead");
    unpack_once(code.manifest(), in_pieces(code.archive()), top / "cache");
    CHECK_FALSE(fs::exists(top / "cache/." + hash + ".dead"));
    CHECK(fs::exists(top / "cache/.other.dead"));
}

TEST_CASE("once a node: a bad archive leaves the place free for a good one") {
    const TempFolder top;
    const PackedCode code = sample();
    CHECK_THROWS_AS(unpack_once(code.manifest(), in_pieces("junk"), top / "cache"), Error);
    CHECK_FALSE(fs::exists(top / "cache/" + code.manifest().hash));
    unpack_once(code.manifest(), in_pieces(code.archive()), top / "cache");
    CHECK(fs::exists(top / "cache/" + code.manifest().hash + "/a.py"));
}
