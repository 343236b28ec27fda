#include "cli/select.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "tests/unit/cli/captured_output.hpp"

using namespace amp;

namespace {

const Value k_document = json::parse(
    R"({"runs": [{"run": "a", "n": 1, "odd name": true}, {"run": "b\tc", "n": 2.5, "tags": ["x", "y"]}],)"
    R"( "none": null, "é": "ü"})",
    "test");

std::string picked(const std::string& path, bool strict = true) {
    std::string out;
    try {
        Selection::parse(path).pick(k_document, strict, [&](const Value& v) { out += plain_value(v) + "|"; });
    } catch (const Error& error) {
        return "error " + std::to_string(static_cast<int>(error.code())) + ": " + error.hint();
    }
    return out;
}

}  // namespace

TEST_CASE("a selection picks") {
    struct Row {
        const char* path;
        const char* expected;
    };
    for (const Row& row : std::vector<Row>{
             {".runs[].run", "a|b\\tc|"},
             {".runs[0].n", "1|"},
             {".runs[-1].n", "2.5|"},
             {".runs[7].n", "null|"},
             {".runs[-7]", "null|"},
             {".runs[].tags[]", "x|y|"},
             {".runs[1].tags", R"(["x","y"]|)"},
             {R"(.runs[0]."odd name")", "true|"},
             {".\"\\u00e9\"", "ü|"},
             {".runs[].missing", "null|null|"},
             {".none", "null|"},
             {".none[]", ""},
             {".none.deep[0]", "null|"},
             {".runs[0][]", "1|true|a|"},
         }) {
        CHECK_MESSAGE(picked(row.path) == row.expected, row.path);
    }
    CHECK(picked(".").starts_with("{\"none\":null,"));
}

TEST_CASE("a selection that cannot be, or does not fit, is an error of usage") {
    for (const char* path : {"",          "runs",         "..",           ".runs[",
                             ".runs[]]",  ".runs[x]",     ".runs[1:2]",   ".runs | length",
                             ".a,.b",     ".runs[].",     ".\"open",      ".a-b",
                             ". ",        "[]",           ".[",           ".runs[99999999999999999999]",
                             ".runs.run", ".runs[0].n.x", ".runs[0].n[]", ".runs[0][0]",
                             ".\xff"}) {
        CHECK_MESSAGE(picked(path).starts_with("error 2"), path);
    }
    CHECK(picked(".runz[].run") == "error 2: did you mean '.runs'?");
    CHECK(picked(".other") == "error 2: it has none, runs, é");
    CHECK(picked(".other", false) == "null|");
    for (const char* misfit : {".runs.run", ".\"é\".x", ".runs[0].run[1]", ".runs[0].run[]"}) {
        CHECK(picked(misfit).starts_with("error 2"));
        CHECK(!picked(misfit, false).starts_with("error"));
    }
    CHECK(picked(std::string(1 << 20, '.')).starts_with("error 2"));
}

TEST_CASE("a record of --plain is one line") {
    CHECK(plain_line({"a", "", "b"}) == "a\t\tb\n");
    CHECK(plain_line({"a\tb\nc\\d\x1b[2J"}) == "a\\tb\\nc\\\\d\\x1b[2J\n");
    CHECK(plain_line({"ü\xff"}).find('\xff') == std::string::npos);
}

TEST_CASE("amp's own words are ASCII where the locale is no UTF-8") {
    test::CapturedOutput captured;
    captured.output.words("a → b …");
    captured.output.say("10⁹");
    captured.output.result("user: é …\n");
    captured.output.flush();
    CHECK(captured.out == "a -> b ...user: é …\n");
    CHECK(captured.err == "10^9\n");
}
