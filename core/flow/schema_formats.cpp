#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "core/base/text.hpp"
#include "core/flow/expression.hpp"
#include "core/flow/params_pattern.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/timezones.hpp"

namespace amp::schema {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <class First, class Rest>
bool is_made_of(std::string_view text, std::size_t longest, First first, Rest rest) {
    return !text.empty() && text.size() <= longest && first(text.front()) &&
           std::all_of(text.begin() + 1, text.end(), rest);
}

bool is_number(std::string_view text) {
    text = trim(text);
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size();
}

std::optional<Mistake> flow_name(std::string_view text) {
    const auto rest = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
    if (is_made_of(text, 63, is_letter, rest)) {
        return std::nullopt;
    }
    return Mistake{"AMP1016", "is no name of a flow",
                   "letters, digits, '_' and '-', first a letter, at most 63"};
}

std::optional<Mistake> step_name(std::string_view text) {
    const auto rest = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
    if (!is_made_of(text, 63, is_lower, rest)) {
        return Mistake{"AMP1016", "is no name of a step",
                       "small letters, digits and '_', first a letter, at most 63"};
    }
    if (is_reserved_word(text)) {
        return Mistake{"AMP1017", "is a reserved word", fmt::format("call it '{}_step'", text)};
    }
    return std::nullopt;
}

std::optional<Mistake> loop_name(std::string_view text) {
    if (!is_identifier(text)) {
        return Mistake{"AMP1016", "is no name", "letters, digits and '_', first no digit"};
    }
    if (text != "item" && is_reserved_word(text)) {
        return Mistake{"AMP1017", "is a reserved word", "choose another name for the item"};
    }
    return std::nullopt;
}

std::optional<Mistake> profile(std::string_view text) {
    const auto rest = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
    if (is_made_of(
            text, 63, [](char c) { return is_letter(c) || is_digit(c); }, rest)) {
        return std::nullopt;
    }
    return Mistake{"AMP1016", "is no name of a profile", "letters, digits, '_', '-' and '.', at most 63"};
}

/// A path that stays where it is: relative, without "..".
std::optional<Mistake> relative(std::string_view text, bool output) {
    if (trim(text).empty()) {
        return Mistake{"AMP1023", "is no path", ""};
    }
    if (text.front() == '/') {
        return Mistake{"AMP1023", "is an absolute path",
                       output ? "give a path below $AMP_OUT, or with ./ below the working folder"
                              : "give a path within the project"};
    }
    bool named = false;
    for (const std::string_view part : split(text, '/')) {
        if (part == "..") {
            return Mistake{"AMP1023", "leaves its folder", "paths may not hold '..'"};
        }
        named = named || (!part.empty() && part != ".");
    }
    if (output && !named) {
        return Mistake{"AMP1023", "names no file", ""};
    }
    return std::nullopt;
}

std::optional<Mistake> secret(std::string_view text) {
    constexpr std::array<std::string_view, 5> k_sources = {"file:", "env:", "aws:", "kube:", "cmd:"};
    const auto source = std::find_if(k_sources.begin(), k_sources.end(),
                                     [&](std::string_view s) { return text.starts_with(s); });
    if (text.starts_with("aws:") || text.starts_with("kube:")) {
        return Mistake{"AMP1024", "is a source that is not in this version yet",
                       R"(say "file:…", "env:…" or "cmd:…")"};
    }
    if (source != k_sources.end() && text.size() > source->size()) {
        return std::nullopt;
    }
    return Mistake{"AMP1024", "is no source of a secret",
                   R"(say where it lies: "file:…", "env:…", "aws:…", "kube:…" or "cmd:…")"};
}

std::optional<Mistake> identifier(std::string_view text, std::string_view what) {
    if (is_identifier(text)) {
        return std::nullopt;
    }
    return Mistake{"AMP1016", fmt::format("is no {}", what), "letters, digits and '_', first no digit"};
}

/// A variable that a step gives its tasks: amp's own would hide it, or be hidden.
std::optional<Mistake> own_variable(std::string_view text) {
    constexpr std::array<std::string_view, 16> k_amps = {
        "AMP_RUN",    "AMP_FLOW",   "AMP_STEP",     "AMP_INDEX", "AMP_TASK",       "AMP_ATTEMPT",
        "AMP_ITEM",   "AMP_PARAMS", "AMP_IN",       "AMP_OUT",   "AMP_CHECKPOINT", "AMP_TASK_DIR",
        "AMP_SOCKET", "AMP_TOKEN",  "AMP_FAILURES", "AMP_ROUND"};
    constexpr std::array<std::string_view, 3> k_beginnings = {"amp_v", "AMP_V", "AMP_PARAM_"};
    const bool taken = std::find(k_amps.begin(), k_amps.end(), text) != k_amps.end() ||
                       std::any_of(k_beginnings.begin(), k_beginnings.end(),
                                   [&](std::string_view beginning) { return text.starts_with(beginning); });
    return taken ? std::optional(Mistake{"AMP1030", "is a variable of amp's own", "give it another name"})
                 : identifier(text, "name of an environment variable");
}

// Cron
// -------------------------------------------------------------------------------------------------------------

struct CronField {
    std::string_view name;
    int min;
    int max;
    std::span<const std::string_view> names;  ///< names[i] stands for min + i
};
constexpr std::array<std::string_view, 12> k_months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> k_days = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<CronField, 5> k_cron_fields = {{
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day of the month", 1, 31, {}},
    {"month", 1, 12, k_months},
    {"day of the week", 0, 7, k_days},
}};

std::optional<int> cron_number(std::string_view text, const CronField& field) {
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (lower(text) == field.names[i]) {
            return field.min + static_cast<int>(i);
        }
    }
    int number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = failed == std::errc() && end == text.data() + text.size();
    return whole && number >= field.min && number <= field.max ? std::optional(number) : std::nullopt;
}

