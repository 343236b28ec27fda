#include "core/flow/expression_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/text.hpp"

namespace amp {
namespace {

using Token = ExpressionToken;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
    return is_name_start(c) || is_digit(c);
}

/// Longer ones first.
constexpr std::array<std::string_view, 23> k_operators = {"==", "!=", "<=", ">=", "+", "-", "*", "/",
                                                          "%",  "<",  ">",  "(",  ")", "[", "]", "{",
                                                          "}",  ",",  ":",  ".",  "!", "=", "|"};

struct Foreign {
    std::string_view written;
    std::string_view hint;
};
/// What other languages write, and what it is here.
constexpr std::array<Foreign, 11> k_foreign = {
    {{"&&", "write `and`"},
     {"||", "write `or`"},
     {"**", "there is no power operator"},
     {"//", "write int(a / b)"},
     {"===", "write `==`"},
     {"!==", "write `!=`"},
     {"!", "write `not`"},
     {"=", "write `==` to compare"},
     {"|", "there are no filters: write a function call, as lower(x)"},
     {"~", "write `+` to join texts"},
     {"$", "names are written without `$`"}}};

constexpr std::size_t k_usual_tokens = 6;  ///< a reference such as params.lr has four

class Lexer {
  public:
    Lexer(const TextPlaces& source, Diagnostics& diagnostics)
        : source_(source), text_(source.text), diagnostics_(diagnostics) {}

    std::optional<std::vector<Token>> run() {
        tokens_.reserve(k_usual_tokens);
        while (ok_) {
            while (at_ < text_.size() &&
                   std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
                ++at_;
            }
            if (at_ == text_.size()) {
                tokens_.push_back({Token::Kind::end, {}, {}, at_});
                return std::move(tokens_);
            }
            next();
        }
        return std::nullopt;
    }

