#include "core/flow/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_shown = 60;

std::string shortened(const std::string& text) {
    return text.size() > k_max_shown ? to_utf8(text.substr(0, k_max_shown)) + "…" : text;
}

class Resolver {
  public:
    Resolver(const Flow& flow, const ParameterInputs& inputs, Diagnostics& diagnostics)
        : flow_(flow), inputs_(inputs), diagnostics_(diagnostics) {}

    ResolvedParameters resolve() {
        for (const Parameter& parameter : flow_.params) {
            by_name_.emplace(parameter.name, &parameter);
        }
        read_given();
        read_file();
        for (const Parameter& parameter : flow_.params) {
            Value value = find(parameter);
            if (parameter.type == Parameter::Type::secret) {
                result_.secrets.push_back(parameter.name);
            }
            if (parameter.type == Parameter::Type::file && value.is_string()) {
                check_file(parameter, value.as_string());
            }
            result_.values.insert_or_assign(parameter.name, std::move(value));
        }
        return std::move(result_);
    }

  private:
    const Parameter* known(const std::string& name) const {
        const auto it = by_name_.find(name);
        return it == by_name_.end() ? nullptr : it->second;
    }

    void unknown(const std::string& name, const std::string& file) {
        std::vector<std::string> names;
        for (const Parameter& parameter : flow_.params) {
            names.push_back(parameter.name);
        }
        const auto nearest = did_you_mean(name, names);
        std::string hint;
        if (nearest) {
            hint = fmt::format("did you mean '{}'?", *nearest);
        } else if (names.empty()) {
            hint = "the flow has no parameters";
        } else if (names.size() <= 12) {
            hint = fmt::format("it has {}", amp::join(names, ", "));
        }
        diagnostics_.add({"AMP1514",
                          Diagnostic::Severity::error,
                          fmt::format("the flow has no parameter '{}'", printable(name)),
                          {},
                          hint,
                          file});
    }

    void read_given() {
        for (const auto& [name, text] : inputs_.given) {
            const Parameter* parameter = known(name);
            if (parameter == nullptr) {
                std::string plain = name;  // --learning-rate is learning_rate
                std::replace(plain.begin(), plain.end(), '-', '_');
                parameter = known(plain);
            }
            if (parameter == nullptr) {
                unknown(name, {});
            } else if (parameter->type == Parameter::Type::secret && inputs_.read_secret &&
                       (text == "-" || (text.starts_with('@') && text.size() > 1))) {
                const std::string value = inputs_.read_secret(text == "-" ? text : text.substr(1));
                given_.insert_or_assign(parameter->name,
                                        parse(*parameter, value, fmt::format("-p {}", parameter->name)));
            } else if (parameter->type == Parameter::Type::secret) {
                secret_was_given(*parameter);
                given_.insert_or_assign(parameter->name, std::nullopt);
            } else if (text == "true" && parameter->type != Parameter::Type::boolean && is_bare(name)) {
                diagnostics_.error(
                    "AMP1511", parameter->place,
                    fmt::format("--{} was given without a value, but the parameter '{}' is of type {}",
                                option_form(name), parameter->name, type_name(parameter->type)),
                    fmt::format("write --{}=VALUE", option_form(name)));
                given_.insert_or_assign(parameter->name, std::nullopt);
            } else {
                given_.insert_or_assign(parameter->name,
                                        parse(*parameter, text, fmt::format("-p {}", parameter->name)));
            }
        }
    }

    void secret_was_given(const Parameter& parameter) {
        const std::string variable = parameter_variable(parameter.name);
        const std::string hint =
            inputs_.secrets_inherited
                ? fmt::format("leave it out: it is that of the run that starts this one, or its ${}",
                              variable)
                : fmt::format(
                      "give it in the environment as {}, in a file by -p {}=@FILE, or on standard "
                      "input by -p {}=-",
                      variable, parameter.name, parameter.name);
        diagnostics_.error(
            "AMP1517", parameter.place,
            fmt::format("the secret '{}' was given on the command line, where everyone can read it",
                        parameter.name),
            hint);
    }

    bool is_bare(const std::string& name) const {
        return std::find(inputs_.bare.begin(), inputs_.bare.end(), name) != inputs_.bare.end();
    }

