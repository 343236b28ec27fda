#include "core/base/hash.hpp"

#include <openssl/sha.h>
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include <array>
#include <cstring>

#include "core/base/error.hpp"

namespace amp {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

/// Slicing-by-8: eight tables, eight bytes a step.
constexpr Table make_table() {
    Table t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) {
            c = (c >> 1) ^ ((c & 1) != 0 ? 0x82F63B78U : 0U);
        }
        t[0][i] = c;
    }
    for (std::uint32_t i = 0; i < 256; ++i) {
        for (std::size_t k = 1; k < 8; ++k) {
            t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xFF];
        }
    }
    return t;
}

constexpr Table k_table = make_table();

[[noreturn]] void fail() {
    throw Error(ExitCode::bug, "libcrypto cannot compute SHA-256");
}

#ifdef __x86_64__
// SSE 4.2 has an instruction for it, which is several times as fast.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t seed) {
    std::uint64_t c = ~seed;
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; p += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, 8);
        c = _mm_crc32_u64(c, word);
    }
    auto rest = static_cast<std::uint32_t>(c);
    for (; left > 0; ++p, --left) {
        rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*p));
    }
    return ~rest;
}
#endif

}  // namespace

// SHA-256 itself, not by way of EVP: that would link every algorithm of libcrypto, 3 MB, and look this one up
// by name for each hash.
struct Sha256::Context {
    SHA256_CTX sha{};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    if (SHA256_Init(&context_->sha) != 1) {
        fail();
    }
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    if (SHA256_Update(&context_->sha, bytes.data(), bytes.size()) != 1) {
        fail();
    }
}

std::string Sha256::hex() {
    std::array<unsigned char, 32> digest{};
    if (SHA256_Final(digest.data(), &context_->sha) != 1) {
        fail();
    }
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string out;
    out.reserve(64);
    for (const unsigned char byte : digest) {
        out += k_digits[byte >> 4];
        out += k_digits[byte & 15];
    }
    return out;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t seed) {
    std::uint32_t c = ~seed;
    const char* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; p += 8, left -= 8) {
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        std::memcpy(&low, p, 4);
        std::memcpy(&high, p + 4, 4);
        low ^= c;
        c = k_table[7][low & 0xFF] ^ k_table[6][(low >> 8) & 0xFF] ^ k_table[5][(low >> 16) & 0xFF] ^
            k_table[4][low >> 24] ^ k_table[3][high & 0xFF] ^ k_table[2][(high >> 8) & 0xFF] ^
            k_table[1][(high >> 16) & 0xFF] ^ k_table[0][high >> 24];
    }
    for (; left > 0; ++p, --left) {
        c = (c >> 8) ^ k_table[0][(c ^ static_cast<unsigned char>(*p)) & 0xFF];
    }
    return ~c;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2") != 0) {
        return crc32c_by_instruction(bytes, seed);
    }
#endif
    return crc32c_by_table(bytes, seed);
}

}  // namespace amp
