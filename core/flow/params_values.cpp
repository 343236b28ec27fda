#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/stream_path.hpp"
#include "core/base/text.hpp"
#include "core/flow/params.hpp"
#include "core/flow/params_pattern.hpp"
#include "core/flow/toml_document.hpp"
#include "core/flow/yaml_document.hpp"

namespace amp {
namespace {

using Type = Parameter::Type;

constexpr std::array<std::string_view, 8> k_types = {"string", "int",    "float", "bool",
                                                     "list",   "object", "file",  "secret"};

/// Records, AMP_PARAMS and hashes are JSON, which has neither NaN nor infinities: they would come back as
/// texts. And what a task finds as a variable has no NUL.
bool is_recordable(const Value& value) {
    if (value.is_list()) {
        return std::all_of(value.as_list().begin(), value.as_list().end(), is_recordable);
    }
    if (value.is_object()) {
        return std::all_of(value.as_object().begin(), value.as_object().end(),
                           [](const auto& member) { return is_recordable(member.second); });
    }
    return !value.is_float() || std::isfinite(value.as_float());
}

template <class T>
std::optional<Value> parse_number(std::string_view text) {
    text = trim(text);
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    T number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool right = failed == std::errc() && end == text.data() + text.size();
    return right && is_recordable(number) ? std::optional<Value>(number) : std::nullopt;
}

std::optional<Value> parse_bool(std::string_view text) {
    const std::string word = lower(trim(text));
    if (word == "true" || word == "1" || word == "yes" || word == "on") {
        return Value(true);
    }
    if (word == "false" || word == "0" || word == "no" || word == "off") {
        return Value(false);
    }
    return std::nullopt;
}

/// A list or object as JSON or, where that fails, as TOML.
std::optional<Value> parse_nested(std::string_view text) {
    const std::string_view shape = trim(text);
    if (shape.empty() || (shape.front() != '[' && shape.front() != '{')) {
        return std::nullopt;
    }
    try {
        return json::parse(shape, "the value");
    } catch (const Error&) {
        Diagnostics ignored;
        const TomlDocument document = parse_toml(fmt::format("x = {}", shape), ignored);
        const TomlNode* found = document.root.find("x");
        return ignored.has_errors() || found == nullptr || document.root.members.size() != 1
                   ? std::nullopt
                   : std::optional(found->value());
    }
}

bool ends_with(std::string_view path, std::string_view ending) {
    return lower(path).ends_with(ending);
}

}  // namespace

std::string_view type_name(Type type) {
    return k_types[static_cast<std::size_t>(type)];
}

std::optional<Type> parse_type(std::string_view name) {
    const auto it = std::find(k_types.begin(), k_types.end(), name);
    return it == k_types.end() ? std::nullopt : std::optional(static_cast<Type>(it - k_types.begin()));
}

std::optional<Value> convert_parameter(Type type, const Value& value) {
    const bool right =
        (type == Type::string && value.is_string()) || (type == Type::integer && value.is_int()) ||
        (type == Type::boolean && value.is_bool()) || (type == Type::list && value.is_list()) ||
        (type == Type::object && value.is_object()) ||
        (type == Type::file && (value.is_string() || value.is_file())) ||
        (type == Type::secret && value.is_string());
    if (!is_recordable(value) || (value.is_string() && value.as_string().find('\0') != std::string::npos)) {
        return std::nullopt;
    }
    if (type == Type::floating && value.is_number()) {
        return Value(value.as_float());
    }
    return right ? std::optional(value) : std::nullopt;
}

std::optional<Value> parse_parameter(Type type, std::string_view text) {
    switch (type) {
        case Type::integer:
            return parse_number<std::int64_t>(text);
        case Type::floating:
            return parse_number<double>(text);
        case Type::boolean:
            return parse_bool(text);
        case Type::list:
        case Type::object: {
            auto value = parse_nested(text);
            return value ? convert_parameter(type, *value) : std::nullopt;
        }
        case Type::string:
        case Type::file:
        case Type::secret:
            break;
    }
    return is_utf8(text) && text.find('\0') == std::string_view::npos ? std::optional<Value>(text)
                                                                      : std::nullopt;
}

std::optional<std::string> constraint_mistake(const Parameter& parameter, const Value& value) {
    if (!parameter.choices.empty() &&
        std::find(parameter.choices.begin(), parameter.choices.end(), value) == parameter.choices.end()) {
        std::string choices;
        for (const Value& choice : parameter.choices) {
            choices += (choices.empty() ? "" : ", ") + json::dump(choice);
        }
        return "is none of its choices: " + choices;
    }
    if (value.is_number()) {
        const double number = value.as_float();
        if (parameter.min && !(number >= *parameter.min)) {
            return fmt::format("is less than its minimum {}", *parameter.min);
        }
        if (parameter.max && !(number <= *parameter.max)) {
            return fmt::format("is more than its maximum {}", *parameter.max);
        }
    }
    if (!parameter.pattern.empty() && value.is_string() &&
        !matches_pattern(value.as_string(), parameter.pattern)) {
        return fmt::format("does not match its pattern '{}'", parameter.pattern);
    }
    return std::nullopt;
}

std::optional<Value> fitting_value(const Parameter& parameter, const Value& value) {
    if (!parameter.choices.empty()) {
        std::vector<std::string> words;
        for (const Value& choice : parameter.choices) {
            words.push_back(choice.is_string() ? choice.as_string() : "");
        }
        const auto near = value.is_string() ? did_you_mean(value.as_string(), words) : std::nullopt;
        return near ? Value(*near) : parameter.choices.front();
    }
    const auto limit = [&](double number, double whole) {
        return parameter.type == Type::integer ? Value(static_cast<std::int64_t>(whole)) : Value(number);
    };
    if (value.is_number() && parameter.min && !(value.as_float() >= *parameter.min)) {
        return limit(*parameter.min, std::ceil(*parameter.min));
    }
    if (value.is_number() && parameter.max && !(value.as_float() <= *parameter.max)) {
        return limit(*parameter.max, std::floor(*parameter.max));
    }
    return std::nullopt;
}

namespace {

/// Of what has no name: an object of JSON begins with a brace; else it is YAML where it is no TOML.
std::string_view form_of(std::string_view text) {
    if (trim(text).starts_with('{')) {
        return ".json";
    }
    Diagnostics toml;
    parse_toml(text, toml);
    if (!toml.has_errors()) {
        return ".toml";
    }
    Diagnostics yaml;
    const auto value = parse_yaml(text, yaml);
    return value && value->is_object() && !yaml.has_errors() ? ".yaml" : ".toml";
}

}  // namespace

std::optional<Value> read_data_file(std::string_view text, const std::string& path,
                                    Diagnostics& diagnostics) {
    const auto refuse = [&](std::string message, std::string hint) {
        diagnostics.add(
            {"AMP1515", Diagnostic::Severity::error, std::move(message), {}, std::move(hint), path});
        return std::nullopt;
    };
    const std::string form = path == "-" || names_stream(path) ? std::string(form_of(text)) : path;
    if (ends_with(form, ".json")) {
        try {
            return json::parse(text, "the file");
        } catch (const Error& error) {
            return refuse(error.message(), error.hint());
        }
    }
    const bool yaml = ends_with(form, ".yaml") || ends_with(form, ".yml");
    if (!yaml && !ends_with(form, ".toml")) {
        return refuse("the file's name ends neither in .toml nor .yaml nor .json",
                      "rename it: the ending says how it is read");
    }
    Diagnostics found;
    auto value = yaml ? parse_yaml(text, found) : std::optional(parse_toml(text, found).root.value());
    for (Diagnostic diagnostic : found.sorted()) {
        diagnostic.file = path;
        diagnostics.add(std::move(diagnostic));
    }
    return found.has_errors() ? std::nullopt : std::move(value);
}

}  // namespace amp
