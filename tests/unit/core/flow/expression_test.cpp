#include "core/flow/expression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/flow/functions.hpp"
#include "core/flow/interpolation.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::ValueScope;

Value sample() {
    return json::parse(R"({
        "params": {"lr": 0.5, "n": 3, "name": "Ada", "xs": [3, 1, 2], "o": {"b": 2, "a": 1}, "empty": [], "ok": true,
                   "nothing": null, "deep": {"k k": {"z": [10, 20]}}},
        "item": {"action": "click"}, "index": 2,
        "train": [{"loss": 0.1, "m": [1, 2]}, {"loss": 0.2, "m": [3, 4]}, {"other": 1}]
    })");
}

std::optional<Expression> parse(std::string_view text, Diagnostics& diagnostics) {
    return Expression::parse(text, {1, 1, 1}, diagnostics);
}

/// The value as JSON, or "error: MESSAGE".
std::string result(std::string_view text, const Scope& scope = ValueScope(sample())) {
    Diagnostics diagnostics;
    const auto expression = parse(text, diagnostics);
    if (!expression) {
        return diagnostics.sorted().at(0).code;
    }
    try {
        return json::dump(expression->evaluate(scope));
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::invalid);
        CHECK(error.where() == expression->text());
        return "error: " + error.message();
    }
}

Diagnostic mistake(std::string_view text, Place at = {1, 1, 1}) {
    Diagnostics diagnostics;
    CHECK_FALSE(Expression::parse(text, at, diagnostics));
    REQUIRE(diagnostics.sorted().size() == 1);
    return diagnostics.sorted()[0];
}

struct Row {
    std::string text;
    std::string expected;
};

