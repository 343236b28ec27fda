#include "core/flow/setting.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::ValueScope;

Setting setting(Value value) {
    Setting out;
    if (value.is_string() && has_expression(value.as_string())) {
        Diagnostics diagnostics;
        out.text = TextTemplate::parse(value.as_string(), {}, true, diagnostics);
    }
    out.value = std::move(value);
    return out;
}

ValueScope scope() {
    return ValueScope(
        Object{{"params", Object{{"n", 4}, {"mem", "8Gi"}, {"time", "1h30m"}, {"xs", List{1, 2}}}},
               {"data", FileRef{"a/b", "", 0, false}}});
}

TEST_CASE("a lone expression keeps its type, all else is text, in tables too") {
    const ValueScope s = scope();
    CHECK(json::dump(evaluate(setting("{{ params.n * 2 }}"), s)) == "8");
    CHECK(json::dump(evaluate(setting("x{{ params.n }}"), s)) == "\"x4\"");
    CHECK(json::dump(evaluate(setting("plain"), s)) == "\"plain\"");
    CHECK(json::dump(evaluate(setting(7), s)) == "7");
    CHECK(json::dump(evaluate(
              setting(json::parse(
                  R"({"a": ["{{ params.xs }}", "{{ params.n }}G"], "b": {"c": "{{ null }}", "d": 1}})")),
              s)) == R"({"a":[[1,2],"4G"],"b":{"c":null,"d":1}})");
    CHECK_THROWS_AS(evaluate(setting("x{{ data }}"), s), Error);
    CHECK_THROWS_AS(evaluate(setting("{{ params.nope }}"), s), Error);
    CHECK_THROWS_AS(evaluate(setting(List{"{{ 1 + }}"}), s), Error);
}

TEST_CASE("expressions are found everywhere") {
    Diagnostics d;
    CHECK(expressions_of(setting("{{ a }}{{ b }}"), d).size() == 2);
    const auto found =
        expressions_of(setting(json::parse(R"({"a": ["{{ x }}", 1], "b": {"c": "y{{ z }}"}})")), d);
    REQUIRE(found.size() == 2);
    CHECK(found[1].text() == "z");
    CHECK_FALSE(d.has_errors());
    expressions_of(setting(List{"{{ 1 + }}", "{{ ) }}"}), d);
    CHECK(d.error_count() == 2);
}

TEST_CASE("durations, sizes and numbers") {
    const ValueScope s = scope();
    CHECK(setting_duration_s(setting("{{ params.time }}"), s, "timeout") == 5400);
    CHECK(setting_duration_s(setting(90), s, "timeout") == 90);
    CHECK(setting_duration_s(setting("0.5"), s, "timeout") == 0.5);
    CHECK(setting_size_bytes(setting("{{ params.mem }}"), s, "memory") == std::uint64_t{8} << 30);
    CHECK(setting_size_bytes(setting("{{ params.n }}G"), s, "memory") == 4'000'000'000);
    CHECK(setting_int(setting("{{ params.n }}"), s, "gpu", 0, 8) == 4);
    CHECK(setting_int(setting("4"), s, "gpu", 0, 8) == 4);
    CHECK(setting_int(setting(4.0), s, "gpu", 0, 8) == 4);
    CHECK(setting_int(setting(-3), s, "priority", -10, 10) == -3);
    CHECK(setting_number(setting(0.5), s, "cpu") == 0.5);
    CHECK(setting_number(setting("{{ params.n / 8 }}"), s, "cpu") == 0.5);
}

TEST_CASE("what does not fit says which key, and what it wants") {
    const ValueScope s = scope();
    const auto message = [&](auto action) -> std::string {
        try {
            action();
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::invalid);
            CHECK(error.where() == "step.train.key");
            return error.message() + " | " + error.hint();
        }
        return "none";
    };
    const std::string_view key = "step.train.key";
    CHECK(message([&] { setting_duration_s(setting("soon"), s, key); }) ==
          "step.train.key must be a duration, not 'soon' | write \"1h30m\", \"90s\", or a number of seconds");
    CHECK(message([&] { setting_size_bytes(setting(64), s, key); }) ==
          "step.train.key must be a size with its unit, not '64' | write \"64Gi\" (2^30) or \"64G\" (10^9)");
    for (const Value& value :
         {Value(-1), Value(9), Value(1.5), Value("x"), Value(), Value(true), Value(List{}), Value("")}) {
        CHECK(message([&] { setting_int(setting(value), s, key, 0, 8); }) != "none");
    }
    for (const Value& value : {Value(-1), Value("-5s"), Value(true), Value("")}) {
        CHECK(message([&] { setting_duration_s(setting(value), s, key); }) != "none");
        CHECK(message([&] { setting_number(setting(value), s, key); }) != "none");
        CHECK(message([&] { setting_size_bytes(setting(value), s, key); }) != "none");
    }
}

}  // namespace
}  // namespace amp