    void read_file() {
        if (inputs_.file.empty()) {
            return;
        }
        const auto value = read_data_file(inputs_.file_text, inputs_.file, diagnostics_);
        if (!value) {
            return;
        }
        if (!value->is_object()) {
            diagnostics_.add({"AMP1515",
                              Diagnostic::Severity::error,
                              "the file holds no table of parameters",
                              {},
                              "write name = value, or {\"name\": value}",
                              inputs_.file});
            return;
        }
        for (const auto& [name, entry] : value->as_object()) {
            const Parameter* parameter = known(name);
            if (parameter == nullptr) {
                unknown(name, inputs_.file);
            } else if (!given_.contains(name)) {
                given_.insert_or_assign(name, convert(*parameter, entry, inputs_.file));
            }
        }
    }

    /// The value, by the order of strength. After a mistake the parameter is null.
    Value find(const Parameter& parameter) {
        if (const auto it = given_.find(parameter.name); it != given_.end()) {
            return it->second.value_or(Value());
        }
        if (const Value* recorded = inputs_.recorded.find(parameter.name);
            recorded != nullptr && !recorded->is_null()) {
            return convert(parameter, *recorded, "the recorded run").value_or(Value());
        }
        if (inputs_.environment) {
            const std::string own = parameter_variable(parameter.name);
            for (const std::string& variable : {inputs_.inside_task ? std::string() : own, parameter.env}) {
                const auto text = variable.empty() ? std::nullopt : inputs_.environment(variable);
                if (text) {
                    return parse(parameter, *text, "$" + variable).value_or(Value());
                }
            }
        }
        if (parameter.fallback) {
            return *parameter.fallback;
        }
        const bool secret = parameter.type == Parameter::Type::secret;
        if (secret && inputs_.ask_secret && !diagnostics_.has_errors()) {
            if (const auto answer = inputs_.ask_secret(parameter.name); answer && !answer->empty()) {
                return parse(parameter, *answer, "what was typed").value_or(Value());
            }
        }
        if (secret && inputs_.secrets_inherited) {
            return {};
        }
        if (parameter.required || secret) {
            missing(parameter);
        }
        return {};
    }

    void missing(const Parameter& parameter) {
        const bool secret = parameter.type == Parameter::Type::secret;
        const std::string variable =
            parameter.env.empty() ? parameter_variable(parameter.name) : parameter.env;
        diagnostics_.error(
            "AMP1513", parameter.place,
            fmt::format("the {} '{}' has no value", secret ? "secret" : "parameter", parameter.name),
            secret ? fmt::format("set ${}", variable) : fmt::format("give it: -p {}=…", parameter.name));
    }

    std::optional<Value> parse(const Parameter& parameter, std::string_view text, const std::string& source) {
        const auto value = parse_parameter(parameter.type, text);
        if (!value) {
            diagnostics_.error(
                "AMP1511", parameter.place,
                fmt::format("the parameter '{}' is of type {}, but {} gives {}", parameter.name,
                            type_name(parameter.type), source, shown(parameter, json::quote(to_utf8(text)))),
                hint_for(parameter));
            return std::nullopt;
        }
        return constrained(parameter, *value, source);
    }

    std::optional<Value> convert(const Parameter& parameter, const Value& given, const std::string& source) {
        const auto value = convert_parameter(parameter.type, given);
        if (!value) {
            diagnostics_.error("AMP1511", parameter.place,
                               fmt::format("the parameter '{}' is of type {}, but {} gives the {} {}",
                                           parameter.name, type_name(parameter.type), source,
                                           given.type_name(), shown(parameter, json::dump(given))),
                               hint_for(parameter));
            return std::nullopt;
        }
        return constrained(parameter, *value, source);
    }

    std::optional<Value> constrained(const Parameter& parameter, const Value& value,
                                     const std::string& source) {
        const auto mistake = constraint_mistake(parameter, value);
        if (!mistake) {
            return value;
        }
        diagnostics_.error("AMP1512", parameter.place,
                           fmt::format("{}, given to the parameter '{}' by {}, {}",
                                       shown(parameter, json::dump(value)), parameter.name, source, *mistake),
                           fit_hint(parameter, value));
        return std::nullopt;
    }

    static std::string shown(const Parameter& parameter, const std::string& text) {
        return parameter.type == Parameter::Type::secret ? "something else" : shortened(text);
    }

