#include "core/python/encoding.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/base/text.hpp"

namespace amp::python {
namespace {

constexpr std::size_t k_max_size = std::size_t{8} << 20;

struct Coding {
    std::string name;  ///< empty: none is said
    Place place;
};

bool names_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/// `# -*- coding: latin-1 -*-` in a line that is but a comment.
Coding coding_in(std::string_view line, std::uint32_t number) {
    const std::size_t hash = line.find_first_not_of(" \t\f");
    if (hash == std::string_view::npos || line[hash] != '#') {
        return {};
    }
    for (std::size_t at = line.find("coding", hash); at != std::string_view::npos;
         at = line.find("coding", at + 1)) {
        std::size_t i = at + 6;
        if (i >= line.size() || (line[i] != ':' && line[i] != '=')) {
            continue;
        }
        i = std::min(line.find_first_not_of(" \t", i + 1), line.size());
        std::size_t end = i;
        while (end < line.size() && names_part(line[end])) {
            ++end;
        }
        if (end > i) {
            return {std::string(line.substr(i, end - i)),
                    {number, static_cast<std::uint32_t>(i + 1), static_cast<std::uint32_t>(end - i)}};
        }
    }
    return {};
}

/// It stands in the first line, or in the second when the first says nothing.
Coding coding_of(std::string_view text) {
    for (std::uint32_t number = 1; number <= 2 && !text.empty(); ++number) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        const std::string_view line = text.substr(0, end);
        if (Coding coding = coding_in(line, number); !coding.name.empty()) {
            return coding;
        }
        const std::size_t first = line.find_first_not_of(" \t\f");
        if (first != std::string_view::npos && line[first] != '#') {
            return {};
        }
        text.remove_prefix(std::min(end + (text.substr(end).starts_with("\r\n") ? 2 : 1), text.size()));
    }
    return {};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// What the name of an encoding means for `text`: those that agree with ASCII are fine where that is all
/// there is.
bool can_be_read(std::string name, std::string_view text) {
    std::replace(name.begin(), name.end(), '_', '-');
    name = lower(name);
    if (name == "utf-8" || name == "utf8" || name == "u8" || name.starts_with("utf-8-")) {
        return true;
    }
    constexpr auto k_of_ascii = std::to_array<std::string_view>(
        {"ascii", "us-ascii", "latin", "l1", "iso-8859", "iso8859", "cp125", "windows-125"});
    return is_ascii(text) && std::any_of(k_of_ascii.begin(), k_of_ascii.end(),
                                         [&](std::string_view one) { return name.starts_with(one); });
}

/// Where the text is no longer UTF-8, or has a NUL byte.
Place broken_place(std::string_view text) {
    Place at{1, 1, 1};
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (first == 0 || !is_utf8(text.substr(i, length))) {
            break;
        }
        at.column += static_cast<std::uint32_t>(length);
        i += length;
        if (first == '\n') {
            ++at.line;
            at.column = 1;
        }
    }
    return at;
}

}  // namespace

bool check_encoding(std::string_view text, Diagnostics& diagnostics) {
    if (text.size() > k_max_size) {
        diagnostics.error("AMP1003", {}, "the file has more than 8 MiB", "keep data in files of its own");
        return false;
    }
    if (text.starts_with("\xef\xbb\xbf")) {
        text.remove_prefix(3);
    }
    const Coding coding = coding_of(text);
    if (!coding.name.empty() && !can_be_read(coding.name, text)) {
        diagnostics.error("AMP3002", coding.place,
                          "the file is said to be in '" + printable(coding.name) + "', not in UTF-8",
                          "save it as UTF-8, and remove the coding comment");
        return false;
    }
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
        const Place place = broken_place(text);
        diagnostics.error("AMP1004", place,
                          "the file is no text: it has a NUL byte, or bytes that are not UTF-8",
                          "save it as UTF-8");
        return false;
    }
    return true;
}

}  // namespace amp::python
