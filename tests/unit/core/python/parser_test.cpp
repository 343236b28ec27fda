#include "core/python/parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/python_dump.hpp"

// That the trees are CPython's own is shown by tests/e2e/python_trees_test.py; here is what the rest of the
// box builds on, and what is said about mistakes.

namespace amp::python {
namespace {

std::string tree(const std::string& text) {
    const SourceText source(text);
    const ParsedFile file = parse(source);
    return file.error ? "!" + file.error->message : dump_tree(source, file.tree, false);
}

std::string expression(const std::string& text) {
    const std::string whole = tree(text);
    const std::string begin = "[Expr(,";
    return whole.starts_with(begin) ? whole.substr(begin.size(), whole.size() - begin.size() - 3) : whole;
}

struct Wrong {
    std::string text;
    std::string message;
    Place place;
};

void check(const std::vector<Wrong>& rows) {
    for (const Wrong& row : rows) {
        CAPTURE(row.text);
        const SourceText source(row.text);
        const ParsedFile file = parse(source);
        REQUIRE(file.error.has_value());
        CHECK(file.error->message == row.message);
        const Place place = source.place(file.error->begin, file.error->end);
        CHECK(place.line == row.place.line);
        CHECK(place.column == row.place.column);
        CHECK(file.tree.root() == k_no_node);
    }
}

}  // namespace

TEST_CASE("operators bind as they should") {
    CHECK(expression("a + b * c") == "BinOp(,Name(,a),Add,BinOp(,Name(,b),Mult,Name(,c)))");
    CHECK(expression("-a ** -b") == "UnaryOp(,USub,BinOp(,Name(,a),Pow,UnaryOp(,USub,Name(,b))))");
    CHECK(expression("a - b - c") == "BinOp(,BinOp(,Name(,a),Sub,Name(,b)),Sub,Name(,c))");
    CHECK(expression("a ** b ** c") == "BinOp(,Name(,a),Pow,BinOp(,Name(,b),Pow,Name(,c)))");
    CHECK(expression("not a in b") == "UnaryOp(,Not,Compare(,Name(,a),[In;],[Name(,b);]))");
    CHECK(expression("a and b and c or d") ==
          "BoolOp(,Or,[BoolOp(,And,[Name(,a);Name(,b);Name(,c);]);Name(,d);])");
    CHECK(expression("a if b else c if d else e") ==
          "IfExp(,Name(,b),Name(,a),IfExp(,Name(,d),Name(,c),Name(,e)))");
}

TEST_CASE("soft keywords are names where they can be") {
    CHECK(tree("match = 1").starts_with("[Assign("));
    CHECK(tree("match[0]: int").starts_with("[AnnAssign("));
    CHECK(tree("match(x)\ncase = 1\ntype(x)\n_ = 2").starts_with("[Expr("));
    CHECK(tree("match x:\n  case 1: pass").starts_with("[Match(,Name(,x)"));
    CHECK(tree("match (x):\n  case _ if y: pass").starts_with("[Match(,Name(,x)"));
    CHECK(tree("type X[T] = list[T]").starts_with("[TypeAlias(,X,[TypeVar("));
}

TEST_CASE("with") {
    CHECK(tree("with (a, b): pass") == "[With(,[withitem(,Name(,a),-);withitem(,Name(,b),-);],[Pass();]);]");
    CHECK(tree("with (a, b) as c: pass") ==
          "[With(,[withitem(,Tuple(,[Name(,a);Name(,b);]),Name(,c));],[Pass();]);]");
    CHECK(tree("with (a as b, c): pass") ==
          "[With(,[withitem(,Name(,a),Name(,b));withitem(,Name(,c),-);],[Pass();]);]");
}

TEST_CASE("strings side by side are one") {
    CHECK(expression("'a' \"b\" r'\\n'") == "Constant(,s\"ab\\x5cn\")");
    CHECK(expression("f'a{x}b' 'c'") ==
          "JoinedStr(,[Constant(,s\"a\");FormattedValue(,Name(,x),-1,-);Constant(,s\"bc\");])");
    CHECK(expression("f'{x=}'") == "JoinedStr(,[Constant(,s\"x=\");FormattedValue(,Name(,x),114,-);])");
    CHECK(expression("f\"{f\"{1}\"}\"") ==
          "JoinedStr(,[FormattedValue(,JoinedStr(,[FormattedValue(,Constant(,i1),-1,-);]),-1,-);])");
}

TEST_CASE("what is wrong is told as CPython tells it") {
    check({
        {"x = (1,\ny = 2\n", "'(' was never closed", {1, 5}},
        {"f(a\n\ndef g():\n  pass\n", "'(' was never closed", {1, 2}},
        {"if a\n  b\n", "expected ':'", {1, 5}},
        {"def f()\n  pass", "expected ':'", {1, 8}},
        {"class A\n  pass", "expected ':'", {1, 8}},
        {"def f:\n  pass", "expected '('", {1, 6}},
        {"if a:\nb\n", "expected an indented block after 'if' statement on line 1", {2, 1}},
        {"def f():\nb\n", "expected an indented block after function definition on line 1", {2, 1}},
        {"class A:\n\nb\n", "expected an indented block after class definition on line 1", {3, 1}},
        {"a\n  b\n", "unexpected indent", {2, 1}},
        {"f(a b)", "invalid syntax. Perhaps you forgot a comma?", {1, 5}},
        {"[1, 2 3]", "invalid syntax. Perhaps you forgot a comma?", {1, 7}},
        {"1 = a", "cannot assign to literal here. Maybe you meant '==' instead of '='?", {1, 1}},
        {"f() = a", "cannot assign to function call here. Maybe you meant '==' instead of '='?", {1, 1}},
        {"None = a", "cannot assign to None", {1, 1}},
        {"for f() in a: pass", "cannot assign to function call", {1, 5}},
        {"del f()", "cannot delete function call", {1, 5}},
        {"f() += 1", "'function call' is an illegal expression for augmented assignment", {1, 1}},
        {"if a = b: pass", "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", {1, 6}},
        {"f(a.b=1)", "expression cannot contain assignment, perhaps you meant \"==\"?", {1, 3}},
        {"f(a=1, b)", "positional argument follows keyword argument", {1, 8}},
        {"def f(a=1, b): pass", "parameter without a default follows parameter with a default", {1, 12}},
        {"print a", "Missing parentheses in call to 'print'. Did you mean print(...)?", {1, 1}},
        {"try: a\nb", "expected 'except' or 'finally' block", {2, 1}},
        {"try: a\nexcept A, B: c", "multiple exception types must be parenthesized", {2, 8}},
        {"from a import b,\n", "trailing comma not allowed without surrounding parentheses", {1, 17}},
        {"{1: 2, 3}", "':' expected after dictionary key", {1, 8}},
        {"a if b", "expected 'else' after 'if' expression", {1, 1}},
        {"a = 1 2", "invalid syntax", {1, 7}},
        {"class = 1", "invalid syntax", {1, 7}},
        {"\"\\x1\"",
         "(unicode error) 'unicodeescape' codec can't decode bytes: truncated \\xXX escape",
         {1, 2}},
        {"f'{}'", "f-string: valid expression required before '}'", {1, 4}},
        {"f'{a!x}'", "f-string: invalid conversion character 'x': expected 's', 'r', or 'a'", {1, 6}},
    });
}

TEST_CASE("a mistake of the lexer is told where the parser comes to it") {
    check({{"a b\n'c", "invalid syntax", {1, 3}},
           {"a = 'c\n", "unterminated string literal (detected at line 1)", {1, 5}}});
}

TEST_CASE("what is nested too deeply is told") {
    const auto code = [](const std::string& text) {
        const SourceText source(text);
        const ParsedFile file = parse(source);
        return file.error ? file.error->code : "";
    };
    const auto repeated = [](std::string_view part, std::size_t times) {
        std::string out;
        for (std::size_t i = 0; i < times; ++i) {
            out += part;
        }
        return out;
    };
    CHECK(code(repeated("(", 200) + "1" + repeated(")", 200)).empty());
    CHECK(code(repeated("{1:", 200) + "1" + repeated("}", 200)).empty());
    CHECK(code(repeated("(", 201)) == "AMP3003");
    CHECK(code(repeated("not ", 100'000) + "a") == "AMP3003");
    CHECK(code(repeated("-", 100'000) + "a") == "AMP3003");
    CHECK(code(repeated("lambda: ", 100'000) + "a") == "AMP3003");
    CHECK(code(repeated("a if b else ", 100'000) + "a") == "AMP3003");
    CHECK(code(repeated("a**", 100'000) + "a") == "AMP3003");
    CHECK(code("a" + repeated("+a", 100'000)) == "AMP3003");
    CHECK(code("a" + repeated(".a", 100'000)) == "AMP3003");
    CHECK(code("a" + repeated("()", 100'000)) == "AMP3003");
    CHECK(code("a" + repeated("[a]", 100'000)) == "AMP3003");
    CHECK(code("a" + repeated("+a", 1'000)).empty());
    CHECK(code("a" + repeated(" and a", 100'000)).empty());
    CHECK(code("a" + repeated(" < a", 100'000)).empty());
    CHECK(code("if a: b\n" + repeated("elif a: b\n", 20'000)).empty());
    CHECK(code(repeated("f'{", 101)) == "AMP3003");
}

}  // namespace amp::python
