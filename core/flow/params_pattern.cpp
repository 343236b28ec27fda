#include "core/flow/params_pattern.hpp"

#include <regex>

namespace amp {
namespace {

constexpr std::size_t k_max_pattern = 512;
constexpr std::size_t k_max_text = 4096;

std::regex compile(std::string_view pattern) {
    // The polynomial matcher walks all alternatives at once: no pattern can hang it, and its depth is
    // bounded.
    return {pattern.data(), pattern.size(), std::regex::ECMAScript | std::regex_constants::__polynomial};
}

}  // namespace

std::optional<std::string> pattern_mistake(std::string_view pattern) {
    if (pattern.size() > k_max_pattern) {
        return "it is longer than 512 bytes";
    }
    try {
        compile(pattern);
    } catch (const std::regex_error& error) {
        switch (error.code()) {
            case std::regex_constants::error_paren:
                return "a parenthesis is not closed";
            case std::regex_constants::error_brack:
                return "a [ is not closed";
            case std::regex_constants::error_brace:
            case std::regex_constants::error_badbrace:
                return "wrong { }";
            case std::regex_constants::error_range:
                return "a range such as [b-a] is the wrong way round";
            case std::regex_constants::error_escape:
                return "an unknown escape";
            case std::regex_constants::error_badrepeat:
                return "nothing before *, + or ?";
            case std::regex_constants::error_complexity:
                return "references back to a group are not possible";
            case std::regex_constants::error_space:
                return "it is too large";
            default:
                return "it cannot be read";
        }
    }
    return std::nullopt;
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
    if (text.size() > k_max_text || pattern_mistake(pattern)) {
        return false;
    }
    return std::regex_search(text.begin(), text.end(), compile(pattern));
}

}  // namespace amp
