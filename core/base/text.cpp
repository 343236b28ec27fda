#include "core/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace amp {
namespace {

struct Decoded {
    char32_t code = 0;
    std::size_t length = 0;  ///< 0: invalid
};

/// One code point by the table of RFC 3629, section 4: no overlong forms, surrogates or values past U+10FFFF.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) {
        return {};
    }
    char32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return {};
        }
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return overlong || surrogate || code > 0x10FFFF ? Decoded{} : Decoded{code, length};
}

/// What turns the direction of text around, or ends a line for some.
bool is_layout_control(char32_t c) {
    return c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0x200E || c == 0x200F || c == 0x061C;
}

/// Optimal string alignment distance, given up past `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (a.size() > b.size() + limit || b.size() > a.size() + limit) {
        return limit + 1;
    }
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        above[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

struct Unit {
    std::string_view name;
    double factor;
};

/// A number at the start of `text`, which is shortened by it; no sign, no exponent.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    const auto [end, failed] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (failed != std::errc() || text.front() == '-' || !std::isfinite(number)) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<double> unit_factor(std::string_view name, std::span<const Unit> units) {
    const auto it = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    return it == units.end() ? std::nullopt : std::optional(it->factor);
}

constexpr std::array<Unit, 6> k_time_units = {
    {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}}};
constexpr std::array<Unit, 11> k_size_units = {{{"B", 1},
                                                {"K", 1e3},
                                                {"M", 1e6},
                                                {"G", 1e9},
                                                {"T", 1e12},
                                                {"P", 1e15},
                                                {"Ki", 1024.0},
                                                {"Mi", 1048576.0},
                                                {"Gi", 1073741824.0},
                                                {"Ti", 1099511627776.0},
                                                {"Pi", 1125899906842624.0}}};

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = decode(text.substr(i)).length;
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = decode(text.substr(i)).length;
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
        } else {
            out.append(text, i, length);
            i += length;
        }
    }
    return out;
}

std::string printable(std::string_view text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
        return std::string(text);
    }
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Decoded c = decode(text.substr(i));
        if (c.length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
            ++i;
            continue;
        }
        const bool control = (c.code < 0x20 && c.code != '\n' && c.code != '\t') || c.code == 0x7F;
        if (control) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
        } else if ((c.code >= 0x80 && c.code < 0xA0) || is_layout_control(c.code)) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
        } else {
            out.append(text, i, c.length);
        }
        i += c.length;
    }
    return out;
}

std::string shell_quote(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./:,@+%").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) {
        return std::string(text);
    }
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    std::size_t start = 0;
    for (std::size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator, start)) {
        out.push_back(text.substr(start, at - start));
        start = at + 1;
    }
    out.push_back(text.substr(start));
    return out;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        out += i == 0 ? std::string_view() : separator;
        out += parts[i];
    }
    return out;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view k_space = " \t\r\n\f\v";
    const std::size_t first = text.find_first_not_of(k_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(k_space) - first + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t k_short = 3;
    std::size_t best = word.size() <= k_short ? 1 : 2;
    std::optional<std::string> found;
    const std::string small = lower(word);
    for (const std::string& candidate : candidates) {
        if (candidate != word && lower(candidate) == small) {
            return candidate;
        }
        const std::size_t distance = edit_distance(word, candidate, best);
        // What has no letter of the word is no slip of it, however short that is.
        // What begins with the word may be.
        if (distance > 0 && distance >= word.size() && !candidate.starts_with(word)) {
            continue;
        }
        if (distance < best || (distance == best && !found)) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::optional<double> parse_duration(std::string_view text) {
    text = trim(text);
    if (text.empty()) {
        return std::nullopt;
    }
    double total = 0;
    for (bool first = true; !text.empty(); first = false) {
        const auto number = take_number(text);
        if (!number) {
            return std::nullopt;
        }
        const std::size_t letters = std::min(text.find_first_not_of("mshdw"), text.size());
        const std::string_view unit = text.substr(0, letters);
        text.remove_prefix(letters);
        if (unit.empty() && first && text.empty()) {
            return *number;
        }
        const auto factor = unit_factor(unit, k_time_units);
        if (!factor) {
            return std::nullopt;
        }
        total += *number * *factor;
    }
    return total;
}

std::string format_duration(double seconds) {
    if (seconds < 59.5) {
        return fmt::format("{:.{}f}s", seconds, seconds < 9.95 ? 1 : 0);
    }
    auto left = static_cast<std::uint64_t>(std::llround(seconds));
    std::string out;
    int parts = 0;
    for (const auto& [name, size] : {std::pair{"d", 86400U}, {"h", 3600U}, {"m", 60U}, {"s", 1U}}) {
        if (left >= size && parts < 2) {
            out += fmt::format("{}{}", left / size, name);
            left %= size;
            ++parts;
        } else if (parts == 1) {
            break;
        }
    }
    return out;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    text = trim(text);
    if (text.empty()) {
        return std::nullopt;
    }
    const auto number = take_number(text);
    if (!number) {
        return std::nullopt;
    }
    if (text.size() > 1 && text.back() == 'B' && text != "BB") {
        text.remove_suffix(1);
    }
    const auto factor = unit_factor(text, k_size_units);
    const double bytes = factor ? std::ceil(*number * *factor) : -1;
    if (bytes < 0 || bytes >= 9.2e18) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(bytes);
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 6> k_units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while ((unit == 0 ? size >= 1024 : size >= 1023.95) && unit + 1 < k_units.size()) {
        size /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, k_units[unit]);
}

}  // namespace amp
