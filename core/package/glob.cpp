#include "core/package/glob.hpp"

#include <cstdint>

#include "core/base/text.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {
namespace {

using Position = std::size_t;
constexpr Position k_none = std::string_view::npos;

struct Letter {
    std::uint32_t code = 0;
    std::size_t size = 1;
};

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// The letter at `at`; a byte that begins none counts as itself, beyond all Unicode.
Letter letter_at(std::string_view text, Position at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0;
    if (size == 1) {
        return {first, 1};
    }
    if (size == 0 || at + size > text.size()) {
        return {0x200000U + first, 1};
    }
    std::uint32_t code = first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (!continues(text[at + i])) {
            return {0x200000U + first, 1};
        }
        code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    return {code, size};
}

/// The position behind the `]` that closes the class at `at`; k_none when nothing does.
Position class_end(std::string_view pattern, Position at) {
    Position i = at + 1;
    if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) {
        ++i;
    }
    for (bool first = true; i < pattern.size(); ++i, first = false) {
        if (pattern[i] == ']' && !first) {
            return i + 1;
        }
        if (pattern[i] == '\\') {
            ++i;
        }
    }
    return k_none;
}

/// A letter within a class, `\` resolved; moves `at` behind it.
std::uint32_t class_letter(std::string_view body, Position& at) {
    if (body[at] == '\\' && at + 1 < body.size()) {
        ++at;
    }
    const Letter letter = letter_at(body, at);
    at += letter.size;
    return letter.code;
}

/// @param body between the brackets
bool class_holds(std::string_view body, std::uint32_t code) {
    const bool negated = !body.empty() && (body.front() == '!' || body.front() == '^');
    bool held = false;
    for (Position i = negated ? 1 : 0; i < body.size();) {
        const std::uint32_t low = class_letter(body, i);
        std::uint32_t high = low;
        if (i + 1 < body.size() && body[i] == '-') {
            ++i;
            high = class_letter(body, i);
        }
        held = held || (low <= code && code <= high);
    }
    return held != negated;
}

/// One element of the pattern (not `*`) against one letter: how far each goes; nothing when they do not
/// match.
struct Step {
    std::size_t pattern = 0;
    std::size_t name = 0;
    explicit operator bool() const { return name != 0; }
};
Step match_one(std::string_view pattern, Position p, std::string_view name, Position n) {
    const Letter letter = letter_at(name, n);
    if (pattern[p] == '?') {
        return {1, letter.size};
    }
    if (pattern[p] == '[') {
        if (const Position end = class_end(pattern, p); end != k_none) {
            const bool held = class_holds(pattern.substr(p + 1, end - p - 2), letter.code);
            return held ? Step{end - p, letter.size} : Step{};
        }
    }
    const std::size_t escape = pattern[p] == '\\' && p + 1 < pattern.size() ? 1 : 0;
    return pattern[p + escape] == name[n] ? Step{1 + escape, 1} : Step{};
}

/// A part of a glob against a part of a path. To go back to the last `*` alone is enough: what an earlier one
/// could take more, the last one can take too.
bool part_matches(std::string_view pattern, std::string_view name) {
    Position p = 0;
    Position n = 0;
    Position star = k_none;
    Position star_name = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_name = n;
            continue;
        }
        if (const Step step = p < pattern.size() ? match_one(pattern, p, name, n) : Step{}) {
            p += step.pattern;
            n += step.name;
        } else if (star != k_none) {
            p = star;
            star_name += letter_at(name, star_name).size;
            n = star_name;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == k_none;
}

/// The same one level up, where `**` is what `*` is within a part.
bool parts_match(const std::vector<std::string>& pattern, std::string_view path, bool with_contents) {
    if (pattern.size() == 1 && path.find('/') == k_none) {
        return part_matches(pattern[0], path);  // most rules and names: nothing to allocate
    }
    const std::vector<std::string_view> names = split(path, '/');
    Position p = 0;
    Position n = 0;
    Position star = k_none;
    Position star_name = 0;
    while (n < names.size()) {
        if (p == pattern.size() && with_contents) {
            return true;
        }
        if (p < pattern.size() && pattern[p] == "**") {
            star = ++p;
            star_name = n;
        } else if (p < pattern.size() && part_matches(pattern[p], names[n])) {
            ++p;
            ++n;
        } else if (star != k_none) {
            p = star;
            n = ++star_name;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == "**") {
        ++p;
    }
    return p == pattern.size();
}

}  // namespace

Glob::Glob(std::string_view pattern) {
    while (pattern.starts_with("/") || pattern.starts_with("./")) {
        pattern.remove_prefix(pattern.find('/') + 1);
    }
    for (const std::string_view part : split(pattern, '/')) {
        if (!part.empty()) {
            parts_.emplace_back(part);
        }
    }
}

bool Glob::matches(std::string_view path) const {
    return !parts_.empty() && parts_match(parts_, path, true);
}

bool Glob::matches_exactly(std::string_view path) const {
    return !parts_.empty() && parts_match(parts_, path, false);
}

bool glob_matches(std::string_view glob, std::string_view path) {
    return Glob(glob).matches(path);
}

}  // namespace amp
