#include "core/package/tar.hpp"

#include <doctest/doctest.h>

#include "tests/support/packed_code.hpp"

using namespace amp;
using namespace amp::test;

namespace {

CodeEntry file(const std::string& path, std::uint64_t size = 0) {
    CodeEntry entry;
    entry.path = path;
    entry.size_bytes = size;
    return entry;
}

/// One header of a plain file, with the fields that a test is about.
std::string plain_header(const std::string& name, const std::string& prefix = {},
                         const std::string& size = "00000000000") {
    TarMember member;
    member.name = name;
    member.prefix = prefix;
    member.size = size;
    return raw_member(member);
}

std::string pax_header(const std::string& records) {
    TarMember member;
    member.name = "PaxHeaders/0";
    member.type = 'x';
    member.content = records;
    return raw_member(member);
}

}  // namespace

TEST_CASE("an entry is one header where it fits") {
    CHECK(tar_header(file("src/a.py", 10)) == plain_header("src/a.py", "", "00000000012"));
    const std::string whole(100, 'a');
    CHECK(tar_header(file(whole)) == plain_header(whole));
    CodeEntry program = file("run.sh");
    program.executable = true;
    CHECK(tar_header(program) == raw_member({"run.sh", "", '0', "", "0000755", "", "", "0000000"}));
    CodeEntry link;
    link.path = "link";
    link.link_target = "a.py";
    CHECK(tar_header(link) == raw_member({"link", "", '2', "a.py", "0000777", "", "", "0000000"}));
    CodeEntry folder;
    folder.path = "empty";
    folder.folder = true;
    CHECK(tar_header(folder) == raw_member({"empty/", "", '5', "", "0000755", "", "", "0000000"}));
}

TEST_CASE("a long name is divided where there is a place for it") {
    const std::string prefix(155, 'p');
    const std::string name(100, 'n');
    CHECK(tar_header(file(prefix + "/" + name)) == plain_header(name, prefix));
    // The first '/' that leaves a name short enough.
    const std::string part(60, 'x');
    CHECK(tar_header(file(part + "/" + part + "/" + part)) == plain_header(part, part + "/" + part));
}

TEST_CASE("what fits into no field gets records") {
    const std::string name(101, 'n');
    CHECK(tar_header(file(name)) == pax_header(pax_record("path", name)) + plain_header(name.substr(0, 100)));
    const std::string deep = std::string(156, 'p') + "/n";
    CHECK(tar_header(file(deep)).size() == 3 * 512);
    CodeEntry link;
    link.path = "l";
    link.link_target = std::string(101, 't');
    CHECK(tar_header(link).substr(0, 1024) == pax_header(pax_record("linkpath", link.link_target)));
    constexpr std::uint64_t k_eight_gib = std::uint64_t{8} << 30;
    CHECK(tar_header(file("big", k_eight_gib)) ==
          pax_header(pax_record("size", "8589934592")) + plain_header("big"));
    CHECK(tar_header(file("big", k_eight_gib - 1)) == plain_header("big", "", "77777777777"));
    const std::string bytes = std::string(100, 'n') + "\xff";
    CHECK(tar_header(file(bytes)).substr(0, 1024) ==
          pax_header(pax_record("hdrcharset", "BINARY") + pax_record("path", bytes)));
}

TEST_CASE("a record counts its own length, also where that has a digit more") {
    for (std::size_t n = 101; n < 1100; ++n) {
        const std::string name(n, 'n');
        REQUIRE(tar_header(file(name)).find(pax_record("path", name)) == 512);
    }
}

TEST_CASE("contents end at a block") {
    CHECK(tar_padding(0) == 0);
    CHECK(tar_padding(1) == 511);
    CHECK(tar_padding(512) == 0);
    CHECK(tar_padding(513) == 511);
}
