#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/diagnostic.hpp"

namespace amp {

/// Where one is in a file after `passed`, which began at `from`.
Place advance(Place from, std::string_view passed);

/// Offsets of a text as places of the file that it lies in.
struct TextPlaces {
    std::string_view text;
    Place begin;
    bool fixed = false;  ///< the text differs from the file (escapes): all of it is at `begin`

    Place at(std::size_t offset, std::size_t length) const;
};

struct ExpressionToken {
    enum class Kind { end, name, integer, floating, string, op };
    Kind kind = Kind::end;
    std::string_view text;  ///< as written
    std::string value;      ///< of a string, without quotes and escapes
    std::size_t offset = 0;

    bool is(std::string_view op) const { return (kind == Kind::op || kind == Kind::name) && text == op; }
};

/// The tokens of an expression, `end` last; nullopt after reporting.
std::optional<std::vector<ExpressionToken>> lex_expression(const TextPlaces& source,
                                                           Diagnostics& diagnostics);

}  // namespace amp
