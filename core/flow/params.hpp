#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// "string", "int", "float", "bool", "list", "object", "file", "secret".
std::string_view type_name(Parameter::Type type);
std::optional<Parameter::Type> parse_type(std::string_view name);

/// A value of TOML or JSON as the parameter's type (an int is a float too, a whole float is no int); nullopt:
/// it is another type.
std::optional<Value> convert_parameter(Parameter::Type type, const Value& value);
/// A text of a command line or variable as the parameter's type; lists and objects are JSON or TOML. nullopt:
/// it cannot be read.
std::optional<Value> parse_parameter(Parameter::Type type, std::string_view text);
/// What is wrong with a value of the right type: choices, min, max, pattern ("is less than the minimum 0");
/// nullopt: nothing.
std::optional<std::string> constraint_mistake(const Parameter& parameter, const Value& value);

/// A value that the parameter allows, near to one that it does not; nullopt: none is known (a pattern).
std::optional<Value> fitting_value(const Parameter& parameter, const Value& value);

/// AMP_PARAM_LR for "lr": the variable that gives a parameter from outside, and that a task finds it in.
std::string parameter_variable(std::string_view name);

/// Reads a TOML, YAML or JSON file with values by its name's ending. Mistakes carry `path` as their file.
std::optional<Value> read_data_file(std::string_view text, const std::string& path, Diagnostics& diagnostics);

/// The names of amp's own options of `run`, without dashes: a parameter called so can only be given by -p.
std::span<const std::string_view> run_option_names();

/// "learning-rate" for the parameter learning_rate: its option, without dashes.
std::string option_form(std::string_view name);

/// Where values of parameters come from, the strongest first.
struct ParameterInputs {
    std::vector<std::pair<std::string, std::string>>
        given;                      ///< -p name=text and --name text; of equal names the last
    std::vector<std::string> bare;  ///< of these, --name without a value: "true" for a bool, else a mistake
    std::string file;               ///< --params: its path, and …
    std::string file_text;          ///< … its text; both empty: none
    /// A variable's value; nullopt: not set. Asked for AMP_PARAM_NAME (but not inside a task), and for each
    /// `env` key.
    std::function<std::optional<std::string>(const std::string&)> environment;
    bool inside_task = false;
    Value recorded;  ///< of the run that is resumed, stronger than environment and defaults; null: none
    /// A secret from a file, or for "-" from standard input. Unset: not asked.
    std::function<std::string(const std::string& path)> read_secret;
    /// Of a run that another one starts: it has that run's secrets, and nothing is said of one without a
    /// value.
    bool secrets_inherited = false;
    /// Asks the user for a secret; nullopt: nobody to ask. Unset: not asked.
    std::function<std::optional<std::string>(const std::string& name)> ask_secret;
    /// Is there such a file or folder? Unset: not asked.
    std::function<bool(const std::string&)> file_exists;
};

struct ResolvedParameters {
    Object values;                     ///< of all parameters, secrets too; null: none given
    std::vector<std::string> secrets;  ///< names whose values may stand in no record
    std::vector<std::pair<std::string, std::string>>
        files;  ///< parameters of type file and their paths, to be stored by content

    /// Without the secrets' values: what a run's record may hold.
    Object recordable() const;
};

/// All values, with all mistakes told in one go: AMP1511 to AMP1518. Never shows a secret's value.
ResolvedParameters resolve_parameters(const Flow& flow, const ParameterInputs& inputs,
                                      Diagnostics& diagnostics);

/// Where the files of [config] come from.
struct ConfigInputs {
    std::vector<std::pair<std::string, std::string>> given;                   ///< --config name=file
    std::function<std::optional<std::string>(const std::string& path)> read;  ///< nullopt: there is none
    std::function<std::optional<std::string>(const std::string& variable)>
        environment;  ///< for the `env` key: another file
};
/// The values of [config] by name; an optional file that is missing is null, and one that cannot be read has
/// no entry: nothing is known of its keys. AMP1515, AMP1520, AMP1521 for mistakes.
Object load_config(const Flow& flow, const ConfigInputs& inputs, Diagnostics& diagnostics);

}  // namespace amp
