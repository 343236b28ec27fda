#include "core/flow/toml_document_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/text.hpp"

namespace amp::toml_guard {
namespace {

constexpr std::size_t k_max_bytes = std::size_t{8} << 20;
constexpr int k_max_depth = 64;
constexpr std::size_t k_checkpoint = 64;

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Walks once over a text; knows strings and comments as TOML has them.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    Outline scan() {
        while (at_ < text_.size() && !outline_.too_deep) {
            step();
        }
        if (!outline_.open && !brackets_.empty()) {
            outline_.open = brackets_.back();
        }
        return outline_;
    }

  private:
    void step() {
        const char c = text_[at_];
        switch (c) {
            case '#':
                at_ = std::min(text_.find('\n', at_), text_.size());
                return;
            case '"':
            case '\'':
                skip_string(c);
                return;
            case '[':
            case '{':
                brackets_.push_back(at_);
                dots_ = 0;
                note_depth(brackets_.size());
                break;
            case ']':
            case '}':
                close(c);
                break;
            case '.':
                note_depth(++dots_);
                break;
            case '\n':
            case '=':
            case ',':
                dots_ = 0;
                break;
            default:
                break;
        }
        ++at_;
    }

    void close(char bracket) {
        const char wanted = bracket == ']' ? '[' : '{';
        if (!outline_.mismatched && (brackets_.empty() || text_[brackets_.back()] != wanted)) {
            outline_.mismatched = at_;
        }
        if (!brackets_.empty()) {
            brackets_.pop_back();
        }
    }

    void note_depth(std::size_t depth) {
        if (depth > k_max_depth) {
            outline_.too_deep = at_;
        }
    }

    void skip_string(char quote) {
        const std::size_t begin = at_;
        const std::string three(3, quote);
        const bool multi_line = text_.substr(at_, 3) == three;
        at_ += multi_line ? 3 : 1;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                at_ += 2;
            } else if (!multi_line && (c == quote || c == '\n')) {
                at_ += c == quote ? 1 : 0;
                return;
            } else if (multi_line && text_.substr(at_, 3) == three) {
                at_ += 3;
                // Up to two quotes more belong to the text: """He said "hi"""""
                for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) {
                    ++at_;
                }
                return;
            } else {
                ++at_;
            }
        }
        at_ = text_.size();
        outline_.open = begin;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t dots_ = 0;
    std::vector<std::size_t> brackets_;
    Outline outline_;
};

/// Offset of the first byte that no text file has; nullopt: none.
std::optional<std::size_t> first_binary(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == 0) {
            return i;
        }
        std::size_t length = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        if (c >= 0x80 && !is_utf8(text.substr(i, length))) {
            return i;
        }
        i += length;
    }
    return std::nullopt;
}

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '"' || c == '\'' || c == ' ' || c == '\t';
}

bool is_header(std::string_view line) {
    const std::string_view rest = trim(line);
    if (rest.empty() || rest.front() != '[') {
        return false;
    }
    const std::size_t begin = rest.substr(0, 2) == "[[" ? 2 : 1;
    std::size_t end = begin;
    while (end < rest.size() && is_key_character(rest[end])) {
        ++end;
    }
    if (end == begin) {
        return false;
    }
    const std::string_view behind = trim(rest.substr(end));
    // A header that was never closed counts as one: it is then what is wrong.
    return behind.empty() || behind == "]" || behind == "]]" || behind.starts_with("] #") ||
           behind.starts_with("]] #");
}

bool is_statement(std::string_view line) {
    if (is_header(line)) {
        return true;
    }
    std::size_t end = 0;
    while (end < line.size() && is_key_character(line[end])) {
        ++end;
    }
    return end > 0 && end < line.size() && line[end] == '=' && line.substr(end, 2) != "==" &&
           !trim(line.substr(0, end)).empty();
}

}  // namespace

