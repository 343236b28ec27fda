#include "core/base/hex.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace amp {

std::string to_hex(std::string_view bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return out;
}

std::string from_hex(std::string_view text) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::size_t high = k_digits.find(text[i]);
        const std::size_t low = i + 1 < text.size() ? k_digits.find(text[i + 1]) : std::string_view::npos;
        if (high == std::string_view::npos || low == std::string_view::npos) {
            throw Error(ExitCode::mismatch, "bytes are no pairs of hexadecimal digits");
        }
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

}  // namespace amp
