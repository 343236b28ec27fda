#pragma once

#include <optional>
#include <string_view>

#include "core/flow/expression_lexer.hpp"
#include "core/flow/expression_tree.hpp"

namespace amp {

/// Parses one whole expression by recursive descent; nullopt after reporting its first mistake.
std::optional<ParsedExpression> parse_expression(const TextPlaces& source, Diagnostics& diagnostics);

}  // namespace amp
