#include "core/package/code_manifest_cache.hpp"

#include <doctest/doctest.h>

#include "core/base/hash.hpp"

using namespace amp;

namespace {

constexpr std::int64_t k_second = 1'000'000'000;

HashCache sample() {
    HashCache cache;
    cache.scanned = {1'700'000'000'000};
    cache.hashes = {{"a/\xff", 5, -1, k_second, 1ULL << 60, sha256_hex("a"), {123}},
                    {"b", 0, 2, 3, 4, sha256_hex("b"), {}}};
    return cache;
}

}  // namespace

TEST_CASE("a cache survives its compact form") {
    const auto read = decode_hash_cache(encode(sample()));
    REQUIRE(read);
    CHECK(read->scanned == sample().scanned);
    CHECK(read->hashes == sample().hashes);
    CHECK(decode_hash_cache(encode({}))->hashes.empty());
}

TEST_CASE("a damaged cache is none") {
    const std::string good = encode(sample());
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0x40);
        CHECK_FALSE(decode_hash_cache(bad));
        CHECK_FALSE(decode_hash_cache(good.substr(0, i)));
    }
    CHECK_FALSE(decode_hash_cache(good + "x"));
}

TEST_CASE("a hash holds while the file looks the same and was quiet at the scan") {
    FileInfo info;
    info.size_bytes = 5;
    info.mtime_ns = 100 * k_second;
    info.ctime_ns = 101 * k_second;
    info.inode = 7;
    const CachedHash hash{"a", 5, info.mtime_ns, info.ctime_ns, 7, sha256_hex("a"), {}};
    CHECK(still_valid(hash, info, {104'000}));
    CHECK_FALSE(still_valid(hash, info, {102'500}));
    CHECK_FALSE(still_valid(hash, info, {50'000}));
    for (const auto change : {+[](FileInfo& i) { ++i.size_bytes; }, +[](FileInfo& i) { ++i.mtime_ns; },
                              +[](FileInfo& i) { ++i.ctime_ns; }, +[](FileInfo& i) { ++i.inode; }}) {
        FileInfo other = info;
        change(other);
        CHECK_FALSE(still_valid(hash, other, {104'000}));
    }
}