PlaceMap::PlaceMap(std::string_view text) : text_(text) {
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    std::size_t code_points = 0;
    line_starts_.push_back(0);
    if (!ascii) {
        line_code_points_.push_back(0);
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!ascii && !is_continuation(text[i])) {
            if (code_points % k_checkpoint == 0) {
                checkpoints_.push_back(i);
            }
            ++code_points;
        }
        if (text[i] == '\n') {
            line_starts_.push_back(i + 1);
            if (!ascii) {
                line_code_points_.push_back(code_points);
            }
        }
    }
}

std::size_t PlaceMap::line_start(std::uint32_t number) const {
    if (number == 0) {
        return 0;
    }
    return number <= line_starts_.size() ? line_starts_[number - 1] : text_.size();
}

std::string_view PlaceMap::line(std::uint32_t number) const {
    const std::size_t begin = line_start(number);
    const std::size_t next = line_start(number + 1);
    std::string_view line = text_.substr(begin, next - begin);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    return line;
}

std::size_t PlaceMap::offset(std::uint32_t line, std::uint32_t column_in_code_points) const {
    const std::size_t start = line_start(line);
    const std::size_t column = column_in_code_points == 0 ? 0 : column_in_code_points - 1;
    if (checkpoints_.empty() || line == 0 || line > line_starts_.size()) {
        return std::min(start + column, text_.size());
    }
    const std::size_t wanted = line_code_points_[line - 1] + column;
    if (wanted / k_checkpoint >= checkpoints_.size()) {
        return text_.size();
    }
    std::size_t at = checkpoints_[wanted / k_checkpoint];
    for (std::size_t left = wanted % k_checkpoint; left > 0 && at < text_.size(); --left) {
        ++at;
        while (at < text_.size() && is_continuation(text_[at])) {
            ++at;
        }
    }
    return at;
}

Place PlaceMap::place_of(std::size_t offset) const {
    const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    const auto line = static_cast<std::uint32_t>(next - line_starts_.begin());
    return {
        .line = line, .column = static_cast<std::uint32_t>(offset - line_starts_[line - 1] + 1), .length = 1};
}

Place PlaceMap::place_of(std::size_t offset, std::uint32_t likely_line) const {
    const bool there = likely_line > 0 && likely_line < line_starts_.size() &&
                       line_starts_[likely_line - 1] <= offset && offset < line_starts_[likely_line];
    if (!there) {
        return place_of(offset);
    }
    const auto column = static_cast<std::uint32_t>(offset - line_starts_[likely_line - 1] + 1);
    return {.line = likely_line, .column = column, .length = 1};
}

Outline outline(std::string_view text) {
    return Scanner(text).scan();
}

bool check(std::string_view text, const PlaceMap& places, Diagnostics& diagnostics) {
    if (text.size() > k_max_bytes) {
        diagnostics.error(
            "AMP1003", {},
            fmt::format("the file has {}, more than the 8 MiB that are read", format_size(text.size())),
            "keep data in files of their own and name them in [config] or [params]");
        return false;
    }
    if (const auto binary = first_binary(text)) {
        const auto byte = static_cast<unsigned char>(text[*binary]);
        diagnostics.error("AMP1004", places.place_of(*binary),
                          byte == 0 ? "the file holds a NUL byte, so it is no text"
                                    : fmt::format("the byte 0x{:02x} is not valid UTF-8", byte),
                          "save the file as UTF-8 text");
        return false;
    }
    if (const auto deep = outline(text).too_deep) {
        diagnostics.error("AMP1005", places.place_of(*deep),
                          fmt::format("nested more than {} levels deep", k_max_depth),
                          "keep deep data in a file of its own and name it in [config]");
        return false;
    }
    return true;
}

namespace {

/// Finds the lines that go with a syntax error.
class Statements {
  public:
    Statements(std::string_view text, const PlaceMap& places)
        : text_(text), places_(places), last_(static_cast<std::uint32_t>(places.line_count())) {}

    /// The first and last line of what goes with a syntax error in `line`.
    std::pair<std::uint32_t, std::uint32_t> range(std::uint32_t line) const {
        line = std::clamp<std::uint32_t>(line, 1, last_);
        std::uint32_t begin = statement_before(line);
        std::uint32_t end = line;
        if (unclosed_before(line)) {
            begin = statement_before(line - 1);
            end = line - 1;
        }
        const bool section = is_header(line_now(begin));
        while (end < last_ && !(section ? is_header(line_now(end + 1)) : is_statement(line_now(end + 1)))) {
            ++end;
        }
        return {begin, section || end < line ? end : closing_line(begin, end)};
    }

