#include "core/python/source_text.hpp"

#include <algorithm>

namespace amp::python {

SourceText::SourceText(std::string_view text) : text_(text) {
    line_starts_.push_back(0);
    for (std::uint32_t i = 0; i < text.size(); ++i) {
        const bool lone_return = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
        if (text[i] == '\n' || lone_return) {
            line_starts_.push_back(i + 1);
        }
    }
}

std::uint32_t SourceText::line_of(std::uint32_t offset) const {
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    return static_cast<std::uint32_t>(after - line_starts_.begin());
}

Place SourceText::place(std::uint32_t begin, std::uint32_t end) const {
    const std::uint32_t line = line_of(begin);
    std::uint32_t line_end = line < line_starts_.size() ? line_starts_[line] : size();
    while (line_end > begin && (text_[line_end - 1] == '\n' || text_[line_end - 1] == '\r')) {
        --line_end;
    }
    const std::uint32_t until = std::min(std::max(end, begin), line_end);
    return {line, begin - line_starts_[line - 1] + 1, std::max(until, begin + 1) - begin};
}

}  // namespace amp::python
