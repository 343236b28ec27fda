#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/package/glob.hpp"

namespace amp {

/// Rules as in .gitignore, in order; the last that matches decides. A glob without '/' (but at its end)
/// matches at any depth, one with a '/' from the top; a '/' at the end matches only folders; `!` takes back;
/// `#` begins a comment. What lies in a folder that is named cannot be taken back.
class GlobRules {
  public:
    /// The lines of a file.
    void add_lines(std::string_view text);
    void add(std::string_view line);
    bool empty() const { return rules_.empty(); }

    /// Is this file, or a folder around it, named? Answers about folders are remembered.
    bool names_file(std::string_view path) const;
    bool names_folder(std::string_view path) const;

  private:
    struct Rule {
        Glob glob;
        bool taken_back = false;
        bool only_folders = false;
        bool any_depth = false;
    };

    bool decides(std::string_view path, bool is_folder) const;
    bool in_named_folder(std::string_view path) const;

    std::vector<Rule> rules_;
    mutable std::unordered_map<std::string, bool> folders_;
};

}  // namespace amp
