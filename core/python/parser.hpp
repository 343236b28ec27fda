#pragma once

#include <optional>
#include <string_view>

#include "core/python/source_text.hpp"
#include "core/python/tree.hpp"

namespace amp::python {

struct ParsedFile {
    Tree tree;
    std::optional<SyntaxError> error;  ///< the first one; the tree is then empty
};

/// Python 3.8 to 3.13: all that the grammar of any of them allows. What only its compiler refuses (`return`
/// outside of a function) is left to Python. The tree refers to the text of `source`.
ParsedFile parse(const SourceText& source);

}  // namespace amp::python
