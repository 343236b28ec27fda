#include "core/python/lexer.hpp"

#include <doctest/doctest.h>

#include <string>

namespace amp::python {
namespace {

/// The kinds of tokens as words, with their texts where those matter.
std::string tokens(const std::string& text) {
    const SourceText source(text);
    const LexedFile lexed = lex(source);
    std::string out;
    for (const Token& token : lexed.tokens) {
        const std::string written(source.slice(token.begin, token.end));
        out += out.empty() ? "" : " ";
        switch (token.kind) {
            case TokenKind::end:
                out += ".";
                break;
            case TokenKind::error:
                out += "!" + lexed.error->message;
                break;
            case TokenKind::newline:
                out += "NL";
                break;
            case TokenKind::indent:
                out += ">>";
                break;
            case TokenKind::dedent:
                out += "<<";
                break;
            default:
                out += written;
        }
    }
    return out;
}

TokenKind only(const std::string& text) {
    const SourceText source(text);
    return lex(source).tokens.front().kind;
}

}  // namespace

TEST_CASE("lines and blocks") {
    CHECK(tokens("") == ".");
    CHECK(tokens("\n\n# only\n  \n") == ".");
    CHECK(tokens("a") == "a NL .");
    CHECK(tokens("if a:\n  b\nc") == "if a : NL >> b NL << c NL .");
    CHECK(tokens("if a:\n  b\n\n # odd\n  c\n") == "if a : NL >> b NL c NL << .");
    CHECK(tokens("if a:\n\tb\n\tif c:\n\t\td\n") == "if a : NL >> b NL if c : NL >> d NL << << .");
    CHECK(tokens("a = (1,\n   # why\n  2)\nb") == "a = ( 1 , 2 ) NL b NL .");
    CHECK(tokens("a = 1 + \\\n    2\n") == "a = 1 + 2 NL .");
    CHECK(tokens("\xef\xbb\xbf"
                 "a\n") == "a NL .");
    CHECK(tokens("a\r\nif b:\r\n  c\r\n") == "a NL if b : NL >> c NL << .");
    CHECK(tokens("a\rb") == "a NL b NL .");
    CHECK(tokens("if a:\n  b\n\f\n  c\n") == "if a : NL >> b NL c NL << .");
}

TEST_CASE("indentation that does not fit") {
    CHECK(tokens("if a:\n    b\n  c\n") ==
          "if a : NL >> b NL << !unindent does not match any outer indentation level");
    CHECK(tokens("if a:\n\tb\n        c\n") ==
          "if a : NL >> b NL !inconsistent use of tabs and spaces in indentation");
    std::string deep;
    for (int i = 0; i < 120; ++i) {
        deep += std::string(static_cast<std::size_t>(i), ' ') + "if a:\n";
    }
    CHECK(tokens(deep).ends_with("!too many levels of indentation"));
}

TEST_CASE("numbers") {
    for (const char* text : {"0", "00", "1_000", "0xfF", "0o17", "0b01", "0x_f", "99999999999999999999999"}) {
        CHECK_MESSAGE(only(text) == TokenKind::integer, text);
    }
    for (const char* text : {"1.", ".5", "1e5", "1E-5", "1_0.0_1e+1_0", "09.5", "0e0"}) {
        CHECK_MESSAGE(only(text) == TokenKind::floating, text);
    }
    for (const char* text : {"1j", "0J", "1.5e3j", "09j"}) {
        CHECK_MESSAGE(only(text) == TokenKind::imaginary, text);
    }
    CHECK(tokens("1if a else 2") == "1 if a else 2 NL .");
    CHECK(tokens("0x1for x") == "0x1f or x NL .");
    CHECK(tokens("1..real") == "1. . real NL .");
    CHECK(tokens("1 .real") == "1 . real NL .");
    for (const char* text : {"1__0", "1_", "1a", "1_a", "1e+"}) {
        CHECK_MESSAGE(tokens(text).ends_with("!invalid decimal literal"), text);
    }
    CHECK(tokens("0777").find("leading zeros in decimal integer literals are not permitted") !=
          std::string::npos);
    CHECK(tokens("0x") == "!invalid hexadecimal literal");
    CHECK(tokens("0b12") == "!invalid digit '2' in binary literal");
    CHECK(tokens("0o8") == "!invalid digit '8' in octal literal");
}

TEST_CASE("strings") {
    for (const char* text :
         {"'a'", "\"a\"", "''", "'''a'b\n'''", "r'\\\\'", "Rb'x'", "bR\"x\"", "u'x'", "'a\\\nb'", "'\\''"}) {
        CHECK_MESSAGE(only(text) == TokenKind::string, text);
        CHECK_MESSAGE(tokens(text) == std::string(text) + " NL .", text);
    }
    CHECK(tokens("'a\nb'") == "!unterminated string literal (detected at line 1)");
    CHECK(tokens("x = '''a\n\nb") == "x = !unterminated triple-quoted string literal (detected at line 3)");
    CHECK(tokens("'a\\").starts_with("!unterminated string literal"));
    CHECK(tokens("r'\\'") ==
          "!unterminated string literal (detected at line 1)");  // a backslash keeps the quote
    CHECK(tokens("bu'x'") == "bu 'x' NL .");
}

TEST_CASE("f-strings") {
    CHECK(tokens("f'a{b}c'") == "f' a { b } c ' NL .");
    CHECK(tokens("f'{{a}}'") == "f' {{a}} ' NL .");
    CHECK(tokens("f'{a!r:>{w}}'") == "f' { a ! r : > { w } } ' NL .");
    CHECK(tokens("f'{a != b}'") == "f' { a != b } ' NL .");
    CHECK(tokens("f'{a:=5}'") == "f' { a : =5 } ' NL .");
    CHECK(tokens("f'{(a:=5)}'") == "f' { ( a := 5 ) } ' NL .");
    CHECK(tokens("f'{x[1:2]}'") == "f' { x [ 1 : 2 ] } ' NL .");
    CHECK(tokens("f'{a['b']}'") == "f' { a [ 'b' ] } ' NL .");
    CHECK(tokens("f\"{f\"{1}\"}\"") == "f\" { f\" { 1 } \" } \" NL .");
    CHECK(tokens("f'''a\n{b\n}'''") == "f''' a\n { b } ''' NL .");
    CHECK(tokens("f'\\N{DIGIT ONE}{a}'") == "f' \\N{DIGIT ONE} { a } ' NL .");
    CHECK(tokens("f'}'").ends_with("!f-string: single '}' is not allowed"));
    CHECK(tokens("f'a").ends_with("!unterminated f-string literal (detected at line 1)"));
}

TEST_CASE("brackets") {
    CHECK(tokens("(\n1").ends_with("!'(' was never closed"));
    CHECK(tokens("a)") == "a !unmatched ')'");
    CHECK(tokens("(]") == "( !closing parenthesis ']' does not match opening parenthesis '('");
    CHECK(tokens("(\n]").ends_with("does not match opening parenthesis '(' on line 1"));
    CHECK(tokens(std::string(201, '(')).ends_with("!too many nested parentheses"));
}

TEST_CASE("characters that fit nowhere") {
    CHECK(tokens("a ? b") == "a !invalid syntax");
    CHECK(tokens("a\xC2\xA0= 1") == "!invalid non-printable character U+00A0");
    CHECK(tokens("x = \xE2\x80\x9C"
                 "a") == "x = !invalid character '\xE2\x80\x9C' (U+201C)");
    CHECK(tokens("a \\ b") == "a !unexpected character after line continuation character");
    CHECK(tokens("\xC3\xBCn = 1") == "\xC3\xBCn = 1 NL .");
    CHECK(tokens("a\x01") == "a !invalid non-printable character U+0001");
}

}  // namespace amp::python
