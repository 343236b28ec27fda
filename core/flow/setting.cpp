#include "core/flow/setting.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/first_error.hpp"

namespace amp {
namespace {

std::string shown(const Value& value) {
    std::string text = value.is_string() ? value.as_string() : json::dump(value);
    if (text.size() > 60) {
        text = text.substr(0, 57) + "...";
    }
    return printable(text);
}

[[noreturn]] void refuse(std::string_view key, const Value& value, std::string_view wanted,
                         std::string hint = {}) {
    throw Error(ExitCode::invalid, fmt::format("{} must be {}, not '{}'", key, wanted, shown(value)),
                std::string(key), std::move(hint));
}

Value render_template(const TextTemplate& text, const Scope& scope) {
    if (text.is_single() && !text.is_spread()) {
        return std::get<Expression>(text.parts().front()).evaluate(scope);
    }
    std::string out;
    for (const TextTemplate::Part& part : text.parts()) {
        const auto* expression = std::get_if<Expression>(&part);
        out += expression != nullptr ? value_text(expression->evaluate(scope)) : std::get<std::string>(part);
    }
    return out;
}

/// Calls `use` for each text with `{{ }}` within `value`, and returns the value with what it gave.
template <class Use>
Value walk(const Value& value, const Use& use) {
    if (value.is_string()) {
        return has_expression(value.as_string()) ? use(value.as_string()) : value;
    }
    if (value.is_list()) {
        List out;
        for (const Value& entry : value.as_list()) {
            out.push_back(walk(entry, use));
        }
        return out;
    }
    if (value.is_object()) {
        Object out;
        for (const auto& [key, member] : value.as_object()) {
            out.emplace(key, walk(member, use));
        }
        return out;
    }
    return value;
}

/// The number in a value: also a text, which is what an environment variable or parameter may give.
std::optional<double> numeric(const Value& value) {
    if (value.is_number()) {
        return value.as_float();
    }
    if (!value.is_string()) {
        return std::nullopt;
    }
    const std::string_view text = trim(value.as_string());
    double out = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(out)
                                                                                      : std::nullopt;
}

}  // namespace

bool has_expression(std::string_view text) {
    return text.find("{{") != std::string_view::npos;
}

Value evaluate(const Setting& setting, const Scope& scope) {
    if (setting.text) {
        return render_template(*setting.text, scope);
    }
    return walk(setting.value, [&](const std::string& text) -> Value {
        Diagnostics diagnostics;
        const auto parsed = TextTemplate::parse(text, setting.place, true, diagnostics);
        if (!parsed) {
            const Diagnostic first = first_error(diagnostics);
            throw Error(ExitCode::invalid, first.message, text, first.hint);
        }
        return render_template(*parsed, scope);
    });
}

std::vector<Expression> expressions_of(const Setting& setting, Diagnostics& diagnostics) {
    if (setting.text) {
        return setting.text->expressions();
    }
    std::vector<Expression> out;
    walk(setting.value, [&](const std::string& text) -> Value {
        if (const auto parsed = TextTemplate::parse(text, setting.place, true, diagnostics)) {
            const auto found = parsed->expressions();
            out.insert(out.end(), found.begin(), found.end());
        }
        return {};
    });
    return out;
}

double duration_s(const Value& value, std::string_view key) {
    const auto seconds = value.is_string() ? parse_duration(value.as_string()) : numeric(value);
    if (!seconds || !std::isfinite(*seconds) || *seconds < 0) {
        refuse(key, value, "a duration", "write \"1h30m\", \"90s\", or a number of seconds");
    }
    return *seconds;
}

std::uint64_t size_bytes(const Value& value, std::string_view key) {
    const auto bytes = value.is_string() ? parse_size(value.as_string()) : std::nullopt;
    if (!bytes) {
        const bool bare = numeric(value).has_value();
        refuse(key, value, "a size with its unit",
               bare ? fmt::format("write \"{0}Gi\" (2^30) or \"{0}G\" (10^9)", shown(value))
                    : "write \"64G\" (10^9) or \"64Gi\" (2^30)");
    }
    return *bytes;
}

std::int64_t whole_number(const Value& value, std::string_view key, std::int64_t min, std::int64_t max) {
    std::optional<std::int64_t> out;
    if (value.is_int()) {
        out = value.as_int();
    } else if (const auto real = numeric(value);
               real && std::trunc(*real) == *real && std::abs(*real) < 9e15) {
        out = static_cast<std::int64_t>(*real);
    }
    if (!out || *out < min || *out > max) {
        refuse(key, value, fmt::format("a whole number from {} to {}", min, max));
    }
    return *out;
}

double number(const Value& value, std::string_view key) {
    const auto out = numeric(value);
    if (!out || !std::isfinite(*out) || *out < 0) {
        refuse(key, value, "a number that is not negative");
    }
    return *out;
}

double setting_duration_s(const Setting& setting, const Scope& scope, std::string_view key) {
    return duration_s(evaluate(setting, scope), key);
}

std::uint64_t setting_size_bytes(const Setting& setting, const Scope& scope, std::string_view key) {
    return size_bytes(evaluate(setting, scope), key);
}

std::int64_t setting_int(const Setting& setting, const Scope& scope, std::string_view key, std::int64_t min,
                         std::int64_t max) {
    return whole_number(evaluate(setting, scope), key, min, max);
}

double setting_number(const Setting& setting, const Scope& scope, std::string_view key) {
    return number(evaluate(setting, scope), key);
}

}  // namespace amp
