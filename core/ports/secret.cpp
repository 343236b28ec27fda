#include "core/ports/secret.hpp"

#include <fmt/format.h>

#include <string_view>

#include "core/base/error.hpp"

namespace amp {
namespace {

// JSON holds text alone.
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
            throw Error(ExitCode::mismatch, "a secret's bytes are no pairs of hexadecimal digits");
        }
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

}  // namespace

Value to_value(std::span<const Secret> secrets) {
    List out;
    out.reserve(secrets.size());
    for (const Secret& secret : secrets) {
        out.emplace_back(Object{{"key", secret.key}, {"name", secret.name}, {"hex", to_hex(secret.value)}});
    }
    return out;
}

std::vector<Secret> to_secrets(const Value& value) {
    if (!value.is_list()) {
        throw Error(ExitCode::mismatch, "secrets are no list");
    }
    std::vector<Secret> out;
    for (const Value& item : value.as_list()) {
        out.push_back({get_string(item, "key"), get_string(item, "name"), from_hex(get_string(item, "hex"))});
    }
    return out;
}

}  // namespace amp
