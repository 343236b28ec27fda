#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// A command as help, manual pages, completion and did-you-mean know it; its options are in cli/declarations.
struct CommandInfo {
    std::string_view name;
    std::string_view usage;             ///< its arguments: "[FLOW]"
    std::string_view summary;           ///< one line
    std::string_view examples;          ///< lines
    std::string_view description = {};  ///< paragraphs, with an empty line between
    std::string_view exits = {};        ///< exit codes that matter: "0 2 7"; `amp help exit-codes` says which
    std::string_view files = {};        ///< what it reads or writes: keys of known_files()
    std::string_view see_also = {};     ///< commands
    bool hidden = false;                ///< not for people: left out of the overview and of did-you-mean
};

/// A file or folder that manual pages tell of.
struct KnownFile {
    std::string_view key;
    std::string_view path;
    std::string_view meaning;
};
std::span<const KnownFile> known_files();

/// In the order of the overview.
std::span<const CommandInfo> command_list();
/// nullptr when there is none.
const CommandInfo* find_command(std::string_view name);
/// Of those that are not hidden.
std::vector<std::string> command_names();

}  // namespace amp
