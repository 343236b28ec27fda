#include "core/base/hash.hpp"

#include <doctest/doctest.h>

using namespace amp;

TEST_CASE("SHA-256 of FIPS 180-4's examples, whole and in pieces") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    Sha256 hash;
    hash.update("a");
    hash.update("");
    hash.update("bc");
    CHECK(hash.hex() == sha256_hex("abc"));
    Sha256 moved = Sha256();
    moved.update("abc");
    Sha256 target = std::move(moved);
    CHECK(target.hex() == sha256_hex("abc"));
}

TEST_CASE("CRC-32C of RFC 3720, whole and continued") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xE3069283U);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43U);
    const std::string text = "the quick brown fox jumps over the lazy dog";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
        CHECK(crc32c_by_table(text.substr(cut), 7) == crc32c(text.substr(cut), 7));
    }
    CHECK(crc32c_by_table("123456789") == 0xE3069283U);
}
