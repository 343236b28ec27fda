#include "core/flow/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_kept = 1000;
constexpr std::size_t k_columns = 100;  ///< of an excerpt
constexpr std::size_t k_context = 60;   ///< columns kept before the caret of a long line
constexpr std::size_t k_tab = 4;

/// The line of `source` with this number, without its end.
std::string_view source_line(std::string_view source, std::uint32_t line) {
    for (std::uint32_t n = 1; n < line; ++n) {
        const std::size_t end = source.find('\n');
        if (end == std::string_view::npos) {
            return {};
        }
        source.remove_prefix(end + 1);
    }
    source = source.substr(0, source.find('\n'));
    if (!source.empty() && source.back() == '\r') {
        source.remove_suffix(1);
    }
    return source;
}

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c == '\t' ? ' ' : c;
        }
    }
    return out;
}

/// What a terminal shows of one character, and how many columns it takes.
struct Cell {
    std::string shown;
    std::size_t width = 1;
    std::size_t bytes = 1;  ///< of the source
};

std::size_t column_width(char32_t c) {
    struct Range {
        char32_t first;
        char32_t last;
        std::size_t width;
    };
    static constexpr std::array<Range, 11> k_ranges = {{{0x300, 0x36F, 0},
                                                        {0x200B, 0x200D, 0},
                                                        {0xFE00, 0xFE0F, 0},
                                                        {0x1100, 0x115F, 2},
                                                        {0x2E80, 0xA4CF, 2},
                                                        {0xAC00, 0xD7A3, 2},
                                                        {0xF900, 0xFAFF, 2},
                                                        {0xFE30, 0xFE6F, 2},
                                                        {0xFF00, 0xFF60, 2},
                                                        {0x1F300, 0x1FAFF, 2},
                                                        {0x20000, 0x3FFFD, 2}}};
    const auto it = std::find_if(k_ranges.begin(), k_ranges.end(),
                                 [&](const Range& r) { return c >= r.first && c <= r.last; });
    return it == k_ranges.end() ? 1 : it->width;
}

Cell next_cell(std::string_view text, std::size_t column) {
    if (text.front() == '\t') {
        const std::size_t width = k_tab - column % k_tab;
        return {std::string(width, ' '), width, 1};
    }
    const auto first = static_cast<unsigned char>(text.front());
    std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (length > text.size() || !is_utf8(text.substr(0, length))) {
        length = 1;
    }
    std::string shown = printable(text.substr(0, length));
    if (length == 1 || shown != text.substr(0, length)) {
        const std::size_t width = shown.size();
        return {std::move(shown), width, length};
    }
    char32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return {std::move(shown), column_width(code), length};
}

struct Excerpt {
    std::string text;
    std::size_t caret = 0;   ///< columns before the caret
    std::size_t length = 1;  ///< columns of the caret line
};

/// The line around the caret: a window of k_columns.
Excerpt make_excerpt(std::string_view line, std::size_t column, std::size_t length) {
    std::size_t begin = column > 0 ? std::min(column - 1, line.size()) : 0;
    std::size_t cut = begin > k_context && line.size() > k_columns ? begin - k_context : 0;
    while (cut > 0 && cut < line.size() && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) {
        --cut;
    }
    Excerpt out;
    std::size_t width = 0;
    if (cut > 0) {
        out.text = "…";
        width = 1;
    }
    const std::size_t end = std::min(begin + std::max<std::size_t>(length, 1), line.size());
    out.caret = width;
    std::size_t caret_end = width;
    for (std::size_t i = cut; i < line.size();) {
        const Cell cell = next_cell(line.substr(i), width);
        if (width + cell.width > k_columns) {
            out.text += "…";
            break;
        }
        out.text += cell.shown;
        width += cell.width;
        i += cell.bytes;
        out.caret = i <= begin ? width : out.caret;
        caret_end = i <= end ? width : caret_end;
    }
    out.length = caret_end > out.caret ? caret_end - out.caret : 1;
    while (!out.text.empty() && out.text.back() == ' ') {
        out.text.pop_back();
    }
    return out;
}

