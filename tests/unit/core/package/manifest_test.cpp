#include "core/package/manifest.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"

using namespace amp;

TEST_CASE("links stay within the folder, whatever other links do") {
    CHECK(is_inner_link("a", "b"));
    CHECK(is_inner_link("a/b", "../c"));
    CHECK(is_inner_link("a/b", "./c/d"));
    CHECK_FALSE(is_inner_link("a", "../b"));
    CHECK_FALSE(is_inner_link("a/b", "../../c"));
    CHECK_FALSE(is_inner_link("a", "/etc"));
    CHECK_FALSE(is_inner_link("a", ""));
    CHECK_FALSE(is_inner_link("a/b", "c/../d"));  // c may be a link itself
}

TEST_CASE("inner paths") {
    CHECK(is_inner_path("a/b"));
    CHECK(is_inner_path("..a"));
    for (const char* bad : {"", "/a", "a//b", "a/", ".", "a/../b", "./a"}) {
        CHECK_FALSE(is_inner_path(bad));
    }
}

TEST_CASE("a manifest survives its text, and a hostile one is refused") {
    Manifest manifest;
    manifest.entries = {{ManifestEntry::Kind::folder, "empty", false, {}, 0, {}},
                        {ManifestEntry::Kind::file, "file", true, {}, 3, "abc"},
                        {ManifestEntry::Kind::link, "link", false, "file", 0, {}}};
    CHECK(manifest_from(manifest_text(manifest)).entries == manifest.entries);
    CHECK(manifest.total_bytes() == 3);
    CHECK_THROWS_AS(manifest_from(R"({"schema":1,"entries":[{"path":"../x","folder":true}]})"), Error);
    CHECK_THROWS_AS(manifest_from(R"({"schema":1,"entries":[{"path":"x","link":"/etc/passwd"}]})"), Error);
    CHECK_THROWS_AS(manifest_from(R"({"schema":2,"entries":[]})"), Error);
    CHECK_THROWS_AS(manifest_from("["), Error);
}
