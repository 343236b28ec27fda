#include "core/base/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/base/error.hpp"

using namespace amp;

TEST_CASE("canonical JSON: sorted, without spaces, shortest numbers") {
    CHECK(json::dump(Value()) == "null");
    CHECK(json::dump(true) == "true");
    CHECK(json::dump(-5) == "-5");
    CHECK(json::dump(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(json::dump(0.1) == "0.1");
    CHECK(json::dump(1.0) == "1.0");
    CHECK(json::dump(-0.0) == "-0.0");
    CHECK(json::dump(1e100) == "1e+100");
    CHECK(json::dump(5e-324) == "5e-324");
    CHECK(json::dump(std::nan("")) == "\"nan\"");
    CHECK(json::dump(std::numeric_limits<double>::infinity()) == "\"inf\"");
    CHECK(json::dump(-std::numeric_limits<double>::infinity()) == "\"-inf\"");
    CHECK(json::dump(Object{{"b", List{1, 2.5, "x"}}, {"a", Object{}}, {"B", List{}}}) ==
          R"({"B":[],"a":{},"b":[1,2.5,"x"]})");
}

TEST_CASE("strings are quoted, and never carry a raw control character or invalid UTF-8") {
    CHECK(json::quote("a\"b\\c/\n\r\t\x01\x1f") == R"("a\"b\\c/\n\r\t\u0001\u001f")");
    CHECK(json::quote("gr\xc3\xbcn \xf0\x9f\x98\x80") == "\"gr\xc3\xbcn \xf0\x9f\x98\x80\"");
    CHECK(json::quote("a\xff") == "\"a\xef\xbf\xbd\"");
    CHECK(json::quote(std::string("\0", 1)) == R"("\u0000")");
    CHECK(json::dump(Object{{"k\xff\n", 1}}) == "{\"k\xef\xbf\xbd\\n\":1}");
}

TEST_CASE("what is dumped is parsed back") {
    const Value value = Object{{"i", std::numeric_limits<std::int64_t>::max()},
                               {"f", 0.1},
                               {"whole", 3.0},
                               {"tiny", 5e-324},
                               {"huge", std::numeric_limits<double>::max()},
                               {"s", std::string("\0\n\"\\ gr\xc3\xbcn", 10)},
                               {"l", List{Value(), true, List{}, Object{}}},
                               {"file", FileRef{"prepare/data", std::string(64, 'a'), 123, true}}};
    const Value back = json::parse_record(json::dump_record(value));
    CHECK(back == value);
    CHECK(back.find("whole")->is_float());
    CHECK(back.find("i")->is_int());
    CHECK(back.find("file")->as_file() == value.find("file")->as_file());
    CHECK(json::parse_record(json::dump_pretty(value)) == value);
    CHECK(json::dump(back) == json::dump(value));
    CHECK(json::dump_record(value) == json::dump(value));
}

TEST_CASE(
    "a file size past 2^63 does not turn negative, and an object that only looks like a file stays one") {
    CHECK(json::parse_record(R"({"$file":{"path":"p"},"x":1})").is_object());
    CHECK(json::parse_record(R"({"$file":3})").is_object());
    CHECK(json::parse_record(R"({"$file":{"path":"p","size_bytes":-1}})").is_object());
    CHECK(json::parse_record(R"({"$file":{"path":"p"}})").is_file());
}

TEST_CASE("what a user writes is never taken for a file, neither as it comes nor out of a record") {
    for (const char* text :
         {R"({"$file":{"is_folder":false,"path":"p","sha256":"x","size_bytes":1}})",
          R"([{"$file":{"path":"/etc/passwd"}}])", R"({"$$file":{"path":"p"}})", R"({"$file":3})",
          R"({"$file":{}})", R"({"a$file":1})", R"({"$$file":2,"$file":1})",
          R"({"$$$file":{"$file":{"path":"p"}}})", R"({"$$":1})"}) {
        CAPTURE(text);
        const Value value = json::parse(text);
        CHECK(json::dump(value) == text);
        CHECK(json::parse_record(json::dump_record(value)) == value);
        CHECK(json::dump(json::parse_record(json::dump_record(value))) == text);
    }
}

TEST_CASE("JSON as others write it") {
    CHECK(json::parse(" [1, 2 ] \n") == Value(List{1, 2}));
    CHECK(json::parse(R"({"a":1,"a":2})") == Value(Object{{"a", 2}}));
    CHECK(json::parse(R"("\u00fc\ud83d\ude00\/")") == Value("\xc3\xbc\xf0\x9f\x98\x80/"));
    CHECK(json::parse("18446744073709551615").is_float());
    CHECK(json::parse("-9223372036854775808").as_int() == std::numeric_limits<std::int64_t>::min());
    CHECK(json::parse("1e3") == Value(1000.0));
    for (const char* number : {"0.1", "3.14159265358979", "1.7976931348623157e308", "2.2250738585072014e-308",
                               "1e23", "123456789012345678.5", "5e-324", "0.30000000000000004"}) {
        CAPTURE(number);
        CHECK(json::parse(number).as_float() == std::strtod(number, nullptr));
    }
}

TEST_CASE("what is no JSON is refused, with its place") {
    for (const char* bad : {"", " ", "{", "[1,]", "{a:1}", "'x'", "nul", "1 2", "[1] x", "\"\xff\"", "\"\n\"",
                            "NaN", "01", R"("\x")", R"({"a" 1})", "\xef\xbb\xbf{}", R"("\ud800")"}) {
        CAPTURE(bad);
        try {
            json::parse(bad, "that file");
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::mismatch);
            CHECK(error.message().find("that file") != std::string::npos);
            CHECK(error.message().find("byte") != std::string::npos);
        }
    }
    CHECK_NOTHROW(json::parse(std::string(128, '[') + std::string(128, ']')));
    CHECK_THROWS_AS(json::parse(std::string(129, '[') + std::string(129, ']')), Error);
    CHECK_THROWS_AS(json::parse(std::string(1 << 20, '[')), Error);
}

TEST_CASE("JSON for people") {
    CHECK(json::dump_pretty(Object{{"a", List{1, 2}}, {"b", Object{}}, {"c", List{}}}) ==
          "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}
