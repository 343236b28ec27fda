#include "core/flow/yaml_scalar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include "core/base/text.hpp"

namespace amp {
namespace {

bool is_digits(std::string_view text, int base = 10) {
    const std::string_view digits = "0123456789abcdef";
    const std::string_view known = digits.substr(0, static_cast<std::size_t>(base));
    return !text.empty() && lower(text).find_first_not_of(known) == std::string::npos;
}

YamlScalar whole(std::string_view text, std::string_view digits, bool negative, int base) {
    std::int64_t number = 0;
    const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
    const auto end = signed_digits.data() + signed_digits.size();
    if (std::from_chars(signed_digits.data(), end, number, base).ec != std::errc()) {
        return {{}, fmt::format("the number {} does not fit 64 bits", text.substr(0, 60))};
    }
    return {number, {}};
}

/// [0-9]+(\.[0-9]*)? or \.[0-9]+, and then an exponent.
bool is_float(std::string_view text) {
    const std::size_t e = text.find_first_of("eE");
    if (e != std::string_view::npos) {
        std::string_view exponent = text.substr(e + 1);
        exponent.remove_prefix(!exponent.empty() && (exponent.front() == '-' || exponent.front() == '+') ? 1
                                                                                                         : 0);
        if (!is_digits(exponent)) {
            return false;
        }
    }
    const std::string_view mantissa = text.substr(0, e);
    const std::size_t dot = mantissa.find('.');
    const std::string_view before = mantissa.substr(0, dot);
    const std::string_view behind = dot == std::string_view::npos ? "" : mantissa.substr(dot + 1);
    return (is_digits(before) && (behind.empty() || is_digits(behind))) ||
           (before.empty() && is_digits(behind));
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

YamlScalar read_plain_yaml(std::string_view text) {
    using Words = std::array<std::string_view, 3>;
    if (text.empty() || text == "~" || is_one_of(text, Words{"null", "Null", "NULL"})) {
        return {};
    }
    if (is_one_of(text, Words{"true", "True", "TRUE"})) {
        return {true, {}};
    }
    if (is_one_of(text, Words{"false", "False", "FALSE"})) {
        return {false, {}};
    }
    if (text.starts_with("0x") && is_digits(text.substr(2), 16)) {
        return whole(text, text.substr(2), false, 16);
    }
    if (text.starts_with("0o") && is_digits(text.substr(2), 8)) {
        return whole(text, text.substr(2), false, 8);
    }
    const bool negative = text.front() == '-';
    const std::string_view number = text.substr(negative || text.front() == '+' ? 1 : 0);
    if (is_digits(number)) {
        return whole(text, number, negative, 10);
    }
    if (is_one_of(number, Words{".inf", ".Inf", ".INF"})) {
        return {(negative ? -1 : 1) * std::numeric_limits<double>::infinity(), {}};
    }
    if (is_one_of(text, Words{".nan", ".NaN", ".NAN"})) {
        return {std::numeric_limits<double>::quiet_NaN(), {}};
    }
    if (!is_float(number)) {
        return {text, {}};
    }
    double value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
        return {{}, fmt::format("the number {} is out of range", text.substr(0, 60))};
    }
    return {negative ? -value : value, {}};
}

}  // namespace amp
