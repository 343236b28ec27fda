#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/load_parts.hpp"
#include "core/flow/params.hpp"

namespace amp::loading {
namespace {

using Type = Parameter::Type;

Type inferred(const TomlNode& node) {
    switch (node.kind) {
        case TomlNode::Kind::integer:
            return Type::integer;
        case TomlNode::Kind::floating:
            return Type::floating;
        case TomlNode::Kind::boolean:
            return Type::boolean;
        case TomlNode::Kind::list:
            return Type::list;
        case TomlNode::Kind::table:
            return Type::object;
        default:
            return Type::string;
    }
}

/// Tells of a value that no parameter can have. @return whether it is none
bool refuse_value(const TomlNode& node, std::string_view what, std::string_view name,
                  Diagnostics& diagnostics) {
    if (node.is_string() && node.text().find('\0') != std::string::npos) {
        diagnostics.error("AMP1213", node.place, fmt::format("{} of '{}' holds a NUL byte", what, name),
                          "leave \\u0000 out: no variable can hold it");
        return true;
    }
    if (node.kind == TomlNode::Kind::floating && !std::isfinite(node.scalar.as_float())) {
        diagnostics.error(
            "AMP1502", node.place,
            fmt::format("{} of '{}' is {}, which no parameter can be", what, name, value_text(node.scalar)),
            "JSON, and so the run's record, has no such number: give a finite one");
        return true;
    }
    bool refused = false;
    for (const TomlNode& item : node.items) {
        refused = refuse_value(item, what, name, diagnostics) || refused;
    }
    for (const TomlMember& member : node.members) {
        refused = refuse_value(member.value, what, name, diagnostics) || refused;
    }
    return refused;
}

/// Reads the long form of one parameter.
class ParameterLoader {
  public:
    ParameterLoader(const TomlMember& member, Parameter& parameter, Diagnostics& diagnostics)
        : node_(member.value), parameter_(parameter), path_{&k_root, member.key}, diagnostics_(diagnostics) {}

    void load() {
        if (!check_keys()) {
            return;
        }
        find_type();
        if (const TomlNode* help = node_.find("help")) {
            parameter_.help = help->text();
        }
        if (const TomlNode* env = node_.find("env")) {
            parameter_.env = env->text();
        }
        if (const TomlNode* required = node_.find("required")) {
            parameter_.required = required->scalar.as_bool();
        }
        read_constraints();
        read_default();
    }

  private:
    bool check_keys() {
        bool right = true;
        for (const TomlMember& member : node_.members) {
            const schema::Key* key = schema::find_key(schema::parameter_keys(), member.key);
            if (key == nullptr && right && node_.find("type") == nullptr &&
                node_.find("default") == nullptr) {
                // Most likely the table itself was meant as the default.
                diagnostics_.error(
                    "AMP1010", member.place,
                    fmt::format("unknown key '{}' in `{}`", printable(member.key), path_.text()),
                    fmt::format(
                        R"(for an object as default say {} = {{ type = "object", default = {{ … }} }})",
                        path_.name));
                return false;
            }
            right = schema::known_key(member, schema::parameter_keys(), path_, diagnostics_) != nullptr &&
                    schema::check(member.value, *key->rule, {&path_, member.key}, diagnostics_) && right;
        }
        return right;
    }

    void find_type() {
        const TomlNode* fallback = node_.find("default");
        const TomlNode* choices = node_.find("choices");
        if (const TomlNode* type = node_.find("type")) {
            parameter_.type = parse_type(type->text()).value_or(Type::string);
        } else if (fallback != nullptr) {
            parameter_.type = inferred(*fallback);
        } else if (choices != nullptr) {
            parameter_.type = inferred(choices->items.front());
        } else if (node_.find("min") != nullptr || node_.find("max") != nullptr) {
            parameter_.type = Type::floating;
        }
    }

    void read_constraints() {
        const bool number = parameter_.type == Type::integer || parameter_.type == Type::floating;
        for (const std::string_view key : {"min", "max"}) {
            const TomlNode* bound = node_.find(key);
            if (bound == nullptr) {
                continue;
            }
            if (!number) {
                misfit(*bound, key, "is for numbers");
            } else if (std::isnan(bound->scalar.as_float())) {
                misfit(*bound, key, "is no number");
            } else {
                (key == "min" ? parameter_.min : parameter_.max) = bound->scalar.as_float();
            }
        }
        if (parameter_.min && parameter_.max && *parameter_.min > *parameter_.max) {
            misfit(*node_.find("min"), "min", "is more than its `max`");
        }
        if (const TomlNode* pattern = node_.find("pattern")) {
            if (parameter_.type == Type::string || parameter_.type == Type::file ||
                parameter_.type == Type::secret) {
                parameter_.pattern = pattern->text();
            } else {
                misfit(*pattern, "pattern", "is for texts");
            }
        }
        if (const TomlNode* choices = node_.find("choices")) {
            for (const TomlNode& choice : choices->items) {
                if (auto value = typed(choice, "a choice")) {
                    parameter_.choices.push_back(std::move(*value));
                }
            }
        }
    }