bool is_cron_part(std::string_view part, const CronField& field) {
    if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
        const std::string_view step = part.substr(slash + 1);
        const bool digits =
            !step.empty() && step.size() <= 3 && std::all_of(step.begin(), step.end(), is_digit);
        if (!digits || step.find_first_not_of('0') == std::string_view::npos) {
            return false;
        }
        part = part.substr(0, slash);
    }
    if (part == "*" || (part == "?" && field.names.empty() == (field.max == 31))) {
        return true;
    }
    const std::size_t dash = part.find('-');
    const auto from = cron_number(part.substr(0, dash), field);
    if (dash == std::string_view::npos) {
        return from.has_value();
    }
    const auto to = cron_number(part.substr(dash + 1), field);
    return from && to && *from <= *to;
}

std::optional<Mistake> cron(std::string_view text) {
    constexpr std::array<std::string_view, 7> k_words = {"@yearly", "@annually", "@monthly", "@weekly",
                                                         "@daily",  "@midnight", "@hourly"};
    if (text.starts_with('@')) {
        if (std::find(k_words.begin(), k_words.end(), text) != k_words.end()) {
            return std::nullopt;
        }
        const auto nearest = did_you_mean(text, std::vector<std::string>(k_words.begin(), k_words.end()));
        return Mistake{"AMP1021", "is no schedule",
                       nearest ? fmt::format("did you mean '{}'?", *nearest)
                               : "@hourly, @daily, @weekly, @monthly or @yearly"};
    }
    std::vector<std::string_view> fields;
    for (const std::string_view field : split(text, ' ')) {
        if (!field.empty()) {
            fields.push_back(field);
        }
    }
    if (fields.size() != k_cron_fields.size()) {
        return Mistake{"AMP1021", fmt::format("has {} fields, not 5", fields.size()),
                       "minute, hour, day, month, day of the week: \"0 2 * * *\""};
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
        for (const std::string_view part : split(fields[i], ',')) {
            if (!is_cron_part(part, k_cron_fields[i])) {
                return Mistake{"AMP1021", fmt::format("has '{}' as its {}", fields[i], k_cron_fields[i].name),
                               fmt::format("from {} to {}, *, lists and steps", k_cron_fields[i].min,
                                           k_cron_fields[i].max)};
            }
        }
    }
    return std::nullopt;
}

std::optional<Mistake> timezone(std::string_view text) {
    if (is_timezone(text)) {
        return std::nullopt;
    }
    const auto nearest = nearest_timezone(text);
    return Mistake{"AMP1022", "is no time zone",
                   nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                           : R"(an IANA name such as "Europe/Berlin" or "UTC")"};
}

}  // namespace

bool is_identifier(std::string_view text) {
    return is_made_of(
        text, 128, [](char c) { return is_letter(c) || c == '_'; },
        [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::optional<Mistake> find_mistake(std::string_view text, Format format) {
    switch (format) {
        case Format::none:
        case Format::expression:
            return std::nullopt;
        case Format::filled:
            return trim(text).empty() ? std::optional(Mistake{"AMP1015", "is empty", ""}) : std::nullopt;
        case Format::flow_name:
            return flow_name(text);
        case Format::step_name:
            return step_name(text);
        case Format::loop_name:
            return loop_name(text);
        case Format::identifier:
            return identifier(text, "name");
        case Format::variable:
            return identifier(text, "name of an environment variable");
        case Format::own_variable:
            return own_variable(text);
        case Format::profile:
            return profile(text);
        case Format::duration:
            return parse_duration(text)
                       ? std::nullopt
                       : std::optional(
                             Mistake{"AMP1018", "is no duration",
                                     R"(write "90s", "15m", "1h30m" or "2d", or a number of seconds)"});
        case Format::size:
            return parse_size(text)
                       ? std::nullopt
                       : std::optional(Mistake{"AMP1019", "is no size",
                                               R"(write "64G" (10⁹ bytes each) or "64Gi" (2³⁰))"});
        case Format::cron:
            return cron(text);
        case Format::timezone:
            return timezone(text);
        case Format::output:
            return relative(text, true);
        case Format::relative:
            return relative(text, false);
        case Format::secret:
            return secret(text);
        case Format::pattern: {
            const auto mistake = pattern_mistake(text);
            return mistake ? std::optional(Mistake{"AMP1025",
                                                   fmt::format("is no regular expression: {}", *mistake), ""})
                           : std::nullopt;
        }
        case Format::template_only:
            return Mistake{"AMP1011", "is a text",
                           is_number(text) ? "write it without quotes"
                                           : "write a number, or an expression: \"{{ params.n }}\""};
    }
    return std::nullopt;
}

}  // namespace amp::schema
