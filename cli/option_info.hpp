#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_list.hpp"
#include "cli/common.hpp"

namespace amp {

/// What the value of an option, or an argument, is: completion acts upon it.
enum class ValueKind {
    other,   ///< free text, numbers, names of what is new
    choice,  ///< one of the words of its metavar
    run,
    target,  ///< RUN[/STEP[/INDEX]]
    task,    ///< RUN/STEP[/INDEX]
    field,   ///< of runs, with or without a - in front
    shown,   ///< a flow's file or a target
    source,  ///< a target, and behind it a name
    step,    ///< of the run or the flow that is meant
    tag,
    profile,
    flow,  ///< a flow's file
    file,
    folder,
    parameter,    ///< NAME=VALUE of the flow
    config_file,  ///< NAME=FILE of the flow
    setting,      ///< a key
    assignment,   ///< of a setting: KEY=VALUE
    code,
    topic,  ///< or a command
};

/// The kind that a metavar stands for; nullopt: nobody has said what it is (cli/option_info.cpp does).
std::optional<ValueKind> value_kind(std::string_view metavar);

/// What names something is never empty: in a script that is a variable which is not set, and it would mean
/// the default. Texts may be, and numbers and words say themselves what they are. @throws Error(usage)
void refuse_empty(const std::string& names, const std::string& metavar, const std::string& text);

/// An option or argument of a command, as declared in cli/declarations: what sorting, help, manual pages and
/// completion need to know of it.
struct OptionInfo {
    std::vector<std::string> names;  ///< "-p", "--param"; empty: positional
    std::string metavar;
    std::string help;
    bool takes_value = false;
    bool common = false;   ///< taken by every command
    bool repeats = false;  ///< may be given again; an argument takes all that follow
};

/// The arguments of a command, told apart.
struct SortedArguments {
    std::vector<std::string> options;  ///< names, each followed by its value if it takes one
    std::vector<std::string> positionals;
    NameValues parameters;          ///< unknown long options
    std::vector<std::string> bare;  ///< those of them that stood alone
    NameValues slips;   ///< those of them that are nearly an option of ours, as written, and that option
    bool help = false;  ///< -h or --help was among them
};

/// Options may stand anywhere and be written `--name value`, `--name=value`, `-n value`, `-nvalue`, `-ab`;
/// `--` ends them;
/// `-`, negative numbers and what follows `--` are positionals.
/// @param parameters take unknown long options as parameters of a flow (value "true" when they have none)
/// @throws Error(usage) with a did-you-mean
SortedArguments sort_arguments(const std::string& command, std::span<const OptionInfo> options,
                               bool parameters, const std::vector<std::string>& arguments);

/// What `amp COMMAND -h` prints; `in_full`, with what the manual says besides: `amp help COMMAND`.
std::string help_text(const CommandInfo& command, std::span<const OptionInfo> options, bool in_full = false);

/// An option's names and value: "-p, --param NAME=VALUE".
std::string option_label(const OptionInfo& option);

/// `text` in lines of at most `width` columns, each after the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// "run" → "Run".
std::string capitalized(std::string_view text);

}  // namespace amp
