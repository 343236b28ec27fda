#include "core/base/value.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace amp;

TEST_CASE("values know their types, and integers are told from floats") {
    CHECK(Value().type_name() == "null");
    CHECK(Value(true).type_name() == "bool");
    CHECK(Value(1).type_name() == "int");
    CHECK(Value(1.0).type_name() == "float");
    CHECK(Value("x").type_name() == "string");
    CHECK(Value(List{}).type_name() == "list");
    CHECK(Value(Object{}).type_name() == "object");
    CHECK(Value(FileRef{}).type_name() == "file");
    CHECK(Value(std::numeric_limits<std::int64_t>::min()).as_int() ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(Value(2).as_float() == 2.0);
    CHECK_THROWS_AS(Value("x").as_int(), std::bad_variant_access);
}

TEST_CASE("values compare by what they hold") {
    CHECK(Value(1) == Value(1.0));
    CHECK_FALSE(Value(1) == Value(true));
    CHECK_FALSE(Value(0) == Value());
    CHECK(Value(List{1, "x"}) == Value(List{1, "x"}));
    CHECK_FALSE(Value(List{1, 2}) == Value(List{2, 1}));
    CHECK(Value(Object{{"a", 1}, {"b", List{}}}) == Value(Object{{"b", List{}}, {"a", 1}}));
    CHECK_FALSE(Value(Object{{"a", 1}}) == Value(Object{{"a", 2}}));
    CHECK(Value(FileRef{"p", "s", 1, false}) == Value(FileRef{"p", "s", 1, false}));
    CHECK_FALSE(Value(FileRef{"p", "s", 1, false}) == Value(FileRef{"p", "s", 1, true}));
    // Integers beyond 2^53 are not equal to the float that is nearest to them.
    CHECK_FALSE(Value((std::int64_t{1} << 53) + 1) == Value(9007199254740992.0));
    CHECK(Value(std::int64_t{1} << 53) == Value(9007199254740992.0));
    CHECK_FALSE(Value(std::numeric_limits<std::int64_t>::max()) == Value(9223372036854775808.0));
    CHECK_FALSE(Value(1) == Value(std::numeric_limits<double>::infinity()));
}

TEST_CASE("members of records are read with a fallback") {
    const Value record =
        Object{{"s", "x"}, {"i", 3}, {"f", 0.5}, {"b", true}, {"l", List{1}}, {"o", Object{{"k", 1}}}};
    CHECK(get_string(record, "s") == "x");
    CHECK(get_string(record, "i", "other") == "other");
    CHECK(get_int(record, "i") == 3);
    CHECK(get_int(record, "f", 7) == 7);
    CHECK(get_float(record, "i") == 3.0);
    CHECK(get_float(record, "f") == 0.5);
    CHECK(get_bool(record, "b"));
    CHECK_FALSE(get_bool(record, "none"));
    CHECK(get_list(record, "l").size() == 1);
    CHECK(get_list(record, "o").empty());
    CHECK(get_object(record, "o").size() == 1);
    CHECK(get_object(Value(3), "o").empty());
    CHECK(Value(3).find("x") == nullptr);
}
