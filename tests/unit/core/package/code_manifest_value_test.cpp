#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/package/code_manifest.hpp"

using namespace amp;

namespace {

CodeEntry entry(std::string path, std::string content, bool executable = false) {
    return {std::move(path), executable, {}, content.size(), sha256_hex(content), 0};
}

CodeEntry link_to(std::string path, std::string target) {
    return {std::move(path), false, std::move(target), 0, {}, 0};
}

CodeManifest sample() {
    CodeManifest manifest;
    manifest.entries = {entry("a.py", "a"), link_to("b", "a.py"), entry("run.sh", "", true),
                        CodeEntry{"weights", false, {}, std::uint64_t{1} << 40, {}, 123},
                        link_to("\xe9", "\xff\xfe/x")};
    manifest.hash = hash_of(manifest.entries);
    manifest.truncated = true;
    return manifest;
}

}  // namespace

TEST_CASE("a manifest survives its record, names that are not UTF-8 too") {
    const CodeManifest manifest = sample();
    const CodeManifest read = code_manifest_from(json::parse(json::dump(to_value(manifest))));
    CHECK(read.entries == manifest.entries);
    CHECK(read.hash == manifest.hash);
    CHECK(read.truncated);
    CHECK(differences(manifest, read).empty());
}

TEST_CASE("base64 paths of every length") {
    for (std::size_t n = 1; n < 8; ++n) {
        CodeManifest manifest;
        manifest.entries = {link_to(std::string(n, '\xff'), "x")};
        CHECK(code_manifest_from(to_value(manifest)).entries == manifest.entries);
    }
}

TEST_CASE("the hash is that of the canonical JSON of the entries") {
    const CodeManifest manifest = sample();
    CHECK(manifest.hash == sha256_hex(json::dump(*to_value(manifest).find("entries"))));
    CHECK(hash_of(std::vector<CodeEntry>()) == sha256_hex("[]"));
}

TEST_CASE("the record is compact: what is empty is not there") {
    CodeManifest manifest;
    manifest.entries = {entry("a", "x"), link_to("b", "a")};
    manifest.hash = "h";
    CHECK(json::dump(to_value(manifest)) == R"({"entries":[{"path":"a","sha256":")" + sha256_hex("x") +
                                                R"(","size_bytes":1},{"link":"a","path":"b"}],"hash":"h"})");
}

TEST_CASE("each part of an entry changes the hash") {
    const CodeEntry plain = entry("a", "x");
    CodeEntry other = plain;
    other.executable = true;
    CHECK(hash_of({plain}) != hash_of({other}));
    CHECK(hash_of({plain}) != hash_of({entry("a", "y")}));
    CHECK(hash_of({plain}) != hash_of({entry("b", "x")}));
    CHECK(hash_of({plain}) != hash_of({link_to("a", "x")}));
    CHECK(hash_of({plain}) != hash_of({plain, entry("b", "x")}));
}

TEST_CASE("what is no manifest is refused") {
    CHECK_THROWS_AS(code_manifest_from(Value("x")), Error);
    CHECK_THROWS_AS(code_manifest_from(Object{{"entries", List{Object{{"sha256", "x"}}}}}), Error);
    CHECK_THROWS_AS(code_manifest_from(Object{{"entries", List{Object{{"path_b64", "?"}}}}}), Error);
}

TEST_CASE("differences between two manifests") {
    CodeManifest before;
    before.entries = {entry("a", "1"), entry("b", "1"), entry("c", "1"), entry("e", "1")};
    CodeManifest after;
    after.entries = {entry("b", "1"), entry("c", "2"), entry("d", "1"), entry("e", "1", true),
                     entry("f", "1")};
    const std::vector<CodeDifference> expected = {
        {"a", "removed"}, {"c", "changed"}, {"d", "added"}, {"e", "changed"}, {"f", "added"}};
    CHECK(differences(before, after) == expected);
    CHECK(differences({}, {}).empty());
}
