#include "core/package/layable.hpp"

#include <doctest/doctest.h>

#include "tests/support/packed_code.hpp"

using namespace amp;
using namespace amp::test;

namespace {

std::vector<std::string> whys(const std::vector<UnfitEntry>& unfit) {
    std::vector<std::string> out;
    for (const UnfitEntry& entry : unfit) {
        out.push_back(entry.path + " " + entry.why);
    }
    return out;
}

using Whys = std::vector<std::string>;

}  // namespace

TEST_CASE("what lies in its folder in a place of its own is laid") {
    PackedCode code;
    code.file("a", "1")
        .file("a.b/c", "2")
        .link("a.b/up", "../../anywhere")
        .folder("e/f")
        .file(std::string(255, 'n'), "3");
    CHECK(misplaced_entries(code.manifest()).empty());
    CHECK(misplaced_entries(code.manifest(false)).empty());
}

TEST_CASE("what does not is named with the reason") {
    PackedCode code;
    code.file("../x", "1")
        .file("a", "2")
        .file("a/b", "3")
        .file("c", "4")
        .file("c", "5")
        .file(std::string(256, 'n'), "6");
    CHECK(whys(misplaced_entries(code.manifest())) ==
          Whys{"../x leads out of its folder", "c is named twice",
               std::string(256, 'n') + " has a name that is too long", "a/b lies below what is no folder"});
}

TEST_CASE("another machine cannot have what was not read, and what lies outside") {
    CodeEntry large;
    large.path = "large";
    large.size_bytes = 200'000'000;
    PackedCode code;
    code.file("a", "1").entry(large).link("data", "/mnt/data").link("in/b", "../a");
    CHECK(whys(unshippable_entries(code.manifest())) ==
          Whys{"data is a link to '/mnt/data', which leads out of the project",
               "large is too large or cannot be read (190.7 MiB)"});
    CHECK(unshippable_entries(PackedCode().file("b", "1").file("a", "2").manifest(false)).size() == 1);
}
