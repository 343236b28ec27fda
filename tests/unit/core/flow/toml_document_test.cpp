#include "core/flow/toml_document.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace amp;

namespace {

std::vector<Diagnostic> mistakes_of(const std::string& text) {
    Diagnostics diagnostics;
    parse_toml(text, diagnostics);
    return diagnostics.sorted();
}

std::vector<std::string> codes_of(const std::string& text) {
    std::vector<std::string> codes;
    for (const Diagnostic& diagnostic : mistakes_of(text)) {
        codes.push_back(diagnostic.code);
    }
    return codes;
}

TomlNode root_of(const std::string& text) {
    Diagnostics diagnostics;
    TomlDocument document = parse_toml(text, diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    CHECK_FALSE(document.incomplete);
    return document.root;
}

}  // namespace

TEST_CASE("members keep the order of the file, with the places of keys and values") {
    const TomlNode root = root_of("zeta = 1\n[step.b]\nrun = 'x'\n[step.a]\nrun = \"y\"\nretry.times = 3\n");
    REQUIRE(root.members.size() == 2);
    CHECK(root.members[0].key == "zeta");
    CHECK(root.members[0].value.place == Place{1, 8, 1});
    const TomlNode& steps = root.members[1].value;
    REQUIRE(steps.members.size() == 2);
    CHECK(steps.members[0].key == "b");
    CHECK(steps.members[0].place == Place{2, 7, 1});
    CHECK(steps.members[1].key == "a");
    const TomlNode* run = steps.members[1].value.find("run");
    REQUIRE(run != nullptr);
    CHECK(run->place == Place{5, 7, 3});
    CHECK(run->text_place.column == 8);
    CHECK(steps.members[1].value.find("retry")->find("times")->place == Place{6, 15, 1});
}

TEST_CASE("columns are bytes, also behind letters of several") {
    const TomlNode root = root_of("x = { a = \"äöü\", b = 7 }\n");
    const TomlNode* b = root.find("x")->find("b");
    REQUIRE(b != nullptr);
    CHECK(b->place.column == std::string("x = { a = \"äöü\", b = ").size() + 1);
}

TEST_CASE("a long line with many letters of several bytes keeps its places, in linear time") {
    std::string line = "x = [";
    for (int i = 0; i < 20000; ++i) {
        line += "\"é\", ";
    }
    const std::size_t column = line.size() + 1;
    const TomlNode root = root_of(line + "1]\n");
    CHECK(root.find("x")->items.back().place.column == column);
}

TEST_CASE("the text of a string begins behind its quotes, in several lines on the next") {
    const TomlNode root = root_of("a = 'p'\nb = \"\"\"\nhello\"\"\"\nc = '''x'''\nd = \"t\\tx\"\n");
    CHECK(root.find("a")->text_place.column == 6);
    CHECK_FALSE(root.find("a")->escaped);
    CHECK(root.find("b")->text() == "hello");
    CHECK(root.find("b")->text_place.line == 3);
    CHECK(root.find("b")->text_place.column == 1);
    CHECK(root.find("c")->text_place.column == 8);
    CHECK(root.find("d")->escaped);
}

TEST_CASE("several syntax errors are found in one go, each at its line") {
    const auto found = mistakes_of(
        "[flow]\nname = \nok = 1\n[step.a]\nrun = \"x\nneeds = tru\n[step.b]\nrun = 'fine'\nx y = 3\n");
    REQUIRE(found.size() == 4);
    CHECK(found[0].place.line == 2);
    CHECK(found[1].place.line == 5);
    CHECK(found[2].place.line == 6);
    CHECK(found[3].place.line == 9);
    for (const Diagnostic& diagnostic : found) {
        CHECK(diagnostic.code == "AMP1001");
    }
}

TEST_CASE("what surrounds a syntax error is still read") {
    Diagnostics diagnostics;
    const TomlDocument document = parse_toml("[a]\nx = 1\ny = \nz = 3\n[b]\nw = 4\n", diagnostics);
    CHECK(diagnostics.error_count() == 1);
    CHECK(document.incomplete);
    CHECK(document.root.find("a")->find("x") != nullptr);
    CHECK(document.root.find("a")->find("z") != nullptr);
    CHECK(document.root.find("b")->find("w") != nullptr);
}

TEST_CASE("a list that is never closed is one mistake, and what follows is read") {
    Diagnostics diagnostics;
    const TomlDocument document = parse_toml("[a]\nx = [1, 2\ny = 3\n[b]\nz = 4\n", diagnostics);
    REQUIRE(diagnostics.error_count() == 1);
    CHECK(diagnostics.sorted().front().message == "this bracket is never closed");
    CHECK(diagnostics.sorted().front().place == Place{2, 5, 1});
    CHECK(document.root.find("a")->find("y") != nullptr);
    CHECK(document.root.find("b") != nullptr);
}

TEST_CASE("a string that is never closed is told where it begins") {
    const auto found = mistakes_of("[a]\nx = 1\nrun = \"\"\"\necho hi\n\n[b]\ny = 2\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].message == "this string is never closed");
    CHECK(found[0].place.line == 3);
}

TEST_CASE("what the library takes for granted is a mistake of the text, not the end of the process") {
    const auto found = mistakes_of("a = [1, }\nb = [}\n");
    REQUIRE(found.size() == 2);
    CHECK(found[0].message == "this bracket closes nothing");
    CHECK(found[0].place == Place{1, 9, 1});
    CHECK(found[1].place == Place{2, 6, 1});
}

TEST_CASE("a key or table that is given twice has a code of its own") {
    CHECK(codes_of("a = 1\na = 2\n") == std::vector<std::string>{"AMP1002"});
    CHECK(codes_of("[a]\nx = 1\n[a]\nx = 2\n") == std::vector<std::string>{"AMP1002"});
    Diagnostics diagnostics;
    CHECK_FALSE(parse_toml("a = 1\na = 2\n", diagnostics).incomplete);
}

TEST_CASE("what gets past the library's own checks is a mistake at its line") {
    const std::vector<Diagnostic> mistakes = mistakes_of("a = 1\n[.b]\nc = 2\n[d]\ne = f\n");
    REQUIRE(mistakes.size() == 2);
    CHECK(mistakes[0].code == "AMP1001");
    CHECK(mistakes[0].place.line == 2);
    CHECK(mistakes[1].place.line == 5);
    // Any bytes at all are read or refused.
    std::string text = "[a.b]\nc = \"d\" # e\n[[f]]\ng = { h = [1, 2.5], 'i' = 1979-05-27T07:32:00Z }\n";
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char before = text[at];
        for (const char c : std::string_view(".[]{}=\"'\\#,\n\0a-+:\xe9", 17)) {
            text[at] = c;
            mistakes_of(text);
        }
        text[at] = before;
    }
}

TEST_CASE("a file that is too large is refused without reading it") {
    const auto found = mistakes_of("x = '" + std::string(std::size_t{10} << 20, 'a') + "'\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == "AMP1003");
}

TEST_CASE("bytes that are no text are told with line and column") {
    const auto nul = mistakes_of(std::string("a = 1\nb = \"x\0y\"\n", 16));
    REQUIRE(nul.size() == 1);
    CHECK(nul[0].code == "AMP1004");
    CHECK(nul[0].place == Place{2, 7, 1});
    const auto latin = mistakes_of("a = 1\nb = \"\xe9t\xe9\"\n");
    REQUIRE(latin.size() == 1);
    CHECK(latin[0].code == "AMP1004");
    CHECK(latin[0].place == Place{2, 6, 1});
    CHECK(codes_of("a = \"\xe2\x82") == std::vector<std::string>{"AMP1004"});
    CHECK(codes_of(std::string("\x7f"
                               "ELF\x02\x01\x01\0\0",
                               9)) == std::vector<std::string>{"AMP1004"});
}

TEST_CASE("deep nesting is an error and no overflow") {
    const auto repeated = [](std::string_view part, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) {
            out += part;
        }
        return out;
    };
    const std::vector<std::string> deep = {"AMP1005"};
    CHECK(codes_of("x = " + repeated("[", 10000)) == deep);
    CHECK(codes_of("x = " + repeated("[", 10000) + repeated("]", 10000)) == deep);
    CHECK(codes_of("x = " + repeated("{a=", 10000)) == deep);
    CHECK(codes_of("[a" + repeated(".a", 10000) + "]\n") == deep);
    CHECK(codes_of("a" + repeated(".a", 1000000) + " = 1\n") == deep);
    CHECK(codes_of("a" + repeated(" . \"a\"", 10000) + " = 1\n") == deep);
    CHECK(codes_of("x = 3.14\ny = [1.5, 2.5]\nz = '" + repeated("[.", 100) + "'\n").empty());
}

TEST_CASE("a table of a hundred thousand keys is read") {
    std::string text;
    for (int i = 0; i < 100000; ++i) {
        text += "k" + std::to_string(i) + " = 1\n";
    }
    CHECK(root_of(text).members.size() == 100000);
}

TEST_CASE("a value from elsewhere becomes a tree at one place") {
    const Value value = Object{{"a", List{1, "x", 2.5, true}}};
    const TomlNode node = toml_node(value, {3, 4, 5});
    CHECK(node.value() == value);
    CHECK(node.members[0].value.items[1].place == Place{3, 4, 5});
}
