#include "core/package/lfs_pointer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace amp;

namespace {

const std::string k_version = "version https://git-lfs.github.com/spec/v1\n";
const std::string k_oid = "oid sha256:" + std::string(64, 'a') + "\n";

}  // namespace

TEST_CASE("a pointer has a version, a hash and a size") {
    CHECK(is_lfs_pointer(k_version + k_oid + "size 12345\n"));
    CHECK(is_lfs_pointer(k_version + "ext-0-foo sha256:" + std::string(64, 'b') + "\n" + k_oid + "size 0\n"));
    CHECK(is_lfs_pointer(k_version + k_oid + "size 1"));
}

TEST_CASE("what only speaks of pointers is none") {
    CHECK_FALSE(is_lfs_pointer(""));
    CHECK_FALSE(is_lfs_pointer(k_version));
    CHECK_FALSE(is_lfs_pointer(k_version + k_oid));
    CHECK_FALSE(is_lfs_pointer(k_version + "size 1\n"));
    CHECK_FALSE(is_lfs_pointer(k_version + k_oid + "size x\n"));
    CHECK_FALSE(is_lfs_pointer(k_version + "oid sha256:abc\nsize 1\n"));
    CHECK_FALSE(is_lfs_pointer("# " + k_version + k_oid + "size 1\n"));
    CHECK_FALSE(is_lfs_pointer(k_version + k_oid + "size 1\n" + std::string(1024, '\n')));
}