    void read_default() {
        const TomlNode* fallback = node_.find("default");
        if (fallback == nullptr) {
            return;
        }
        if (parameter_.type == Type::secret) {
            diagnostics_.error(
                "AMP1507", fallback->place,
                fmt::format("the secret '{}' has a default, which everyone who reads the file knows",
                            parameter_.name),
                "take it away, and name a variable that holds it: env = \"TOKEN\"");
            return;
        }
        if (parameter_.required) {
            diagnostics_.error(
                "AMP1506", fallback->place,
                fmt::format("the parameter '{}' is required and has a default", parameter_.name),
                "keep one of the two");
        }
        auto value = typed(*fallback, "the default");
        if (!value) {
            return;
        }
        if (const auto mistake = constraint_mistake(parameter_, *value)) {
            diagnostics_.error(
                "AMP1503", fallback->place,
                fmt::format("the default {} of '{}' {}", json::dump(*value), parameter_.name, *mistake),
                fitting_hint(*value));
            return;
        }
        parameter_.fallback = std::move(*value);
    }

    std::string fitting_hint(const Value& value) const {
        const auto fitting = fitting_value(parameter_, value);
        const std::string_view key = !parameter_.choices.empty()                            ? "choices"
                                     : !fitting                                             ? "pattern"
                                     : parameter_.min && value.as_float() < *parameter_.min ? "min"
                                                                                            : "max";
        return fitting ? fmt::format("say default = {}, or change `{}`", json::dump(*fitting), key)
                       : fmt::format("give one that matches, or change `{}`", key);
    }

    std::optional<Value> typed(const TomlNode& node, std::string_view what) {
        if (refuse_value(node, what, parameter_.name, diagnostics_)) {
            return std::nullopt;
        }
        const auto value = node.kind == TomlNode::Kind::datetime
                               ? std::nullopt
                               : convert_parameter(parameter_.type, node.value());
        if (!value) {
            diagnostics_.error("AMP1502", node.place,
                               fmt::format("{} of '{}' is {}, but its type is {}", what, parameter_.name,
                                           node.kind_name(), type_name(parameter_.type)),
                               node.kind == TomlNode::Kind::datetime ? "put it in quotes" : "");
        }
        return value;
    }

    void misfit(const TomlNode& node, std::string_view key, std::string_view why) {
        diagnostics_.error("AMP1504", node.place,
                           fmt::format("`{}` of the {} parameter '{}' {}", key, type_name(parameter_.type),
                                       parameter_.name, why));
    }

    static constexpr schema::Path k_root{nullptr, "params"};
    const TomlNode& node_;
    Parameter& parameter_;
    schema::Path path_;
    Diagnostics& diagnostics_;
};

bool check_name(const TomlMember& member, std::string_view what, Diagnostics& diagnostics) {
    const auto mistake = schema::find_mistake(member.key, schema::Format::identifier);
    if (mistake) {
        diagnostics.error(std::string(mistake->code), member.place,
                          fmt::format("'{}' {} of a {}", printable(member.key), mistake->reason, what),
                          mistake->hint);
    }
    return !mistake;
}

}  // namespace

void load_parameters(const TomlNode& table, Flow& flow, Diagnostics& diagnostics) {
    std::map<std::string, std::string> seen;
    for (const TomlMember& member : table.members) {
        if (!check_name(member, "parameter", diagnostics)) {
            continue;
        }
        if (const auto [first, fresh] = seen.emplace(lower(member.key), member.key); !fresh) {
            diagnostics.error(
                "AMP1505", member.place,
                fmt::format("the parameters '{}' and '{}' differ only in case", first->second, member.key),
                "both would be AMP_PARAM_… of the same name: rename one");
        }
        Parameter parameter;
        parameter.name = member.key;
        parameter.place = member.place;
        if (member.value.is_table()) {
            ParameterLoader(member, parameter, diagnostics).load();
        } else if (member.value.kind == TomlNode::Kind::datetime) {
            diagnostics.error(
                "AMP1502", member.value.place,
                fmt::format("the default of '{}' is a date or time, which no parameter can be", member.key),
                "put it in quotes");
        } else {
            parameter.type = inferred(member.value);
            if (!refuse_value(member.value, "the default", member.key, diagnostics)) {
                parameter.fallback = member.value.value();
            }
        }
        flow.params.push_back(std::move(parameter));
    }
}

void load_config_files(const TomlNode& table, Flow& flow, Diagnostics& diagnostics) {
    static constexpr schema::Rule k_rule = {.kinds = schema::k_string | schema::k_table,
                                            .expected = "a file, or a table { file, required, env }",
                                            .format = schema::Format::filled};
    const schema::Path root{nullptr, "config"};
    schema::Rule rule = k_rule;
    rule.keys = schema::config_keys();
    for (const TomlMember& member : table.members) {
        if (!check_name(member, "config", diagnostics) ||
            !schema::check(member.value, rule, {&root, member.key}, diagnostics)) {
            continue;
        }
        ConfigFile config{.name = member.key, .file = {}, .required = true, .env = {}, .place = member.place};
        if (member.value.is_string()) {
            config.file = member.value.text();
        } else {
            config.file = member.value.find("file")->text();
            if (const TomlNode* required = member.value.find("required")) {
                config.required = required->scalar.as_bool();
            }
            if (const TomlNode* env = member.value.find("env")) {
                config.env = env->text();
            }
        }
        flow.config.push_back(std::move(config));
    }
}

}  // namespace amp::loading
