#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/flow/expression.hpp"
#include "tests/support/cpu_time.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::ValueScope;

/// The value as JSON, "error: MESSAGE", or the code of a mistake of form.
std::string result(std::string_view text, const Scope& scope = ValueScope()) {
    Diagnostics diagnostics;
    const auto expression = Expression::parse(text, {1, 1, 1}, diagnostics);
    if (!expression) {
        return diagnostics.sorted().at(0).code;
    }
    try {
        return json::dump(expression->evaluate(scope));
    } catch (const Error& error) {
        return "error: " + error.message();
    }
}

TEST_CASE("an evaluation is bounded") {
    const double begin = cpu_seconds();
    for (const std::string text :
         {"range(10000000000)", "range(-9223372036854775808, 9223372036854775807)",
          "replace(replace(replace(big, 'x', big), 'x', big), 'x', big)", "join(range(9000000), big)",
          "big + big + big + big + big + big + big + big + big + big + big + big + big + big + big + big + "
          "big + big",
          "json([many, many, many, many, many, many, many, many, many, many, many])",
          "[many, many, many, many, many, many, many, many, many, many, many]"}) {
        CAPTURE(text);
        const ValueScope scope(
            Object{{"big", std::string(4'000'000, 'x')}, {"many", List(1'000'000, Value(1))}});
        CHECK(result(text, scope).find("error: the expression makes more than") == 0);
    }
    CHECK(cpu_seconds() - begin < 20.0 * k_slower);
}

TEST_CASE("nesting is bounded, chains are not") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "1" + std::string(depth, ')');
    };
    CHECK(result(nested(60)) == "1");
    CHECK(result(nested(64)) == "AMP1106");
    CHECK(result(std::string(8000, '(')) == "AMP1106");
    CHECK(result(std::string(8000, '[')) == "AMP1106");
    CHECK(result(std::string(8000, '-') + "1") == "AMP1106");
    CHECK(result(std::string(1 << 20, '(')) == "AMP1106");
    std::string nots;
    std::string sum = "1";
    std::string ifs;
    for (int i = 0; i < 3000; ++i) {
        nots += "not ";
        sum += "+1";
        ifs += "1 if 0 else ";
    }
    CHECK(result(nots + "1") == "AMP1106");
    CHECK(result(ifs + "1") == "AMP1106");
    CHECK(result(sum) == "3001");
}

TEST_CASE("random and mutated expressions neither crash nor hang") {
    std::mt19937_64 random(20261120);
    const std::string_view seeds[] = {
        "default(a.x, b[i].y) + train.*.loss[0] if failed('t') else exists(c)",
        "{'a': [1, 2.5e3, \"x\\n\"], 'b': not null}",
        "sorted(zip(range(3), split('a b c')))[-1][1] not in params.xs",
        "join(enumerate(keys(params.o)), '-') + str(index % 2)",
        "replace(upper(item.action), 'A', json(params.deep)) == 'x' and -3 * (2 - 1) / 4 >= 0.5",
        "raw(max(1, 2, 3))"};
    const std::string_view pieces[] = {
        "(",   ")",   "[",     "]", "{", "}", "'",      "\"",       "\\",   ".*", ",",  ":", "not ",
        "in ", "if ", "else ", "9", "e", ".", "range(", "default(", "\x80", "\n", "**", "-", "params.xs"};
    const ValueScope scope(json::parse(
        R"({"params": {"n": 3, "xs": [3, 1, 2], "o": {"b": 2}, "deep": {"k": [10]}}, "item": {"action": "click"}, "index": 2,
            "train": [{"loss": [0.1]}, {"loss": [0.2]}]})"));
    std::size_t evaluated = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::string text(seeds[random() % std::size(seeds)]);
        if (i % 10 == 0) {
            text.assign(random() % 60, ' ');
            std::generate(text.begin(), text.end(), [&] { return static_cast<char>(random()); });
        }
        for (std::size_t n = random() % 4; n > 0; --n) {
            const std::size_t at = random() % (text.size() + 1);
            const std::string_view piece = pieces[random() % std::size(pieces)];
            switch (random() % 3) {
                case 0:
                    text.insert(at, piece);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 5);
                    break;
                default:
                    text.replace(at, std::min(text.size() - at, piece.size()), piece);
            }
        }
        Diagnostics diagnostics;
        if (const auto expression = Expression::parse(text, {1, 1, 1}, diagnostics)) {
            try {
                expression->evaluate(scope);
            } catch (const Error&) {
            }
            ++evaluated;
        } else {
            CHECK(diagnostics.error_count() == 1);
        }
    }
    CHECK(evaluated > 10'000);
}

}  // namespace
}  // namespace amp
