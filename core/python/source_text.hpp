#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/diagnostic.hpp"

namespace amp::python {

/// What is wrong with a file, in CPython's words where it has some.
struct SyntaxError {
    std::string code;  ///< "AMP3001"
    std::string message;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::string hint;
};

/// A text and its lines: offsets in bytes become lines and columns. The text must outlive it.
class SourceText {
  public:
    explicit SourceText(std::string_view text);

    std::string_view text() const { return text_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(text_.size()); }
    /// From 1.
    std::uint32_t line_of(std::uint32_t offset) const;
    /// Line and column from 1, and how much of [begin, end) lies on that line (1 at least).
    Place place(std::uint32_t begin, std::uint32_t end) const;
    std::string_view slice(std::uint32_t begin, std::uint32_t end) const {
        return text_.substr(begin, end - begin);
    }

  private:
    std::string_view text_;
    std::vector<std::uint32_t> line_starts_;
};

}  // namespace amp::python
