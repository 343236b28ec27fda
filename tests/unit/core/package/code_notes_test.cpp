#include "core/package/code_notes.hpp"

#include <doctest/doctest.h>

using namespace amp;

namespace {

constexpr std::uint64_t k_mb = 1'000'000;

struct Weighed {
    Weighed& file(const std::string& path, std::uint64_t size) {
        CodeEntry entry;
        entry.path = path;
        entry.size_bytes = size;
        code.entries.push_back(entry);
        return *this;
    }
    Weighed& files(const std::string& folder, std::size_t n, std::uint64_t size) {
        for (std::size_t i = 0; i < n; ++i) {
            file(folder + "/" + std::to_string(i), size);
        }
        return *this;
    }
    CodeManifest code;
};

using Parts = std::vector<HeavyPart>;

}  // namespace

TEST_CASE("many files of a folder weigh as that folder, one large file as itself") {
    Weighed w;
    w.files("data", 100, k_mb).file("models/big.bin", 90 * k_mb).file("models/small", k_mb).file("a.py", 100);
    CHECK(heavy_parts(w.code, 5) == Parts{{"data/", 100 * k_mb, 100}, {"models/big.bin", 90 * k_mb, 1}});
    CHECK(heavy_parts(w.code, 1) == Parts{{"data/", 100 * k_mb, 100}});
}

TEST_CASE("a folder around a heavy one is not named instead of it") {
    Weighed w;
    w.files("a/b/c", 50, k_mb).file("a/b/x", k_mb).file("a/y", k_mb).files("z", 10, k_mb);
    CHECK(heavy_parts(w.code, 5) == Parts{{"a/b/c/", 50 * k_mb, 50}, {"z/", 10 * k_mb, 10}});
    Weighed two;
    two.files("a/b", 5, k_mb).files("a/c", 5, k_mb);
    CHECK(heavy_parts(two.code, 5) == Parts{{"a/", 10 * k_mb, 10}});
}

TEST_CASE("nothing and light things have no heavy parts to speak of") {
    CHECK(heavy_parts(CodeManifest(), 5).empty());
    Weighed even;
    even.files("src", 10, 0);
    CHECK(heavy_parts(even.code, 5).empty());
    Weighed top;
    for (int i = 0; i < 100; ++i) {
        top.file("file" + std::to_string(i), k_mb);
    }
    CHECK(heavy_parts(top.code, 5).empty());
}

TEST_CASE("a deep tree is gone through") {
    std::string path;
    for (int i = 0; i < 1000; ++i) {
        path += "d/";
    }
    Weighed w;
    w.file(path + "f", k_mb);
    CHECK(heavy_parts(w.code, 5) == Parts{{path + "f", k_mb, 1}});
}

TEST_CASE("code of the weight of code needs no note") {
    Weighed w;
    w.files("src", 100, k_mb);
    CHECK(code_notes(w.code).empty());
    w.file("one", 1);
    REQUIRE(code_notes(w.code).size() == 1);
    CHECK(code_notes(w.code)[0].find("src/ (95.4 MiB, 100 files)") != std::string::npos);
    CHECK(code_notes(w.code)[0].find(".ampignore") != std::string::npos);
}

TEST_CASE("one large file is enough") {
    Weighed w;
    w.file("model.bin", 50 * k_mb);
    CHECK(code_notes(w.code).empty());
    w.file("other.bin", 50 * k_mb + 1);
    REQUIRE(code_notes(w.code).size() == 1);
    CHECK(code_notes(w.code)[0].find("other.bin (47.7 MiB), model.bin (47.7 MiB)") != std::string::npos);
}

TEST_CASE("pointers of git-lfs are named") {
    CodeManifest code;
    code.lfs_pointers = {"a.bin"};
    REQUIRE(code_notes(code).size() == 1);
    CHECK(code_notes(code)[0] ==
          "a.bin holds a pointer of git-lfs instead of its content: `git lfs pull` brings it");
    code.lfs_pointers = {"1", "2", "3", "4", "5", "6", "7"};
    CHECK(code_notes(code)[0].starts_with("1, 2, 3, 4, 5 and 2 more each hold a pointer of git-lfs"));
}