TEST_CASE("literals") {
    const Row rows[] = {
        {"1", "1"},
        {"-1", "-1"},
        {"1_000", "1000"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"3e-4", "3e-04"},
        {"1E3", "1000.0"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"'a'", "\"a\""},
        {"\"it's\"", "\"it's\""},
        {R"('\n\t\\\'\x41\u00e9')", "\"\\n\\t\\\\'A\xC3\xA9\""},
        {"true", "true"},
        {"false", "false"},
        {"null", "null"},
        {"[]", "[]"},
        {"[1, 'a', [2,],]", "[1,\"a\",[2]]"},
        {"{}", "{}"},
        {"{'a': 1, 'b': {'c': 2}}", R"({"a":1,"b":{"c":2}})"},
        {"(1)", "1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("operators, their precedence and their types") {
    const Row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 2 - 3", "5"},
        {"7 / 2", "3.5"},
        {"4 / 2", "2.0"},
        {"7 % 3", "1"},
        {"-7 % 3", "2"},
        {"7 % -3", "-2"},
        {"7.5 % 2", "1.5"},
        {"- params.n", "-3"},
        {"--1", "1"},
        {"+2", "2"},
        {"1 + 0.5", "1.5"},
        {"'a' + 'b'", "\"ab\""},
        {"[1] + [2]", "[1,2]"},
        {"2 * -3", "-6"},
        {"-params.xs[0] + 1", "-2"},
        {"1 < 2", "true"},
        {"2 <= 2", "true"},
        {"1 == 1.0", "true"},
        {"1 != 2", "true"},
        {"'a' < 'b'", "true"},
        {"[1, 2] < [1, 3]", "true"},
        {"1 == '1'", "false"},
        {"null == null", "true"},
        {"true == 1", "false"},
        {"2 in [1, 2]", "true"},
        {"5 not in [1, 2]", "true"},
        {"'d' in 'Ada'", "true"},
        {"'a' in params.o", "true"},
        {"not true", "false"},
        {"not not 1", "true"},
        {"1 and 0", "0"},
        {"0 or 'x'", "\"x\""},
        {"'' or [] or 5", "5"},
        {"true or 1/0", "true"},
        {"false and 1/0", "false"},
        {"1 if true else 1/0", "1"},
        {"1 if 0 else 2 if 0 else 3", "3"},
        {"not 1 == 2", "true"},
        {"1 + 1 == 2 and 2 in [2]", "true"},
        {"1 == 1 or 1/0 == 1", "true"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("arithmetic that has no result is an error") {
    const Row rows[] = {
        {"1 / 0", "error: division by zero"},
        {"1 % 0", "error: division by zero"},
        {"1.0 / 0", "error: division by zero"},
        {"9223372036854775807 + 1", "error: 9223372036854775807 + 1 does not fit 64 bits"},
        {"-9223372036854775808 - 1", "error: -9223372036854775808 - 1 does not fit 64 bits"},
        {"9223372036854775807 * 2", "error: 9223372036854775807 * 2 does not fit 64 bits"},
        {"-9223372036854775808 % -1", "0"},
        {"-(-9223372036854775808)", "error: 0 - -9223372036854775808 does not fit 64 bits"},
        {"'a' + 1", "error: '+' cannot work on string and int"},
        {"[1] * 2", "error: '*' cannot work on list and int"},
        {"'a' < 1", "error: string and int have no order"},
        {"null < null", "error: null and null have no order"},
        {"1 in 2", "error: 'in' cannot look for int in int"},
        {"{1: 2}", "error: the key of an object must be a string, not int"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("references") {
    const Row rows[] = {
        {"params.lr", "0.5"},
        {"params.xs[0]", "3"},
        {"params.xs[-1]", "2"},
        {"params['name']", "\"Ada\""},
        {"params.deep['k k'].z[1]", "20"},
        {"item.action", "\"click\""},
        {"index", "2"},
        {"params.xs[params.n - 1]", "2"},
        {"params.o[params.xs[1] == 1 and 'b' or 'a']", "2"},
        {"train.*.loss", "[0.1,0.2]"},
        {"train[1].loss", "0.2"},
        {"train.*.m[0]", "[1,3]"},
        {"train.*.m[params.xs[1] - 1]", "[1,3]"},
        {"params.o.*", "[1,2]"},
        {"[[1, 2], [3]][0][1]", "2"},
        {"{'a': [5]}.a[0]", "5"},
        {"sorted(params.xs)[0]", "1"},
        {"-[5][0]", "-5"},
        {"params.nope", "error: 'params.nope' does not exist"},
        {"nope", "error: 'nope' does not exist"},
        {"params.xs[3]", "error: 'params.xs[3]' does not exist"},
        {"params.xs[params.n]", "error: a list of 3 has no entry [3]"},
        {"[1][5]", "error: a list of 1 has no entry [5]"},
        {"{'abc': 1}.abd", "error: there is no member 'abd'"},
        {"(1).x", "error: an int has no '.x'"},
        {"params.xs[1.5]", "error: an index must be int or string, not float"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("functions") {
    const Row rows[] = {
        {"len(params.xs)", "3"},
        {"len('\xC3\xA9t\xC3\xA9')", "3"},
        {"len(params.o)", "2"},
        {"len(1)", "error: len() needs a list, object or string, not int"},
        {"range(3)", "[0,1,2]"},
        {"range(1, 4)", "[1,2,3]"},
        {"range(5, 0, -2)", "[5,3,1]"},
        {"range(0)", "[]"},
        {"range(3, 1)", "[]"},
        {"range(0, 9, 0)", "error: the step of range() is zero"},
        {"range(-9223372036854775808, 9223372036854775807, 9223372036854775807)",
         "[-9223372036854775808,-1,9223372036854775806]"},
        {"zip([1, 2, 3], ['a', 'b'])", R"([[1,"a"],[2,"b"]])"},
        {"enumerate(['a', 'b'])", R"([[0,"a"],[1,"b"]])"},
        {"enumerate(['a'], 5)", R"([[5,"a"]])"},
        {"keys(params.o)", R"(["a","b"])"},
        {"values(params.o)", "[1,2]"},
        {"sorted(params.xs)", "[1,2,3]"},
        {"sorted(['b', 'a'])", R"(["a","b"])"},
        {"sorted([[2, 'a'], [1, 'b']])", R"([[1,"b"],[2,"a"]])"},
        {"sorted([1, 'a'])", "error: string and int have no order"},
        {"sorted([])", "[]"},
        {"basename('/a/b.txt')", "\"b.txt\""},
        {"basename('/a/b/')", "\"b\""},
        {"basename('/')", "\"/\""},
        {"dirname('/a/b.txt')", "\"/a\""},
        {"dirname('b')", "\".\""},
        {"dirname('/b')", "\"/\""},
        {"dirname('a//b/')", "\"a\""},
        {"join([1, 'a', true], '-')", "\"1-a-true\""},
        {"join([], ',')", "\"\""},
        {"join(['a', 'b'])", "\"ab\""},
        {"join('a', 'b')", "error: join() needs a list, not string"},
        {"split('a,b,,c', ',')", R"(["a","b","","c"])"},
        {"split('  a  b ')", R"(["a","b"])"},
        {"split('', ',')", R"([""])"},
        {"split('')", "[]"},
        {"split('a', '')", "error: the separator of split() is empty"},
        {"lower('ABC\xC3\x89')", "\"abc\xC3\x89\""},
        {"upper('abc')", "\"ABC\""},
        {"replace('aXbX', 'X', '--')", "\"a--b--\""},
        {"replace('a', '', 'b')", "error: the text that replace() looks for is empty"},
        {"json(params.o)", R"("{\"a\":1,\"b\":2}")"},
        {"json('a')", R"("\"a\"")"},
        {"json(null)", "\"null\""},
        {"int('42')", "42"},
        {"int(' -7 ')", "-7"},
        {"int(3.9)", "3"},
        {"int(-3.9)", "-3"},
        {"int(true)", "1"},
        {"int('4x')", "error: int() cannot read '4x'"},
        {"int(1e30)", "error: 1e+30 does not fit 64 bits"},
        {"int([])", "error: int() needs a number or string, not list"},
        {"float('1e3')", "1000.0"},
        {"float(2)", "2.0"},
        {"str(1.5)", "\"1.5\""},
        {"str([1, 'a'])", R"("[1,\"a\"]")"},
        {"str(null)", "\"\""},
        {"min(3, 1, 2)", "1"},
        {"max([3, 1, 2])", "3"},
        {"max('a', 'b')", "\"b\""},
        {"min([])", "error: min() of an empty list"},
        {"sum([1, 2.5])", "3.5"},
        {"sum([])", "0"},
        {"sum(['a'])", "error: sum() needs numbers, not string"},
        {"now()", "\"2026-11-20T08:15:30.123Z\""},
        {"always()", "true"},
        {"raw('a b')", "\"a b\""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("default and exists decide upon what does not exist") {
    const Row rows[] = {
        {"default(nope.x, params.n)", "3"},
        {"default(params.n, 1/0)", "3"},
        {"default(params.nothing, 5)", "null"},
        {"default(params.xs[params.n], 'none')", "\"none\""},
        {"default(nope.x + 1, 7)", "7"},
        {"default(nope.a, nope.b)", "error: nothing that default() names exists"},
        {"default(1/0, 2)", "error: division by zero"},
        {"default(default(nope), 4)", "4"},
        {"exists(params.n)", "true"},
        {"exists(nope.x)", "false"},
        {"exists(params.n, nope)", "false"},
        {"exists(params.nothing)", "true"},
        {"exists([1][4])", "false"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(result(row.text) == row.expected);
    }
}

TEST_CASE("failed asks the scope") {
    ValueScope scope;
    CHECK(result("failed()", scope) == "false");
    scope.fail("train");
    CHECK(result("failed()", scope) == "true");
    CHECK(result("failed('train') and not failed('other')", scope) == "true");
}

TEST_CASE("the path of a file is late") {
    const ValueScope scope(Object{{"prepare", Object{{"data", FileRef{"prepare/data.bin", "00", 1, false}}}},
                                  {"outputs", Object{{"model", output_value("dir/model.bin")}}}});
    CHECK(result("basename(prepare.data)", scope) == "\"data.bin\"");
    CHECK(result("basename(outputs.model)", scope) == "\"model.bin\"");
    CHECK(result("default(prepare.data, 1) == prepare.data", scope) == "true");
    for (const std::string text :
         {"prepare.data + '.bak'", "'x' + outputs.model", "str(prepare.data)", "json([prepare.data])",
          "dirname(prepare.data)", "join([prepare.data], ' ')", "lower(outputs.model)",
          "str([outputs.model])"}) {
        CAPTURE(text);
        CHECK(result(text, scope).find("known only where the task runs") != std::string::npos);
    }
}

TEST_CASE("mistakes of form: code, place and hint") {
    struct Wrong {
        std::string text;
        std::string code;
        std::uint32_t column;
        std::uint32_t length;
        std::string hint;  ///< a part of it
    };
    const Wrong rows[] = {
        {"1 +", "AMP1101", 4, 1, ""},
        {"1 2", "AMP1101", 3, 1, ""},
        {"(1", "AMP1101", 3, 1, ""},
        {"[1 2]", "AMP1101", 4, 1, ""},
        {"a.b.upper()", "AMP1101", 5, 5, "upper(x)"},
        {"[x for x in y]", "AMP1101", 4, 3, "foreach"},
        {"a.", "AMP1101", 3, 1, ""},
        {"range(start=1)", "AMP1103", 12, 1, "=="},
        {"if x", "AMP1101", 1, 2, ""},
        {"{'a' 1}", "AMP1101", 6, 1, ""},
        {"'abc", "AMP1102", 1, 4, "close it"},
        {R"('a\q')", "AMP1102", 3, 2, ""},
        {"a && b", "AMP1103", 3, 2, "`and`"},
        {"a || b", "AMP1103", 3, 2, "`or`"},
        {"!a", "AMP1103", 1, 1, "`not`"},
        {"2 ** 3", "AMP1103", 3, 2, "power"},
        {"a | lower", "AMP1103", 3, 1, "filters"},
        {"a @ b", "AMP1103", 3, 1, ""},
        {"a \xC3\xA9", "AMP1103", 3, 2, ""},
        {"lenght(x)", "AMP1104", 1, 6, "did you mean 'len'"},
        {"rang(3)", "AMP1104", 1, 4, "did you mean 'range'"},
        {"foobarbaz(3)", "AMP1104", 1, 9, "functions: always"},
        {"len()", "AMP1105", 1, 3, "len(x)"},
        {"len(1, 2)", "AMP1105", 1, 3, "len(x)"},
        {"failed(step)", "AMP1105", 8, 1, "failed(\"train\")"},
        {"64G", "AMP1107", 1, 3, "'64G'"},
        {"99999999999999999999", "AMP1107", 1, 20, "float"},
        {"1 < 2 < 3", "AMP1108", 7, 1, "`and`"},
        {"", "AMP1109", 1, 1, ""},
        {"  ", "AMP1109", 3, 1, ""},
        {"raw(x) + 'a'", "AMP1110", 1, 3, ""},
        {"True", "AMP1112", 1, 4, "true"},
    };
    for (const Wrong& row : rows) {
        CAPTURE(row.text);
        const Diagnostic found = mistake(row.text);
        CHECK(found.code == row.code);
        if (found.code == "AMP1104" && found.message.find("lenght") != std::string::npos) {
            continue;  // too far from any name
        }
        CHECK(found.place == Place{1, row.column, row.length});
        CHECK(found.hint.find(row.hint) != std::string::npos);
    }
}

TEST_CASE("places go on from where the expression begins, over lines") {
    CHECK(mistake("a +\n  + )", {7, 20, 1}).place == Place{8, 5, 1});
    CHECK(mistake("a )", {7, 20, 1}).place == Place{7, 22, 1});
    Diagnostics diagnostics;
    CHECK_FALSE(Expression::parse("a )", {7, 20, 9}, diagnostics, true));
    CHECK(diagnostics.sorted()[0].place == Place{7, 20, 9});
}

TEST_CASE("uses tells every reference, and which are guarded") {
    Diagnostics diagnostics;
    const auto e =
        parse(" default(a.x, b[i].y) + train.*.loss[0] if failed('t') else exists(c) ", diagnostics);
    REQUIRE(e);
    std::vector<std::string> found;
    for (const Expression::Use& use : e->uses()) {
        found.push_back(use.reference.text() + (use.guarded ? " guarded" : ""));
    }
    CHECK(found == std::vector<std::string>{"a.x guarded", "b[…] guarded", "i guarded", "train.*.loss[0]",
                                            "c guarded"});
    CHECK(e->uses()[3].reference.place == Place{1, 25, 15});
    CHECK(e->failed_steps() == std::vector<std::string>{"t"});
    CHECK(e->is_cleanup());
    CHECK_FALSE(e->is_raw());
    CHECK(e->text() == "default(a.x, b[i].y) + train.*.loss[0] if failed('t') else exists(c)");
    CHECK(e->place().column == 2);
    CHECK_FALSE(e->literal());
    CHECK(parse("raw(a)", diagnostics)->is_raw());
    CHECK(parse("'a'", diagnostics)->literal() == Value("a"));
}

TEST_CASE("reserved words") {
    for (const char* word :
         {"params", "item", "outputs", "len", "raw", "and", "true", "step", "attempt", "zip"}) {
        CAPTURE(word);
        CHECK(is_reserved_word(word));
    }
    CHECK_FALSE(is_reserved_word("train"));
    CHECK_FALSE(is_reserved_word(""));
    for (const std::string_view word : reserved_words()) {
        CHECK(is_reserved_word(word));
    }
    CHECK(std::is_sorted(functions().begin(), functions().end(),
                         [](const Function& a, const Function& b) { return a.name < b.name; }));
}

TEST_CASE("value_text and truthy") {
    CHECK(value_text("a b") == "a b");
    CHECK(value_text({}).empty());
    CHECK(value_text(1.0) == "1.0");
    CHECK(value_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(value_text(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(value_text(true) == "true");
    CHECK(value_text(List{1, "a"}) == "[1,\"a\"]");
    CHECK_THROWS_AS(value_text(std::string("a\0b", 3)), Error);
    CHECK_THROWS_AS(value_text(FileRef{"a", "", 0, false}), Error);
    for (const Value& value :
         {Value(), Value(false), Value(0), Value(0.0), Value(""), Value(List{}), Value(Object{})}) {
        CHECK_FALSE(truthy(value));
    }
    for (const Value& value : {Value(true), Value(-1), Value("0"), Value(List{0}), Value(FileRef{})}) {
        CHECK(truthy(value));
    }
}

}  // namespace
}  // namespace amp
