#pragma once

#include <string>
#include <vector>

#include "core/flow/text_template.hpp"

namespace amp {

/// A script with one byte for each `{{ }}`, and the way back to what its author wrote.
class ShellText {
  public:
    /// @param source lives longer
    explicit ShellText(const TextTemplate& source);

    const std::string& text() const { return text_; }
    /// Where in the source a byte of the text stands.
    std::size_t written_offset(std::size_t offset) const;

  private:
    const TextTemplate& source_;
    std::string text_;
    std::vector<std::size_t> begins_;  ///< of each part, in `text_`
};

}  // namespace amp
