#include "core/package/code_manifest_cache.hpp"

#include <algorithm>
#include <array>

#include "core/base/hash.hpp"

namespace amp {
namespace {

constexpr std::string_view k_magic = "ampcode2";
constexpr std::int64_t k_racy_ms = 2000;  // the coarsest time stamps in use (FAT) tell 2 seconds apart
constexpr std::size_t k_digest_bytes = 32;

template <class T>
void put_number(std::string& out, T value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i, bits >>= 8) {
        out += static_cast<char>(bits & 0xFFU);
    }
}

/// Takes bytes off the front; after the end `good` is false and all is zero.
struct Reader {
    std::string_view left;
    bool good = true;

    std::string_view bytes(std::size_t size) {
        if (size > left.size()) {
            good = false;
            left = {};
            return {};
        }
        const std::string_view out = left.substr(0, size);
        left.remove_prefix(size);
        return out;
    }
    template <class T>
    T number() {
        std::uint64_t bits = 0;
        const std::string_view from = bytes(sizeof(T));
        for (std::size_t i = from.size(); i > 0; --i) {
            bits = bits << 8 | static_cast<unsigned char>(from[i - 1]);
        }
        return static_cast<T>(bits);
    }
};

unsigned hex_digit(char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

void put_digest(std::string& out, std::string_view hex) {
    for (std::size_t i = 0; i < 2 * k_digest_bytes; i += 2) {
        out += static_cast<char>(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1]));
    }
}

std::string take_digest(Reader& reader) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::array<char, 2 * k_digest_bytes> hex{};
    std::size_t at = 0;
    for (const char c : reader.bytes(k_digest_bytes)) {
        hex[at++] = k_digits[static_cast<unsigned char>(c) >> 4];
        hex[at++] = k_digits[static_cast<unsigned char>(c) & 15U];
    }
    return {hex.data(), at};
}

}  // namespace

bool still_valid(const CachedHash& hash, const FileInfo& info, Timestamp scanned) {
    const std::int64_t changed_ms = std::max(hash.mtime_ns, hash.ctime_ns) / 1'000'000;
    return hash.size_bytes == info.size_bytes && hash.mtime_ns == info.mtime_ns &&
           hash.ctime_ns == info.ctime_ns && hash.inode == info.inode && changed_ms + k_racy_ms < scanned.ms;
}

std::string encode(const HashCache& cache) {
    std::string body;
    put_number(body, cache.scanned.ms);
    put_number(body, static_cast<std::uint32_t>(cache.hashes.size()));
    for (const CachedHash& hash : cache.hashes) {
        put_number(body, hash.size_bytes);
        put_number(body, hash.mtime_ns);
        put_number(body, hash.ctime_ns);
        put_number(body, hash.inode);
        put_number(body, hash.kept.ms);
        put_digest(body, hash.sha256);
        put_number(body, static_cast<std::uint8_t>(hash.lfs_pointer));
        put_number(body, static_cast<std::uint32_t>(hash.path.size()));
        body += hash.path;
    }
    std::string out(k_magic);
    put_number(out, crc32c(body));
    return out + body;
}

std::optional<HashCache> decode_hash_cache(std::string_view bytes) {
    Reader reader{bytes};
    if (reader.bytes(k_magic.size()) != k_magic || reader.number<std::uint32_t>() != crc32c(reader.left)) {
        return std::nullopt;
    }
    HashCache cache;
    cache.scanned.ms = reader.number<std::int64_t>();
    auto count = reader.number<std::uint32_t>();
    cache.hashes.reserve(std::min<std::size_t>(count, reader.left.size() / k_digest_bytes));
    for (; count > 0 && reader.good; --count) {
        CachedHash& hash = cache.hashes.emplace_back();
        hash.size_bytes = reader.number<std::uint64_t>();
        hash.mtime_ns = reader.number<std::int64_t>();
        hash.ctime_ns = reader.number<std::int64_t>();
        hash.inode = reader.number<std::uint64_t>();
        hash.kept.ms = reader.number<std::int64_t>();
        hash.sha256 = take_digest(reader);
        hash.lfs_pointer = reader.number<std::uint8_t>() != 0;
        hash.path = reader.bytes(reader.number<std::uint32_t>());
    }
    if (!reader.good || !reader.left.empty()) {
        return std::nullopt;
    }
    return cache;
}

}  // namespace amp
