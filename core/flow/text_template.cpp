#include "core/flow/text_template.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/expression_lexer.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_expression = (std::size_t{16} << 10) + 2;
constexpr std::size_t k_max_mistakes = 20;  ///< in one text: enough to mend, and no text takes long

/// Where the expression that begins at `at` ends (its `}}`), minding texts and braces within it; npos when
/// nowhere.
std::size_t careful_end(std::string_view text, std::size_t at) {
    const std::size_t limit = std::min(text.size(), at + k_max_expression);
    std::size_t braces = 0;
    for (std::size_t i = at; i < limit; ++i) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            for (++i; i < limit && text[i] != c; ++i) {
                i += text[i] == '\\' ? 1 : 0;
            }
        } else if (c == '{') {
            ++braces;
        } else if (c == '}' && braces > 0) {
            --braces;
        } else if (c == '}' && i + 1 < text.size() && text[i + 1] == '}') {
            return i;
        }
    }
    return std::string_view::npos;
}

std::size_t expression_end(std::string_view text, std::size_t at) {
    const std::size_t end = careful_end(text, at);
    // A quote or brace without its partner: the mistake is within, and is best shown there.
    return end != std::string_view::npos ? end : text.find("}}", at);
}

}  // namespace

/// Goes through the text once, keeping the place in the file.
class TextTemplate::Parser {
  public:
    Parser(std::string_view text, Place at, bool escaped, Diagnostics& diagnostics)
        : text_(text), place_(at), escaped_(escaped), diagnostics_(diagnostics) {
        out_.source_ = text;
    }

    std::optional<TextTemplate> run() {
        read();
        return mistakes_ == 0 ? std::optional(std::move(out_)) : std::nullopt;
    }

    /// What could be read, whatever is wrong with the rest.
    const TextTemplate& read() {
        std::size_t at = 0;
        while (mistakes_ < k_max_mistakes) {
            const std::size_t open = text_.find("{{", at);
            plain(at, open == std::string_view::npos ? text_.size() : open);
            if (open == std::string_view::npos) {
                break;
            }
            const std::size_t end = expression_end(text_, open + 2);
            if (end == std::string_view::npos) {
                mistake("AMP1201", open, 2, "'{{' has no '}}'",
                        "close it; braces that are meant as text are `{{ '{{' }}`");
                break;
            }
            expression(open, end);
            at = end + 2;
        }
        return out_;
    }

  private:
    /// The place of `offset`; offsets must not decrease from call to call.
    Place place(std::size_t offset) {
        if (!escaped_ && place_.line != 0) {
            place_ = advance(place_, text_.substr(passed_, offset - passed_));
            passed_ = offset;
        }
        return place_;
    }

    void mistake(std::string code, std::size_t offset, std::uint32_t length, std::string message,
                 std::string hint) {
        Place where = place(offset);
        if (!escaped_) {
            where.length = length;
        }
        diagnostics_.error(std::move(code), where, std::move(message), std::move(hint));
        ++mistakes_;
    }

    void plain(std::size_t from, std::size_t to) {
        if (from < to) {
            out_.parts_.emplace_back(std::string(text_.substr(from, to - from)));
            out_.spans_.push_back({from, to});
        }
    }

    void expression(std::size_t open, std::size_t end) {
        std::size_t begin = open + 2;
        const std::size_t first = text_.find_first_not_of(" \t\r\n", begin);
        if (first < end && text_[first] == '*') {
            if (open != 0 || end + 2 != text_.size()) {
                mistake("AMP1212", open, static_cast<std::uint32_t>(end + 2 - open),
                        "'{{ *… }}' must be the whole argument",
                        "it stands for as many arguments as the list has; join(list, \" \") makes one text "
                        "of it");
            }
            out_.spread_ = true;
            begin = first + 1;
        }
        auto parsed =
            Expression::parse(text_.substr(begin, end - begin), place(begin), diagnostics_, escaped_);
        if (!parsed) {
            ++mistakes_;
            return;
        }
        out_.parts_.emplace_back(std::move(*parsed));
        out_.spans_.push_back({open, end + 2});
    }

    std::string_view text_;
    Place place_;
    std::size_t passed_ = 0;
    bool escaped_;
    Diagnostics& diagnostics_;
    std::size_t mistakes_ = 0;
    TextTemplate out_;
};

std::optional<TextTemplate> TextTemplate::parse(std::string_view text, Place at, bool escaped,
                                                Diagnostics& diagnostics) {
    return Parser(text, at, escaped, diagnostics).run();
}

std::vector<Expression> TextTemplate::readable_expressions(std::string_view text, Place at, bool escaped) {
    Diagnostics told_before;
    return Parser(text, at, escaped, told_before).read().expressions();
}

bool TextTemplate::is_plain() const {
    return std::none_of(parts_.begin(), parts_.end(),
                        [](const Part& part) { return std::holds_alternative<Expression>(part); });
}

bool TextTemplate::is_single() const {
    return parts_.size() == 1 && std::holds_alternative<Expression>(parts_[0]);
}

std::vector<Expression> TextTemplate::expressions() const {
    std::vector<Expression> out;
    for (const Part& part : parts_) {
        if (const auto* expression = std::get_if<Expression>(&part)) {
            out.push_back(*expression);
        }
    }
    return out;
}

}  // namespace amp