    static std::string fit_hint(const Parameter& parameter, const Value& value) {
        const auto fitting = fitting_value(parameter, value);
        std::string out;
        if (fitting) {
            const std::string text = fitting->is_string() ? fitting->as_string() : json::dump(*fitting);
            out = fmt::format("for instance -p {}={}", parameter.name, printable(text));
        } else {
            out = "give one that matches";
        }
        return parameter.help.empty() ? out : fmt::format("{}; {}: {}", out, parameter.name, parameter.help);
    }

    static std::string hint_for(const Parameter& parameter) {
        switch (parameter.type) {
            case Parameter::Type::list:
                return fmt::format(R"(write it as JSON: -p '{}=["a", "b"]')", parameter.name);
            case Parameter::Type::object:
                return fmt::format(R"(write it as JSON: -p '{}={{"a": 1}}')", parameter.name);
            case Parameter::Type::boolean:
                return fmt::format("write true or false: -p {}=true", parameter.name);
            case Parameter::Type::integer:
                return fmt::format("write a whole number without a unit or exponent: -p {}=1000",
                                   parameter.name);
            case Parameter::Type::floating:
                return fmt::format("write a finite number: -p {}=0.1", parameter.name);
            default:
                return {};
        }
    }

    void check_file(const Parameter& parameter, const std::string& path) {
        if (inputs_.file_exists && !inputs_.file_exists(path)) {
            diagnostics_.error("AMP1516", parameter.place,
                               fmt::format("the file '{}' of the parameter '{}' does not exist",
                                           printable(path), parameter.name));
            return;
        }
        result_.files.emplace_back(parameter.name, path);
    }

    const Flow& flow_;
    const ParameterInputs& inputs_;
    Diagnostics& diagnostics_;
    std::map<std::string, const Parameter*> by_name_;
    std::map<std::string, std::optional<Value>> given_;  ///< nullopt: given, but wrong
    ResolvedParameters result_;
};

}  // namespace

std::string option_form(std::string_view name) {
    std::string out = lower(name);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

std::string parameter_variable(std::string_view name) {
    std::string out = "AMP_PARAM_" + std::string(name);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

Object ResolvedParameters::recordable() const {
    Object out = values;
    for (const std::string& name : secrets) {
        out.insert_or_assign(name, Value());
    }
    return out;
}

ResolvedParameters resolve_parameters(const Flow& flow, const ParameterInputs& inputs,
                                      Diagnostics& diagnostics) {
    return Resolver(flow, inputs, diagnostics).resolve();
}

Object load_config(const Flow& flow, const ConfigInputs& inputs, Diagnostics& diagnostics) {
    std::map<std::string, std::string> given(inputs.given.begin(), inputs.given.end());
    Object out;
    for (const ConfigFile& config : flow.config) {
        std::string path = config.file;
        if (const auto other = given.find(config.name); other != given.end()) {
            path = other->second;
            given.erase(other);
        } else if (const auto variable = inputs.environment && !config.env.empty()
                                             ? inputs.environment(config.env)
                                             : std::nullopt) {
            path = *variable;
        }
        const auto text = inputs.read(path);
        if (!text) {
            if (config.required) {
                diagnostics.error(
                    "AMP1520", config.place,
                    fmt::format("the file '{}' of config '{}' does not exist", printable(path), config.name),
                    fmt::format("create it, name another by --config {}=FILE, or say required = false",
                                config.name));
            } else {
                out.insert_or_assign(config.name, Value());
            }
            continue;
        }
        if (auto value = read_data_file(*text, path, diagnostics)) {
            out.insert_or_assign(config.name, std::move(*value));
        }
    }
    std::vector<std::string> names;
    for (const ConfigFile& config : flow.config) {
        names.push_back(config.name);
    }
    for (const auto& [name, path] : given) {
        diagnostics.error("AMP1521", {}, fmt::format("the flow has no config '{}'", printable(name)),
                          near_hint(name, names));
    }
    return out;
}

std::span<const std::string_view> run_option_names() {
    static constexpr std::array<std::string_view, 37> k_names = {
        "on",         "profile",      "set",     "param",       "params", "config",      "max-workers",
        "keep-going", "tag",          "events",  "json",        "quiet",  "verbose",     "color",
        "help",       "version",      "from",    "until",       "only",   "origin",      "fit",
        "isolated",   "detach",       "dry-run", "no-input",    "yes",    "debug",       "retry-caught",
        "take-over",  "exit-code",    "plain",   "secret-file", "like",   "concurrency", "select",
        "relock",     "hold-on-fail",
    };
    return k_names;
}

}  // namespace amp
