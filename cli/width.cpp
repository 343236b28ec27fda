#include "cli/width.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace amp {
namespace {

struct Range {
    char32_t first;
    char32_t last;
};

// Of Unicode 15, whole blocks where nearly all of one is so: what people write, not every script.
constexpr std::array<Range, 42> k_no_columns = {{
    {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},   {0x64B, 0x65F},
    {0x6D6, 0x6DC},   {0x6DF, 0x6E4},   {0x711, 0x711},   {0x730, 0x74A},   {0x7A6, 0x7B0},
    {0x816, 0x82D},   {0x8D3, 0x902},   {0x93A, 0x93A},   {0x93C, 0x93C},   {0x941, 0x948},
    {0x94D, 0x94D},   {0x951, 0x957},   {0x981, 0x981},   {0x9BC, 0x9BC},   {0x9C1, 0x9C4},
    {0x9CD, 0x9CD},   {0xA01, 0xA02},   {0xA3C, 0xA51},   {0xB3C, 0xB3F},   {0xBC0, 0xBCD},
    {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},   {0xEB1, 0xEBC},   {0xF71, 0xF84},
    {0x1160, 0x11FF}, {0x135D, 0x135F}, {0x17B4, 0x17D3}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20F0}, {0x302A, 0x302D},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
}};
constexpr std::array<Range, 35> k_two_columns = {{
    {0x1100, 0x115F}, {0x231A, 0x231B}, {0x2329, 0x232A}, {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3}, {0x25FD, 0x25FE}, {0x2614, 0x2615}, {0x2648, 0x2653},   {0x267F, 0x267F},
    {0x2693, 0x2693}, {0x26A1, 0x26A1}, {0x26CE, 0x26CE}, {0x26D4, 0x26D4},   {0x2705, 0x2705},
    {0x270A, 0x270B}, {0x2728, 0x2728}, {0x274C, 0x274C}, {0x2753, 0x2757},   {0x2795, 0x2797},
    {0x27B0, 0x27B0}, {0x27BF, 0x27BF}, {0x2B1B, 0x2B1C}, {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
    {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD},
}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t character) {
    const auto next = std::upper_bound(ranges.begin(), ranges.end(), character,
                                       [](char32_t c, const Range& range) { return c < range.first; });
    return next != ranges.begin() && character <= std::prev(next)->last;
}

std::size_t columns_of(char32_t character) {
    if (character < 0x300) {
        return 1;
    }
    return is_in(k_no_columns, character) ? 0 : is_in(k_two_columns, character) ? 2 : 1;
}

/// Takes the next character off `text`; what is no UTF-8 is taken byte by byte.
char32_t take(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    length = std::min(length, text.size());
    char32_t out = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        out = (out << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    text.remove_prefix(length);
    return out;
}

/// How many bytes of `text` fit into `width` columns.
std::size_t bytes_in(std::string_view text, std::size_t width) {
    const std::size_t all = text.size();
    std::size_t used = 0;
    while (!text.empty()) {
        std::string_view rest = text;
        used += columns_of(take(rest));
        if (used > width) {
            break;
        }
        text = rest;
    }
    return all - text.size();
}

std::string cut_at(std::string_view text, std::size_t width, bool unicode, bool middle) {
    const std::size_t all = display_width(text);
    if (all <= width) {
        return std::string(text);
    }
    const std::string_view mark = unicode ? "…" : "...";
    const std::size_t keep = width - std::min(width, display_width(mark));
    const std::size_t end = middle ? keep / 2 : 0;
    std::string out(text.substr(0, bytes_in(text, keep - end)));
    out += mark;
    while (end > 0 && display_width(text) > end) {
        take(text);
    }
    return out + std::string(end > 0 ? text : std::string_view());
}

}  // namespace

std::size_t display_width(std::string_view text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
        return text.size();
    }
    std::size_t width = 0;
    while (!text.empty()) {
        width += columns_of(take(text));
    }
    return width;
}

std::string cut(std::string_view text, std::size_t width, bool unicode) {
    return cut_at(text, width, unicode, false);
}

std::string cut_middle(std::string_view text, std::size_t width, bool unicode) {
    return cut_at(text, width, unicode, true);
}

}  // namespace amp
