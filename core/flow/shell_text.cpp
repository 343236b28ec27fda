#include "core/flow/shell_text.hpp"

#include <algorithm>

#include "core/flow/shell_lexer.hpp"

namespace amp {

ShellText::ShellText(const TextTemplate& source) : source_(source) {
    for (const TextTemplate::Part& part : source.parts()) {
        begins_.push_back(text_.size());
        if (const auto* text = std::get_if<std::string>(&part)) {
            text_ += *text;
        } else {
            text_ += k_shell_slot;
        }
    }
}

std::size_t ShellText::written_offset(std::size_t offset) const {
    if (offset >= text_.size()) {
        return source_.source().size();
    }
    const auto part = std::upper_bound(begins_.begin(), begins_.end(), offset) - begins_.begin() - 1;
    const auto index = static_cast<std::size_t>(part);
    return source_.spans()[index].begin + (offset - begins_[index]);
}

}  // namespace amp
