#include "core/python/literal.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"
#include "core/python/parser.hpp"

namespace amp::python {
namespace {

std::string value(const std::string& text) {
    const SourceText source(text);
    const ParsedFile file = parse(source);
    REQUIRE(!file.error);
    const NodeId statement = file.tree.child(file.tree.root(), 0);
    const auto found = literal_value(file.tree, file.tree.child(statement, 0), {{"K", Value(7)}});
    return found ? json::dump(*found) : "computed";
}

}  // namespace

TEST_CASE("what is written out is a value") {
    CHECK(value("1_000") == "1000");
    CHECK(value("-0x10") == "-16");
    CHECK(value("1.5e3") == "1500.0");
    CHECK(value("-2.5") == "-2.5");
    CHECK(value("'a' \"b\"") == "\"ab\"");
    CHECK(value("None") == "null");
    CHECK(value("[True, False, (1, 'x'), []]") == "[true,false,[1,\"x\"],[]]");
    CHECK(value("{'a': {'b': -1}, 'c': (None,)}") == "{\"a\":{\"b\":-1},\"c\":[null]}");
    CHECK(value("K") == "7");
}

TEST_CASE("sums and products of numbers") {
    CHECK(value("60 * 60 * 24") == "86400");
    CHECK(value("16 * 1024 + K") == "16391");
    CHECK(value("2 ** 10") == "1024");
    CHECK(value("1 << 20") == "1048576");
    CHECK(value("1 / 4") == "0.25");
    CHECK(value("7 // 2") == "3");
    CHECK(value("0.5 * 4") == "2.0");
    CHECK(value("'a' + 'b'") == "\"ab\"");
    CHECK(value("not True") == "false");
}

TEST_CASE("what Python has to compute") {
    for (const char* text : {"x",
                             "f()",
                             "a.b",
                             "f'{x}'",
                             "b'x'",
                             "{1, 2}",
                             "1j",
                             "[1, x]",
                             "{1: 2}",
                             "{**x}",
                             "99999999999999999999",
                             "9223372036854775807 + 1",
                             "2 ** 99",
                             "1 / 0",
                             "-7 // 2",
                             "lambda: 1",
                             "1 if x else 2",
                             "'\\N{BULLET}'",
                             "'\\ud800'",
                             "[*x]",
                             "...",
                             "'a' * 3"}) {
        CHECK_MESSAGE(value(text) == "computed", text);
    }
}

}  // namespace amp::python
