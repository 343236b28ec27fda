#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.hpp"
#include "core/task/masker.hpp"

namespace amp {
namespace {

constexpr std::string_view k_base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k_base64_url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What the base64 of any text that holds `value` after `before` (modulo 3) other bytes must hold: the
/// characters that depend on the value only.
std::string base64_core(std::string_view value, std::size_t before, std::string_view alphabet) {
    const std::string bytes = std::string(before, '\0') + std::string(value);
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char byte : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6) {
            out += alphabet[(bits >> (count - 6)) & 63];
        }
    }
    const std::size_t foreign = before == 0 ? 0 : before + 1;
    return out.substr(std::min(foreign, out.size()));
}

bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string url_escaped(std::string_view value, std::string_view kept, bool upper, bool plus) {
    std::string out;
    for (const char c : value) {
        if (is_word(c) || kept.find(c) != std::string_view::npos) {
            out += c;
        } else if (plus && c == ' ') {
            out += '+';
        } else if (upper) {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        } else {
            out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

/// As within the quotes of a JSON text; `slashes`: "\/" for "/".
std::string json_escaped(std::string_view value, bool slashes) {
    std::string out;
    for (const char c : value) {
        switch (c) {
            case '"':
            case '\\':
                out += '\\';
                out += c;
                break;
            case '/':
                out += slashes ? "\\/" : "/";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            default:
                if (static_cast<unsigned char>(c) < ' ') {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
    return out;
}

/// The code point at `at` of well-formed UTF-8, and moves on.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at++]);
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    std::uint32_t point = more == 3 ? first & 7U : more == 2 ? first & 15U : more == 1 ? first & 31U : first;
    for (int i = 0; i < more && at < text.size(); ++i) {
        point = (point << 6) | (static_cast<unsigned char>(text[at++]) & 63U);
    }
    return point;
}

/// What is beyond ASCII as \uXXXX, as many JSON writers do.
std::string ascii_only(std::string_view text, bool upper) {
    const auto unit = [upper](std::uint32_t code) {
        return upper ? fmt::format("\\u{:04X}", code) : fmt::format("\\u{:04x}", code);
    };
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::uint32_t point = next_code_point(text, at);
        if (point < 0x80) {
            out += static_cast<char>(point);
        } else if (point < 0x10000) {
            out += unit(point);
        } else {
            out += unit(0xD800 + ((point - 0x10000) >> 10)) + unit(0xDC00 + ((point - 0x10000) & 0x3FF));
        }
    }
    return out;
}

std::string backslashed(std::string_view value, std::string_view special) {
    std::string out;
    for (const char c : value) {
        if (special.find(c) != std::string_view::npos) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

std::string with_quotes_as(std::string_view value, std::string_view quote) {
    std::string out;
    for (const char c : value) {
        if (c == '\'') {
            out += quote;
        } else {
            out += c;
        }
    }
    return out;
}

void add_base64(std::string_view value, std::set<std::string>& forms) {
    for (const std::string_view alphabet : {k_base64, k_base64_url}) {
        for (const std::size_t before : {0, 1, 2}) {
            forms.insert(base64_core(value, before, alphabet));
        }
    }
    const std::string whole = base64_core(value, 0, k_base64);
    for (const std::size_t width : {64, 76}) {
        for (std::size_t at = 0; whole.size() > width && at < whole.size(); at += width) {
            forms.insert(whole.substr(at, width));
        }
    }
}

void add_forms(std::string_view value, std::set<std::string>& forms) {
    forms.emplace(value);
    add_base64(value, forms);
    for (const std::string_view kept : {"-._~", "-._~/", "-._~!'()*", "-._*"}) {
        for (const bool upper : {true, false}) {
            forms.insert(url_escaped(value, kept, upper, false));
            forms.insert(url_escaped(value, kept, upper, true));
        }
    }
    for (const bool slashes : {false, true}) {
        const std::string escaped = json_escaped(value, slashes);
        forms.insert(escaped);
        if (is_utf8(value)) {
            forms.insert(ascii_only(escaped, false));
            forms.insert(ascii_only(escaped, true));
        }
    }
    forms.insert(with_quotes_as(value, "'\\''"));
    forms.insert(with_quotes_as(value, "'\"'\"'"));
    forms.insert(backslashed(value, "\\"));
    forms.insert(backslashed(value, "\\'"));
    forms.insert(backslashed(value, "\\\"$`"));
    forms.insert(backslashed(value, " \t!\"#$&'()*,;<>?[\\]^`{|}"));  // printf %q
    forms.insert(backslashed(value, " \t!\"#$&'()*,;<>?[\\]^`{|}~"));
}

}  // namespace

std::vector<std::string> forms_of_secret(std::string_view value) {
    std::set<std::string> forms;
    if (value.size() >= k_least_masked) {
        add_forms(value, forms);
    }
    if (value.find('\n') != std::string_view::npos) {
        for (const auto part : split(value, '\n')) {
            std::string_view line = part;
            if (!line.empty() && line.back() == '\r') {
                line.remove_suffix(1);
            }
            if (line.size() >= k_least_masked) {
                add_forms(line, forms);
            }
        }
    }
    std::vector<std::string> out;
    std::copy_if(forms.begin(), forms.end(), std::back_inserter(out),
                 [](const std::string& form) { return form.size() >= k_least_masked; });
    return out;
}

}  // namespace amp