  private:
    void next() {
        const char c = text_[at_];
        if (is_name_start(c)) {
            const auto end =
                std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), is_name);
            push(Token::Kind::name, static_cast<std::size_t>(end - text_.begin()) - at_);
        } else if (is_digit(c) ||
                   (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]) && !after_value())) {
            number();
        } else if (c == '"' || c == '\'') {
            string(c);
        } else {
            op();
        }
    }

    /// A `.` after a name or bracket is a member, not the point of a number.
    bool after_value() const {
        return !tokens_.empty() && (tokens_.back().kind != Token::Kind::op || tokens_.back().is(")") ||
                                    tokens_.back().is("]") || tokens_.back().is("}"));
    }

    void push(Token::Kind kind, std::size_t length, std::string value = {}) {
        tokens_.push_back({kind, text_.substr(at_, length), std::move(value), at_});
        at_ += length;
    }

    std::size_t digits(std::size_t from) const {
        while (from < text_.size() && (is_digit(text_[from]) || (text_[from] == '_' && from > at_))) {
            ++from;
        }
        return from;
    }

    void number() {
        std::size_t end = digits(at_);
        bool floating = false;
        if (end < text_.size() && text_[end] == '.' && end + 1 < text_.size() && is_digit(text_[end + 1])) {
            floating = true;
            end = digits(end + 1);
        }
        if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
            std::size_t exponent = end + 1;
            exponent += exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-') ? 1 : 0;
            if (exponent < text_.size() && is_digit(text_[exponent])) {
                floating = true;
                end = digits(exponent);
            }
        }
        if (end < text_.size() && is_name(text_[end])) {
            const auto stop =
                std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(end), text_.end(), is_name);
            const std::size_t length = static_cast<std::size_t>(stop - text_.begin()) - at_;
            fail("AMP1107", length, fmt::format("'{}' is no number", text_.substr(at_, length)),
                 "numbers are decimal; sizes and durations are texts: '64G', '1h30m'");
            return;
        }
        std::string plain(text_.substr(at_, end - at_));
        plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
        push(floating ? Token::Kind::floating : Token::Kind::integer, end - at_, std::move(plain));
    }

    void string(char quote) {
        std::string value;
        for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
            if (text_[i] == quote) {
                push(Token::Kind::string, i + 1 - at_, std::move(value));
                return;
            }
            if (text_[i] != '\\') {
                value += text_[i];
            } else if (const std::size_t used = escape(i + 1, value); used > 0) {
                i += used;
            } else {
                at_ = i;
                fail("AMP1102", 2, fmt::format("unknown escape '{}' in a text", text_.substr(i, 2)),
                     R"(there are \n \t \r \\ \' \" \xHH and \uHHHH; a backslash itself is \\)");
                return;
            }
        }
        fail("AMP1102", text_.size() - at_, fmt::format("the text that begins with {} has no end", quote),
             fmt::format("close it with {}", quote));
    }

    /// Appends what the escape whose letter is at `at` stands for; how many bytes it has, 0 when unknown.
    std::size_t escape(std::size_t at, std::string& value) const {
        if (at >= text_.size()) {
            return 0;
        }
        constexpr std::string_view k_letters = "ntr0\\'\"";
        constexpr std::string_view k_bytes("\n\t\r\0\\'\"", 7);
        if (const std::size_t known = k_letters.find(text_[at]); known != std::string_view::npos) {
            value += k_bytes[known];
            return 1;
        }
        const std::size_t length = text_[at] == 'x' ? 2 : text_[at] == 'u' ? 4 : 0;
        std::uint32_t code = 0;
        if (length == 0 || at + 1 + length > text_.size()) {
            return 0;
        }
        const char* const first = text_.data() + at + 1;
        const auto [end, failed] = std::from_chars(first, first + length, code, 16);
        if (failed != std::errc() || end != first + length || (code >= 0xD800 && code <= 0xDFFF)) {
            return 0;
        }
        append_code_point(value, code);
        return 1 + length;
    }

    static void append_code_point(std::string& out, std::uint32_t code) {
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xC0 | (code >> 6));
            out += static_cast<char>(0x80 | (code & 0x3F));
        } else {
            out += static_cast<char>(0xE0 | (code >> 12));
            out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
            out += static_cast<char>(0x80 | (code & 0x3F));
        }
    }

    void op() {
        const std::string_view rest = text_.substr(at_);
        const auto known = std::find_if(k_operators.begin(), k_operators.end(),
                                        [&](std::string_view o) { return rest.substr(0, o.size()) == o; });
        const Foreign* foreign = nullptr;
        for (const Foreign& f : k_foreign) {
            const bool longer = known == k_operators.end() || f.written.size() >= known->size();
            if (rest.substr(0, f.written.size()) == f.written && longer &&
                (foreign == nullptr || f.written.size() > foreign->written.size())) {
                foreign = &f;
            }
        }
        if (foreign != nullptr) {
            fail("AMP1103", foreign->written.size(),
                 fmt::format("'{}' is no operator of an expression", foreign->written),
                 std::string(foreign->hint));
        } else if (known == k_operators.end()) {
            std::size_t length = 1;
            while (length < 4 && length < rest.size() &&
                   (static_cast<unsigned char>(rest[length]) & 0xC0) == 0x80) {
                ++length;
            }
            fail(
                "AMP1103", length,
                fmt::format("unexpected character '{}' in an expression", printable(rest.substr(0, length))));
        } else {
            push(Token::Kind::op, known->size());
        }
    }

    void fail(std::string code, std::size_t length, std::string message, std::string hint = {}) {
        diagnostics_.error(std::move(code), source_.at(at_, length), std::move(message), std::move(hint));
        ok_ = false;
    }

    const TextPlaces& source_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace

Place advance(Place from, std::string_view passed) {
    const std::size_t newline = passed.rfind('\n');
    if (newline == std::string_view::npos) {
        from.column += static_cast<std::uint32_t>(passed.size());
    } else {
        from.line += static_cast<std::uint32_t>(std::count(passed.begin(), passed.end(), '\n'));
        from.column = static_cast<std::uint32_t>(passed.size() - newline);
    }
    return from;
}

Place TextPlaces::at(std::size_t offset, std::size_t length) const {
    if (fixed || begin.line == 0) {
        return begin;
    }
    Place place = advance(begin, text.substr(0, offset));
    const std::size_t line_end = std::min(text.find('\n', offset), text.size());
    place.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, std::min(length, line_end - offset)));
    return place;
}

std::optional<std::vector<ExpressionToken>> lex_expression(const TextPlaces& source,
                                                           Diagnostics& diagnostics) {
    return Lexer(source, diagnostics).run();
}

}  // namespace amp
