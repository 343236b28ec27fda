#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// A command as help, completion and did-you-mean know it; its options are declared in cli/parser.
struct CommandInfo {
    std::string_view name;
    std::string_view usage;     ///< its arguments: "[FLOW]"
    std::string_view summary;   ///< one line
    std::string_view examples;  ///< lines
};

/// In the order of the overview.
std::span<const CommandInfo> command_list();
/// nullptr when there is none.
const CommandInfo* find_command(std::string_view name);
std::vector<std::string> command_names();

}  // namespace amp
