#include "core/package/compression.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/base/error.hpp"

using namespace amp::compression;

namespace {

std::string noise(std::size_t length) {
    std::mt19937_64 random(7);
    std::string out(length, '\0');
    for (char& c : out) {
        c = static_cast<char>(random());
    }
    return out;
}

/// Decompressed in pieces of `step` bytes.
std::string decompress(std::string_view bytes, std::size_t step) {
    std::string out;
    Decompressor decompressor([&](std::string_view piece) { out += piece; });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        decompressor.write(bytes.substr(at, step));
    }
    decompressor.finish();
    return out;
}

std::string compress_stream(std::string_view bytes, std::size_t step) {
    std::string out;
    Compressor compressor([&](std::string_view piece) { out += piece; });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        compressor.write(bytes.substr(at, step));
    }
    compressor.finish();
    return out;
}

}  // namespace

TEST_CASE("what is compressed comes back, in pieces of any size") {
    for (const std::string& bytes :
         {std::string(), std::string("x"), std::string(3'000'000, 'a'), noise(300'000),
          noise(300'000) + std::string(13'000'000, 'b') + noise(5'000'000)}) {
        for (const std::size_t step : {1U, 1000U, 1U << 20}) {
            if (step == 1 && bytes.size() > 500'000) {
                continue;
            }
            CHECK(decompress(compress(bytes), step) == bytes);
            CHECK(decompress(compress_stream(bytes, step), 4096) == bytes);
        }
    }
}

TEST_CASE("a stream that is cut short or is no zstd is seen") {
    const std::string whole = compress(std::string(5000, 'a') + noise(100));
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        CHECK_THROWS_AS(decompress(std::string_view(whole).substr(0, cut), 64), amp::Error);
    }
    CHECK_THROWS_AS(decompress("this is no zstd", 64), amp::Error);
    CHECK_THROWS_AS(decompress(whole + "x", 64), amp::Error);
}

TEST_CASE("a tenth is the least that makes compressing worth it") {
    CHECK(worth_compressing(std::string(1000, 'a')));
    CHECK_FALSE(worth_compressing(noise(1000)));
    CHECK_FALSE(worth_compressing(""));
    CHECK_FALSE(worth_compressing("x"));
    CHECK(worth_compressing(noise(8000) + std::string(2000, 'a')));
    CHECK_FALSE(worth_compressing(noise(9500) + std::string(500, 'a')));
}

TEST_CASE("a stream without its last frame is not whole") {
    const std::string plain = noise(9'000'000);
    const std::string packed = compress_stream(plain, 1U << 20);
    const auto whole = [&](std::size_t length) {
        return is_whole(length, plain.size(), [&](std::uint64_t offset, std::uint64_t count) {
            return packed.substr(offset, std::min<std::uint64_t>(count, length - offset));
        });
    };
    CHECK(whole(packed.size()));
    CHECK_FALSE(whole(packed.size() - 1));
    const std::size_t last = packed.rfind("\x28\xb5\x2f\xfd");  // where a frame begins
    REQUIRE(last > 0);
    CHECK_FALSE(whole(last));
}
