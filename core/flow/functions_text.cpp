#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

using Arguments = std::span<const Value>;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(ExitCode::invalid, std::move(message), {}, std::move(hint));
}

[[noreturn]] void refuse_late(std::string_view function) {
    refuse(fmt::format("{}() cannot see the path of a file: it is known only where the task runs", function),
           "give the file a `{{ }}` of its own: \"{{ prepare.data }}.bak\"");
}

const std::string& text_of(std::string_view function, const Value& value) {
    if (is_late(value)) {
        refuse_late(function);
    }
    if (!value.is_string()) {
        refuse(fmt::format("{}() needs a string, not {}", function, value.type_name()),
               value.is_number() ? "make it a text with str(x)" : "");
    }
    return value.as_string();
}

std::string_view without_trailing_slashes(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') {
        path.remove_suffix(1);
    }
    return path;
}

std::string last_part(std::string_view path) {
    path = without_trailing_slashes(path);
    const std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos || path == "/" ? path : path.substr(slash + 1));
}

/// A copy with each byte mapped.
template <class Map>
Value mapped(const std::string& text, CallContext& context, Map map) {
    context.budget.bytes(text.size());
    std::string out = text;
    std::transform(out.begin(), out.end(), out.begin(), map);
    return out;
}

/// A whole number in a text, blanks around it allowed.
template <class Number>
std::optional<Number> parsed(std::string_view text) {
    text = trim(text);
    text.remove_prefix(text.size() > 1 && text.front() == '+' && text[1] != '-' ? 1 : 0);
    Number number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                      : std::nullopt;
}

[[noreturn]] void refuse_number(std::string_view function, const Value& value) {
    if (is_late(value)) {
        refuse_late(function);
    }
    if (value.is_string()) {
        refuse(fmt::format("{}() cannot read '{}'", function, value.as_string().substr(0, 60)));
    }
    refuse(fmt::format("{}() needs a number or string, not {}", function, value.type_name()));
}

}  // namespace

bool is_late(const Value& value) {
    return value.is_file() ||
           (value.is_object() && value.as_object().size() == 1 && value.find("$output") != nullptr);
}

Value call_basename(Arguments arguments, CallContext& context) {
    const Value& value = arguments[0];
    if (value.is_file()) {
        return last_part(value.as_file().path);
    }
    if (is_late(value)) {
        return last_part(get_string(value, "$output"));
    }
    const std::string& text = text_of("basename", value);
    context.budget.bytes(text.size());
    return last_part(text);
}

Value call_dirname(Arguments arguments, CallContext& context) {
    const std::string& text = text_of("dirname", arguments[0]);
    context.budget.bytes(text.size());
    const std::string_view path = without_trailing_slashes(text);
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? "."
                                           : std::string(without_trailing_slashes(path.substr(0, slash + 1)));
}

Value call_join(Arguments arguments, CallContext& context) {
    if (!arguments[0].is_list()) {
        refuse(fmt::format("join() needs a list, not {}", arguments[0].type_name()),
               "write join(list, separator)");
    }
    const std::string separator = arguments.size() > 1 ? text_of("join", arguments[1]) : "";
    const List& list = arguments[0].as_list();
    context.budget.whole(arguments[0]);
    context.budget.bytes(list.size() * separator.size());
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (is_late(list[i])) {
            refuse_late("join");
        }
        out += i == 0 ? "" : separator;
        out += value_text(list[i]);
    }
    context.budget.bytes(out.size());
    return out;
}

Value call_split(Arguments arguments, CallContext& context) {
    const std::string& text = text_of("split", arguments[0]);
    context.budget.bytes(text.size());
    List out;
    if (arguments.size() == 1) {
        constexpr std::string_view k_blank = " \t\r\n\f\v";
        for (std::size_t at = text.find_first_not_of(k_blank); at != std::string::npos;) {
            const std::size_t end = std::min(text.find_first_of(k_blank, at), text.size());
            out.emplace_back(text.substr(at, end - at));
            at = text.find_first_not_of(k_blank, end);
        }
    } else {
        const std::string& separator = text_of("split", arguments[1]);
        if (separator.empty()) {
            refuse("the separator of split() is empty");
        }
        std::size_t at = 0;
        for (std::size_t end = text.find(separator); end != std::string::npos;
             end = text.find(separator, at)) {
            out.emplace_back(text.substr(at, end - at));
            at = end + separator.size();
        }
        out.emplace_back(text.substr(at));
    }
    context.budget.elements(out.size());
    return out;
}

Value call_lower(Arguments arguments, CallContext& context) {
    return mapped(text_of("lower", arguments[0]), context,
                  [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

Value call_upper(Arguments arguments, CallContext& context) {
    return mapped(text_of("upper", arguments[0]), context,
                  [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
}

Value call_replace(Arguments arguments, CallContext& context) {
    const std::string& text = text_of("replace", arguments[0]);
    const std::string& old = text_of("replace", arguments[1]);
    const std::string& fresh = text_of("replace", arguments[2]);
    if (old.empty()) {
        refuse("the text that replace() looks for is empty");
    }
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = text.find(old); found != std::string::npos; found = text.find(old, at)) {
        out.append(text, at, found - at);
        out += fresh;
        at = found + old.size();
        if (out.size() > Budget::k_bytes) {
            break;
        }
    }
    context.budget.bytes(out.size());
    out.append(text, at);
    context.budget.bytes(out.size());
    return out;
}

Value call_json(Arguments arguments, CallContext& context) {
    const Value& value = arguments[0];
    if (is_late(value)) {
        refuse_late("json");
    }
    context.budget.whole(value);
    std::string out = value.is_string() ? json::quote(value.as_string())
                      : value.is_null() ? "null"
                                        : value_text(value);
    context.budget.bytes(out.size());
    return out;
}

Value call_int(Arguments arguments, CallContext& /*context*/) {
    const Value& value = arguments[0];
    if (value.is_int()) {
        return value;
    }
    if (value.is_bool()) {
        return value.as_bool() ? 1 : 0;
    }
    if (value.is_float()) {
        const double whole = std::trunc(value.as_float());
        if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0)) {
            refuse(fmt::format("{} does not fit 64 bits", value.as_float()));
        }
        return static_cast<std::int64_t>(whole);
    }
    const auto number = value.is_string() ? parsed<std::int64_t>(value.as_string()) : std::nullopt;
    if (!number) {
        refuse_number("int", value);
    }
    return *number;
}

Value call_float(Arguments arguments, CallContext& /*context*/) {
    const Value& value = arguments[0];
    if (value.is_number()) {
        return value.as_float();
    }
    if (value.is_bool()) {
        return value.as_bool() ? 1.0 : 0.0;
    }
    const auto number = value.is_string() ? parsed<double>(value.as_string()) : std::nullopt;
    if (!number) {
        refuse_number("float", value);
    }
    return *number;
}

Value call_str(Arguments arguments, CallContext& context) {
    const Value& value = arguments[0];
    if (is_late(value)) {
        refuse_late("str");
    }
    context.budget.whole(value);
    std::string out = value.is_string() ? value.as_string() : value_text(value);
    context.budget.bytes(out.size());
    return out;
}

}  // namespace amp
