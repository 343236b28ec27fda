#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/option_info.hpp"

namespace amp {

/// A command's words, told apart as far as they have been typed.
struct Typed {
    std::vector<std::string> positionals;
    std::vector<std::pair<std::string, std::string>> options;  ///< names as typed, and their values
    std::string waiting;                                       ///< an option whose value comes next
    bool ended = false;                                        ///< by `--`

    bool has(const OptionInfo& option) const;
    std::string value_of(std::string_view name) const;
};

/// nullptr when there is none.
const OptionInfo* find_option(const std::vector<OptionInfo>& options, std::string_view name);

/// Where the value begins in a word of short options, the last of which takes one: -qplr=0.1 has it at 3.
/// npos: there is none.
std::size_t value_in_cluster(const std::vector<OptionInfo>& options, std::string_view word);

/// Sorts words as cli/option_info does, but nothing is wrong.
/// @param parameters unknown long options are parameters of the flow
Typed read_typed(const std::vector<OptionInfo>& options, bool parameters,
                 const std::vector<std::string>& words);

/// The words of a line typed into a shell, without the quotes; the last one may be empty. Nothing is
/// expanded.
std::vector<std::string> split_typed(std::string_view line);

}  // namespace amp
