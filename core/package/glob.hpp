#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// A glob over '/'-separated paths: `*` within a part, `**` as a whole part for any number of parts, `?` one
/// letter,
/// `[a-z]` and `[!a-z]` one of a class, `\` takes the next letter as it is. Names need not be UTF-8; invalid
/// bytes count as a letter each. What it matches as a folder it also matches with all that is in the folder.
/// Matching costs at most length of glob × length of path: no input makes it explode.
class Glob {
  public:
    /// Never fails: an unclosed `[` stands for itself. Leading "/" and "./" and a trailing "/" are dropped.
    explicit Glob(std::string_view pattern);
    bool matches(std::string_view path) const;
    /// Only the path itself, not what lies in a folder that matches.
    bool matches_exactly(std::string_view path) const;

  private:
    std::vector<std::string> parts_;
};

}  // namespace amp
