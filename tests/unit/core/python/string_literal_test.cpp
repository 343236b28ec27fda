#include "core/python/string_literal.hpp"

#include <doctest/doctest.h>

namespace amp::python {
namespace {

std::string decoded(std::string_view literal) {
    const StringParts parts = split_string(literal);
    const DecodedString out = decode_string(parts.body, parts.form);
    return out.problem ? "!" + out.problem->message : out.text + (out.undecided ? "?" : "");
}

}  // namespace

TEST_CASE("escapes") {
    CHECK(decoded(R"('a\tb\n')") == "a\tb\n");
    CHECK(decoded(R"('\\\'\"\a\b\f\r\v')") == "\\'\"\a\b\f\r\v");
    CHECK(decoded(R"('\101\x41A\U00000041')") == "AAAA");
    CHECK(decoded(R"('é☃\U0001F600')") == "\xC3\xA9\xE2\x98\x83\xF0\x9F\x98\x80");
    CHECK(decoded(R"('\777')") == "\xC7\xBF");
    CHECK(decoded(R"('\q\ ')") == "\\q\\ ");
    CHECK(decoded("'a\\\nb'") == "ab");
    CHECK(decoded("'a\\\r\nb'") == "ab");
    CHECK(decoded("'''a\r\nb\rc'''") == "a\nb\nc");
    CHECK(decoded(R"(r'\n\'x')") == R"(\n\'x)");
    CHECK(decoded(R"('\N{DIGIT ONE}!')") == R"(\N{DIGIT ONE}!?)");
    CHECK(decoded(R"('\0')") == std::string(1, '\0'));
    CHECK(decoded(R"('\ud800')") == "\xED\xA0\x80");
}

TEST_CASE("bytes") {
    CHECK(decoded(R"(b'\xff\377\777')") == "\xff\xff\xff");
    CHECK(decoded(R"(b'\u1234\N{X}')") == R"(\u1234\N{X})");
    CHECK(decoded("b'\xC3\xA9'") == "!bytes can only contain ASCII literal characters");
    CHECK(decoded(R"(b'\x1')").starts_with("!(value error)"));
}

TEST_CASE("escapes that are not whole") {
    CHECK(decoded(R"('\x1')").ends_with("truncated \\xXX escape"));
    CHECK(decoded(R"('\u12')").ends_with("truncated \\uXXXX escape"));
    CHECK(decoded(R"('\U00110000')").ends_with("illegal Unicode character"));
    CHECK(decoded(R"('\N{')").ends_with("malformed \\N character escape"));
    CHECK(decoded(R"('\N')").ends_with("malformed \\N character escape"));
}

TEST_CASE("the parts of a literal") {
    const StringParts parts = split_string("Rb'''x'''");
    CHECK(parts.prefix == "Rb");
    CHECK(parts.body == "x");
    CHECK(parts.body_offset == 5);
    CHECK(parts.form.raw);
    CHECK(parts.form.bytes);
    CHECK(split_string("''").body.empty());
    CHECK(split_string("''''''").body.empty());
}

}  // namespace amp::python
