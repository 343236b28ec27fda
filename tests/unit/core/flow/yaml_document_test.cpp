#include "core/flow/yaml_document.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

#include "core/base/json.hpp"

using namespace amp;

namespace {

/// As canonical JSON, or "line:column message" of the mistake.
std::string read(std::string_view text) {
    Diagnostics diagnostics;
    const auto value = parse_yaml(text, diagnostics);
    CHECK(value.has_value() != diagnostics.has_errors());
    if (value) {
        return json::dump(*value);
    }
    const Diagnostic found = diagnostics.sorted().front();
    CHECK(found.code == "AMP1515");
    return std::to_string(found.place.line) + ":" + std::to_string(found.place.column) + " " + found.message;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("plain scalars are what the core schema says") {
    CHECK(read("[null, Null, NULL, ~, ]") == "[null,null,null,null]");
    CHECK(read("a:\nb: ~\n") == R"({"a":null,"b":null})");
    CHECK(read("[true, True, TRUE, false, False, FALSE]") == "[true,true,true,false,false,false]");
    CHECK(read("[0, 12, -7, +3, 0x1F, 0o17, 007]") == "[0,12,-7,3,31,15,7]");
    CHECK(read("[1.5, -0.5, .5, 5., 1e3, 1.5E-2, +2.0]") == "[1.5,-0.5,0.5,5.0,1000.0,0.015,2.0]");
    CHECK(read("[3e-4, 1e5]") == "[3e-04,1e+05]");
    Diagnostics ignored;
    CHECK(std::isinf(parse_yaml(".inf", ignored)->as_float()));
    CHECK(parse_yaml("-.INF", ignored)->as_float() < 0);
    CHECK(std::isnan(parse_yaml(".NaN", ignored)->as_float()));
}

TEST_CASE("what other versions of YAML take for something is a text") {
    CHECK(read("[yes, no, on, off, y, n, Yes, NO]") == R"(["yes","no","on","off","y","n","Yes","NO"])");
    CHECK(read("[2026-01-01, 12:30:45, 1_000, 0b11, 1.2.3, 0x, 1e, ., -, e5, tRUE]") ==
          R"(["2026-01-01","12:30:45","1_000","0b11","1.2.3","0x","1e",".","-","e5","tRUE"])");
}

TEST_CASE("quoted and block scalars stay texts") {
    CHECK(read("['1', \"true\", 'null', \"a\\tb\", '']") == R"(["1","true","null","a\tb",""])");
    CHECK(read("a: |\n  1\n  2\nb: >\n  x\n  y\n") == R"({"a":"1\n2\n","b":"x y\n"})");
}

TEST_CASE("lists, maps and empty files") {
    CHECK(read("lr: 0.1\nlayers:\n  - 64\n  - {units: 32, act: relu}\n") ==
          R"({"layers":[64,{"act":"relu","units":32}],"lr":0.1})");
    CHECK(read("---\na: 1\n...\n") == R"({"a":1})");
    CHECK(read("") == "null");
    CHECK(read("# nothing\n") == "null");
    CHECK(read("1: a\ntrue: b\n'x y': c\n") == R"({"1":"a","true":"b","x y":"c"})");
    CHECK(read("a: ü\n") == "{\"a\":\"ü\"}");
}

TEST_CASE("standard tags are followed, others refused with their place") {
    CHECK(read("[!!str 1, !!int '2', !!float 3, !!bool 'true', !!null '', !!seq [1], !!map {a: 1}]") ==
          R"(["1",2,3.0,true,null,[1],{"a":1}])");
    CHECK(read("a: !!int x\n") == "1:4 x is no int");
    CHECK(contains(read("a: !mine x\n"), "1:4 the tag '!mine' is not known"));
    CHECK(contains(read("a: !!binary AAAA\n"), "is not known"));
    CHECK(contains(read("a: !!set {x}\n"), "is not known"));
}

TEST_CASE("anchors and aliases are followed") {
    CHECK(read("a: &x [1, 2]\nb: *x\nc: &n 5\nd: *n\n") == R"({"a":[1,2],"b":[1,2],"c":5,"d":5})");
    CHECK(contains(read("a: *nobody\n"), "1:"));
    CHECK(contains(read("a: &x [*x]\n"), "1:8 an alias stands inside"));
    CHECK(contains(read("base: &b {x: 1}\nnext:\n  <<: *b\n"), "3:3 merge keys"));
}

TEST_CASE("a billion laughs are refused, and so is what aliases nest too deeply") {
    std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    std::string deep = "b0: &b0 [x]\n";
    for (int i = 1; i < 300; ++i) {
        const std::string n = std::to_string(i);
        const std::string before = std::to_string(i - 1);
        laughs += "a" + n + ": &a" + n + " [" + repeated("*a" + before + " , ", 9) + "]\n";
        deep += "b" + n + ": &b" + n + " [ *b" + before + " ]\n";
    }
    CHECK(contains(read(laughs), "aliases make the file grow"));
    CHECK(contains(read(deep), "nested deeper than 128 levels"));
    const std::string text = "- &t " + std::string(100'000, 'x') + "\n" + repeated("- *t\n", 100);
    CHECK(contains(read(text), "aliases make the file grow"));
}

TEST_CASE("mistakes have their places") {
    CHECK(read("a: 1\nb: 2\na: 3\n") == "3:1 the key 'a' is given twice");
    CHECK(read("x: {a: 1, a: 2}\n") == "1:11 the key 'a' is given twice");
    CHECK(contains(read("a: 1\n---\nb: 2\n"), "the file holds more than one document"));
    CHECK(contains(read("a: [1, 2\nb: 3\n"), "the file is no valid YAML: "));
    CHECK(contains(read("a: 99999999999999999999\n"),
                   "1:4 the number 99999999999999999999 does not fit 64 bits"));
    CHECK(contains(read("a: 1e999\n"), "1:4 the number 1e999 is out of range"));
    CHECK(contains(read("? [a, b]\n: 1\n"), "a list cannot be a key"));
    CHECK(contains(read("~: 1\n"), "a key must be a text"));
    CHECK(contains(read("a: \xff\n"), "no text in UTF-8"));
    CHECK(contains(read(std::string("a: \0", 4)), "no text in UTF-8"));
    CHECK(contains(read("a:\n\t- b\n"), "2:"));
}

TEST_CASE("mutated texts neither crash nor hang") {
    const std::string whole =
        "a: &x [1, 2.5, 'q', \"e\\n\"]\nb: {c: *x, d: !!str 5}\ne: |\n  block\nf:\n  - g: ~\n    h: >-\n     "
        " i\n";
    constexpr std::string_view k_marks = "[]{}:,-?&*!|>'\"#%@`\n\t 0a<~\\.";
    std::mt19937 random(7);
    for (int i = 0; i < 5'000; ++i) {
        std::string text = whole.substr(0, random() % (whole.size() + 1));
        for (unsigned changes = random() % 4; changes > 0 && !text.empty(); --changes) {
            text[random() % text.size()] = k_marks[random() % k_marks.size()];
        }
        Diagnostics diagnostics;
        const auto value = parse_yaml(text, diagnostics);
        REQUIRE(value.has_value() != diagnostics.has_errors());
    }
}

TEST_CASE("large and deep files end in time with a word") {
    const std::clock_t begin = std::clock();
    CHECK(contains(read(repeated("- 1\n", 2'500'000)), "more than the 8 MiB"));
    for (const std::string_view open : {"[", "{a: ", "- ", "? ", "{", "{? ", "[[a, "}) {
        CAPTURE(open);
        const std::string found = read(repeated(open, 10'000));
        CHECK((contains(found, "nested deeper") || contains(found, "cannot be a key") ||
               contains(found, "YAML")));
    }
    std::string indented;
    for (std::size_t i = 0; i < 2000; ++i) {
        indented += std::string(i, ' ') + "a:\n";
    }
    CHECK(contains(read(indented), "nested deeper"));
    CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 20);
}
