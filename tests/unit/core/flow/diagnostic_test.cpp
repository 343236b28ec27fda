#include "core/flow/diagnostic.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"

namespace amp {
namespace {

Diagnostic sample(Place place) {
    return {"AMP1203", Diagnostic::Severity::error, "step 'train' needs 'data'", place, "add an output", {}};
}

TEST_CASE("a diagnostic shows its line") {
    CHECK(render(sample({2, 5, 4}), "flow.toml", "a = 1\nb = nope\nc = 3\n") ==
          "error[AMP1203]: step 'train' needs 'data'\n"
          "  --> flow.toml:2:5\n"
          "  |\n"
          "2 | b = nope\n"
          "  |     ^~~~\n"
          "help: add an output\n"
          "see: amp explain AMP1203\n");
}

TEST_CASE("a diagnostic of the file as a whole, or past its end, has no excerpt") {
    CHECK(render(sample({}), "flow.toml", "a = 1\n") ==
          "error[AMP1203]: step 'train' needs 'data'\n  --> flow.toml\nhelp: add an output\nsee: amp explain "
          "AMP1203\n");
    CHECK(render(sample({9, 1, 1}), "flow.toml", "a = 1\n").find("|") == std::string::npos);
}

TEST_CASE("another file is named instead") {
    Diagnostic d = sample({1, 1, 1});
    d.file = "other.toml";
    d.severity = Diagnostic::Severity::warning;
    const std::string text = render(d, "flow.toml", "x");
    CHECK(text.find("warning[AMP1203]") == 0);
    CHECK(text.find("--> other.toml:1:1") != std::string::npos);
}

TEST_CASE("the same finding is told once") {
    Diagnostics d;
    for (int i = 0; i < 3; ++i) {
        d.error("AMP1", {1, 1, 1}, "a");
        d.error("AMP1", {1, 1, 1}, "b");
        d.error("AMP1", {2, 1, 1}, "a");
        d.warning("AMP1", {1, 1, 1}, "a");
        d.add({"AMP1", Diagnostic::Severity::error, "a", {1, 1, 1}, "", "other.toml"});
    }
    CHECK(d.error_count() == 4);
    CHECK(d.sorted().size() == 5);
}

/// The line with the caret, and what it points at.
std::pair<std::string, std::string> excerpt_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return {lines.at(3), lines.at(4)};
}

TEST_CASE("tabs, wide letters and control bytes keep the caret in its place") {
    auto [tabs, tabs_caret] = excerpt_of(render(sample({1, 4, 1}), "f", "\ta\tb"));
    CHECK(tabs == "1 |     a   b");
    CHECK(tabs_caret == "  |         ^");
    auto [wide, wide_caret] = excerpt_of(render(sample({1, 7, 1}), "f", "日本x"));
    CHECK(wide_caret == "  |     ^");
    auto [accent, accent_caret] = excerpt_of(render(sample({1, 3, 1}), "f", "éx"));
    CHECK(accent_caret == "  |  ^");
    auto [control, control_caret] = excerpt_of(render(sample({1, 2, 1}), "f", "\x1b[31m"));
    CHECK(control == "1 | \\x1b[31m");
    CHECK(control_caret == "  |     ^");
    auto [invalid, invalid_caret] = excerpt_of(render(sample({1, 2, 1}), "f", "\xff\xfez"));
    CHECK(invalid == "1 | \\xff\\xfez");
    CHECK(invalid_caret == "  |     ^~~~");
}

TEST_CASE("long lines are cut around the caret") {
    const std::string source = std::string(5000, 'a') + "HERE" + std::string(5000, 'b');
    auto [line, caret] = excerpt_of(render(sample({1, 5001, 4}), "f", source));
    CHECK(line.size() < 130);
    CHECK(line.find("HERE") != std::string::npos);
    // Both ends are cut: "…" has three bytes and one column.
    CHECK(line.find("HERE") - 2 == caret.find('^'));
    CHECK(caret.substr(caret.find('^')) == "^~~~");
    auto [past, past_caret] = excerpt_of(render(sample({1, 99999, 4}), "f", source));
    CHECK(past.size() < 130);
}

TEST_CASE("nothing untrusted reaches the terminal as it is") {
    Diagnostic d = sample({1, 1, 1});
    d.message = "bad \x1b[2J\nname";
    d.hint = "first\nsecond \x07";
    const std::string text = render(d, "f\x1b.toml", "\r\x1b]0;x\x07\r");
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    CHECK(text.find("bad \\x1b[2J\\nname") != std::string::npos);
    CHECK(text.find("help: first\n      second") != std::string::npos);
}

TEST_CASE("to_value has all of it") {
    const Value v = to_value(sample({2, 5, 4}), "flow.toml", "a = 1\nb = nope\n");
    CHECK(
        json::dump(v) ==
        R"({"code":"AMP1203","column":5,"end_column":9,"excerpt":"b = nope","file":"flow.toml","hint":"add an output","line":2,)"
        R"("message":"step 'train' needs 'data'","severity":"error"})");
}

TEST_CASE("findings are sorted, counted, and bounded") {
    Diagnostics d;
    d.error("AMP2", {5, 1, 1}, "b");
    d.warning("AMP1", {5, 1, 1}, "a");
    d.error("AMP3", {1, 9, 1}, "c");
    CHECK(d.error_count() == 2);
    CHECK(d.has_errors());
    const auto sorted = d.sorted();
    CHECK(sorted[0].code == "AMP3");
    CHECK(sorted[1].code == "AMP1");
    for (std::uint32_t i = 0; i < 2000; ++i) {
        d.error("AMP9", {9 + i / 2, 1, 1}, i % 2 == 0 ? "x" : "y");
    }
    CHECK(d.error_count() == 2002);
    CHECK(d.sorted().size() == 1000);
    CHECK(d.dropped() == 1003);
    Diagnostics none;
    none.warning("AMP1", {}, "w");
    CHECK_FALSE(none.has_errors());
}

}  // namespace
}  // namespace amp