    /// A list or string that was opened before and never closed makes the next statement look wrong.
    std::optional<std::size_t> unclosed_before(std::uint32_t line) const {
        if (line <= 1 || line > last_ || statement_before(line) != line) {
            return std::nullopt;
        }
        const std::uint32_t before = statement_before(line - 1);
        const auto open = outline(lines(before, line - 1)).open;
        return open ? std::optional(places_.line_start(before) + *open) : std::nullopt;
    }

  private:
    std::string_view line_now(std::uint32_t number) const {
        return text_.substr(places_.line_start(number), places_.line(number).size());
    }
    std::string_view lines(std::uint32_t begin, std::uint32_t end) const {
        const std::size_t offset = places_.line_start(begin);
        return text_.substr(offset, places_.line_start(end + 1) - offset);
    }
    std::uint32_t statement_before(std::uint32_t from) const {
        while (from > 1 && !is_statement(line_now(from))) {
            --from;
        }
        return from;
    }

    /// Where the brackets that are open after `end` are closed, if that is near and in the same section; else
    /// `end`.
    std::uint32_t closing_line(std::uint32_t begin, std::uint32_t end) const {
        constexpr std::uint32_t k_near = 60;
        constexpr std::size_t k_short = std::size_t{16} << 10;  // looked through again for each line
        if (lines(begin, end).size() > k_short || !outline(lines(begin, end)).open) {
            return end;
        }
        for (std::uint32_t line = end + 1;
             line <= last_ && line <= end + k_near && !is_header(line_now(line)); ++line) {
            if (!outline(lines(begin, line)).open) {
                return line;
            }
        }
        return end;
    }

    std::string_view text_;
    const PlaceMap& places_;
    std::uint32_t last_;
};

}  // namespace

std::optional<std::size_t> unclosed_before(std::string_view text, const PlaceMap& places,
                                           std::uint32_t line) {
    return Statements(text, places).unclosed_before(line);
}

namespace {

/// Overwrites by spaces; ends of lines stay. @return whether there was anything
bool blank(std::string& text, std::size_t begin, std::size_t end) {
    bool changed = false;
    for (std::size_t i = begin; i < end; ++i) {
        if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ') {
            text[i] = ' ';
            changed = true;
        }
    }
    return changed;
}

/// How many names "[a.'b.c']" has.
std::size_t names_in(std::string_view header) {
    std::size_t names = 1;
    char quote = 0;
    for (const char c : header.substr(0, header.find('#'))) {
        if (quote != 0) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else {
            names += c == '.' ? 1 : 0;
        }
    }
    return names;
}

}  // namespace

bool blank_statement(std::string& text, const PlaceMap& places, std::uint32_t line) {
    const auto [begin, end] = Statements(text, places).range(line);
    return blank(text, places.line_start(begin), places.line_start(end + 1));
}

std::optional<Section> take_section(std::string& text, const PlaceMap& places, std::uint32_t line) {
    const auto line_now = [&](std::uint32_t number) {
        return trim(std::string_view(text).substr(places.line_start(number), places.line(number).size()));
    };
    const std::string header(line_now(line));
    const std::size_t close = header.find(']');
    if (!is_header(header) || header.starts_with("[[") || close == std::string::npos) {
        return std::nullopt;
    }
    const std::string below = header.substr(0, close) + ".";
    std::uint32_t end = line + 1;
    while (end <= places.line_count() && (!is_header(line_now(end)) || line_now(end).starts_with(below))) {
        ++end;
    }
    Section section{text, names_in(header)};
    blank(section.text, 0, places.line_start(line));
    blank(section.text, places.line_start(end), text.size());
    return blank(text, places.line_start(line), places.line_start(end)) ? std::optional(std::move(section))
                                                                        : std::nullopt;
}

}  // namespace amp::toml_guard