std::string_view severity_name(Diagnostic::Severity severity) {
    return severity == Diagnostic::Severity::error ? "error" : "warning";
}

std::string indented(std::string_view text, std::string_view indent) {
    std::string out;
    for (const char c : printable(text)) {
        out += c;
        if (c == '\n') {
            out += indent;
        }
    }
    return out;
}

}  // namespace

void Diagnostics::error(std::string code, Place place, std::string message, std::string hint) {
    add({std::move(code), Diagnostic::Severity::error, std::move(message), place, std::move(hint), {}});
}

void Diagnostics::warning(std::string code, Place place, std::string message, std::string hint) {
    add({std::move(code), Diagnostic::Severity::warning, std::move(message), place, std::move(hint), {}});
}

void Diagnostics::add(Diagnostic diagnostic) {
    const std::pair place{diagnostic.place.line, diagnostic.place.column};
    const auto [begin, end] = by_place_.equal_range(place);
    if (std::any_of(begin, end, [&](const auto& known) { return list_[known.second] == diagnostic; })) {
        return;
    }
    errors_ += diagnostic.severity == Diagnostic::Severity::error ? 1 : 0;
    if (list_.size() < k_kept) {
        by_place_.emplace(place, list_.size());
        list_.push_back(std::move(diagnostic));
    } else {
        ++dropped_;
    }
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    std::vector<Diagnostic> out = list_;
    std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.file, a.place.line, a.place.column, a.code) <
               std::tie(b.file, b.place.line, b.place.column, b.code);
    });
    return out;
}

std::string render(const Diagnostic& diagnostic, std::string_view file, std::string_view source) {
    const Place& place = diagnostic.place;
    std::string out = fmt::format("{}[{}]: {}\n", severity_name(diagnostic.severity), diagnostic.code,
                                  one_line(diagnostic.message));
    const std::string_view name = diagnostic.file.empty() ? file : std::string_view(diagnostic.file);
    if (place.line == 0) {
        out += name.empty() ? "" : fmt::format("  --> {}\n", one_line(name));
    } else {
        out += fmt::format("  --> {}:{}:{}\n", one_line(name), place.line, place.column);
        const std::string_view line = source_line(source, place.line);
        if (!line.empty()) {
            const Excerpt excerpt = make_excerpt(line, place.column, place.length);
            const std::string number = std::to_string(place.line);
            const std::string gutter(number.size(), ' ');
            out += fmt::format("{} |\n{} | {}\n{} | {}^{}\n", gutter, number, excerpt.text, gutter,
                               std::string(excerpt.caret, ' '), std::string(excerpt.length - 1, '~'));
        }
    }
    if (!diagnostic.hint.empty()) {
        out += fmt::format("help: {}\n", indented(diagnostic.hint, "      "));
    }
    return out + fmt::format("see: amp explain {}\n", diagnostic.code);
}

Value to_value(const Diagnostic& diagnostic, std::string_view file, std::string_view source) {
    const Place& place = diagnostic.place;
    const std::string_view line = place.line == 0 ? std::string_view() : source_line(source, place.line);
    return Object{
        {"code", diagnostic.code},
        {"severity", severity_name(diagnostic.severity)},
        {"message", diagnostic.message},
        {"file", diagnostic.file.empty() ? std::string(file) : diagnostic.file},
        {"line", std::int64_t{place.line}},
        {"column", std::int64_t{place.column}},
        {"end_column", place.line == 0 ? std::int64_t{0} : std::int64_t{place.column} + place.length},
        {"excerpt", make_excerpt(line, place.column, place.length).text},
        {"hint", diagnostic.hint.empty() ? Value() : Value(diagnostic.hint)},
    };
}

}  // namespace amp
