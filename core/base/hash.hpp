#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace amp {

/// SHA-256 of a stream of bytes (libcrypto's).
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);
    /// 64 lower-case hexadecimal digits. Call once.
    std::string hex();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, continued from `seed`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
/// The same on processors without an instruction for it.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace amp
