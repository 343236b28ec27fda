#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace amp::python {

/// The value of a string literal, or of a piece of an f-string.
struct DecodedString {
    std::string text;  ///< UTF-8 (lone surrogates too, as three bytes); of bytes: these
    /// It has a `\N{NAME}`, which stays as it is written: Python alone knows all names.
    bool undecided = false;
    struct Problem {
        std::uint32_t at = 0;  ///< from the start of the body
        std::string message;
    };
    std::optional<Problem> problem;
};

struct StringForm {
    bool raw = false;
    bool bytes = false;
    bool doubled_braces = false;  ///< `{{` and `}}` stand for one: in f-strings
};

/// `body` is what stands between the quotes. Line breaks of any kind become line feeds.
DecodedString decode_string(std::string_view body, StringForm form);

struct StringParts {
    std::string_view prefix;
    std::string_view body;
    StringForm form;
    std::uint32_t body_offset = 0;
};
/// Takes apart a whole literal, as the lexer found it.
StringParts split_string(std::string_view literal);

}  // namespace amp::python
