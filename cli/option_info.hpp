#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command_list.hpp"
#include "cli/common.hpp"

namespace amp {

/// An option or argument of a command, as declared in cli/parser: what sorting and help need to know of it.
struct OptionInfo {
    std::vector<std::string> names;  ///< "-p", "--param"; empty: positional
    std::string metavar;
    std::string help;
    bool takes_value = false;
    bool common = false;  ///< taken by every command
};

/// The arguments of a command, told apart.
struct SortedArguments {
    std::vector<std::string> options;  ///< names, each followed by its value if it takes one
    std::vector<std::string> positionals;
    NameValues parameters;  ///< unknown long options
    NameValues slips;       ///< those of them that are nearly an option of ours, as written, and that option
    bool help = false;      ///< -h or --help was among them
};

/// Options may stand anywhere and be written `--name value`, `--name=value`, `-n value`, `-nvalue`, `-ab`;
/// `--` ends them;
/// `-`, negative numbers and what follows `--` are positionals.
/// @param parameters take unknown long options as parameters of a flow (value "true" when they have none)
/// @throws Error(usage) with a did-you-mean
SortedArguments sort_arguments(const std::string& command, std::span<const OptionInfo> options,
                               bool parameters, const std::vector<std::string>& arguments);

/// What `amp COMMAND -h` prints.
std::string help_text(const CommandInfo& command, std::span<const OptionInfo> options);

}  // namespace amp
