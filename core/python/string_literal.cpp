#include "core/python/string_literal.hpp"

#include <fmt/format.h>

namespace amp::python {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_code_point(std::string& out, std::uint32_t c) {
    const auto push = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        push(c);
    } else if (c < 0x800) {
        push(0xC0 | (c >> 6));
        push(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        push(0xE0 | (c >> 12));
        push(0x80 | ((c >> 6) & 0x3F));
        push(0x80 | (c & 0x3F));
    } else {
        push(0xF0 | (c >> 18));
        push(0x80 | ((c >> 12) & 0x3F));
        push(0x80 | ((c >> 6) & 0x3F));
        push(0x80 | (c & 0x3F));
    }
}

class Decoder {
  public:
    Decoder(std::string_view body, StringForm form) : body_(body), form_(form) {}

    DecodedString run() {
        out_.text.reserve(body_.size());
        while (pos_ < body_.size() && !out_.problem) {
            const char c = body_[pos_];
            if (c == '\\') {
                backslash();
            } else if (c == '\r') {
                line_break();
            } else {
                if (form_.doubled_braces && (c == '{' || c == '}') && at(pos_ + 1) == c) {
                    ++pos_;
                }
                if (form_.bytes && static_cast<unsigned char>(c) >= 0x80) {
                    problem("bytes can only contain ASCII literal characters");
                }
                out_.text.push_back(c);
                ++pos_;
            }
        }
        return std::move(out_);
    }

  private:
    char at(std::size_t i) const { return i < body_.size() ? body_[i] : '\0'; }
    void problem(std::string message) {
        out_.problem = DecodedString::Problem{static_cast<std::uint32_t>(pos_), std::move(message)};
    }

    void line_break() {
        pos_ += at(pos_ + 1) == '\n' ? 2 : 1;
        out_.text.push_back('\n');
    }

    void backslash() {
        if (form_.raw) {
            out_.text.push_back('\\');
            ++pos_;
            return;
        }
        const char next = at(pos_ + 1);
        switch (next) {
            case '\n':
                pos_ += 2;
                return;
            case '\r':
                pos_ += at(pos_ + 2) == '\n' ? 3 : 2;
                return;
            case 'x':
                hex(2, next);
                return;
            case 'u':
            case 'U':
            case 'N':
                if (form_.bytes) {
                    break;
                }
                if (next == 'N') {
                    named();
                } else {
                    hex(next == 'u' ? 4 : 8, next);
                }
                return;
            default:
                break;
        }
        if (next >= '0' && next <= '7') {
            octal();
            return;
        }
        constexpr std::string_view k_letters = "\\'\"abfnrtv";
        constexpr std::string_view k_meanings = "\\'\"\a\b\f\n\r\t\v";
        const std::size_t known = next == '\0' ? std::string_view::npos : k_letters.find(next);
        if (known != std::string_view::npos) {
            out_.text.push_back(k_meanings[known]);
            pos_ += 2;
        } else {
            out_.text.push_back('\\');  // an unknown escape stays as it is
            ++pos_;
        }
    }

    void octal() {
        ++pos_;
        std::uint32_t value = 0;
        for (int i = 0; i < 3 && at(pos_) >= '0' && at(pos_) <= '7'; ++i, ++pos_) {
            value = value * 8 + static_cast<std::uint32_t>(body_[pos_] - '0');
        }
        if (form_.bytes) {
            out_.text.push_back(static_cast<char>(value & 0xFF));
        } else {
            append_code_point(out_.text, value);
        }
    }

    void hex(int digits, char letter) {
        std::uint32_t value = 0;
        for (int i = 0; i < digits; ++i) {
            const int digit = hex_value(at(pos_ + 2 + static_cast<std::size_t>(i)));
            if (digit < 0) {
                problem(form_.bytes
                            ? fmt::format("(value error) invalid \\x escape at position {}", pos_)
                            : fmt::format("(unicode error) 'unicodeescape' codec can't decode bytes: "
                                          "truncated \\{}{} escape",
                                          letter, std::string(static_cast<std::size_t>(digits), 'X')));
                return;
            }
            value = value * 16 + static_cast<std::uint32_t>(digit);
        }
        if (value > 0x10FFFF) {
            problem("(unicode error) 'unicodeescape' codec can't decode bytes: illegal Unicode character");
            return;
        }
        pos_ += 2 + static_cast<std::size_t>(digits);
        if (form_.bytes) {
            out_.text.push_back(static_cast<char>(value));
        } else {
            append_code_point(out_.text, value);
        }
    }

    void named() {
        const std::size_t close = at(pos_ + 2) == '{' ? body_.find('}', pos_) : std::string_view::npos;
        if (close == std::string_view::npos || close == pos_ + 3) {
            problem(
                "(unicode error) 'unicodeescape' codec can't decode bytes: malformed \\N character escape");
            return;
        }
        out_.text.append(body_.substr(pos_, close + 1 - pos_));
        out_.undecided = true;
        pos_ = close + 1;
    }

    std::string_view body_;
    StringForm form_;
    std::size_t pos_ = 0;
    DecodedString out_;
};

}  // namespace

DecodedString decode_string(std::string_view body, StringForm form) {
    return Decoder(body, form).run();
}

StringParts split_string(std::string_view literal) {
    StringParts parts;
    const std::size_t open = literal.find_first_of("'\"");
    parts.prefix = literal.substr(0, open);
    const std::string_view rest = literal.substr(open);
    const std::size_t quotes = rest.size() >= 6 && rest[1] == rest[0] && rest[2] == rest[0] ? 3 : 1;
    parts.body = rest.substr(quotes, rest.size() - 2 * quotes);
    parts.body_offset = static_cast<std::uint32_t>(open + quotes);
    for (const char c : parts.prefix) {
        const char lower = static_cast<char>(c | 0x20);
        parts.form.raw = parts.form.raw || lower == 'r';
        parts.form.bytes = parts.form.bytes || lower == 'b';
    }
    return parts;
}

}  // namespace amp::python
