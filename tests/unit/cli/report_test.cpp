#include "cli/report.hpp"

#include <doctest/doctest.h>

#include <new>
#include <stdexcept>

#include "core/run/start.hpp"
#include "tests/unit/cli/captured_output.hpp"

namespace amp {

TEST_CASE("an error says what, where and what to do") {
    test::CapturedOutput captured;
    const Error error(ExitCode::not_found, "there is no run 'x\x1b[2J'", ".amp", "'amp runs' lists them");
    CHECK(report(captured.output, error, false) == ExitCode::not_found);
    CHECK(captured.err ==
          "error: there is no run 'x\\x1b[2J'\n"
          "  --> .amp\n"
          "help: 'amp runs' lists them\n");
    CHECK(captured.out.empty());
    CHECK(error_text(Error(ExitCode::usage, "short"), Style(false)) == "error: short");
    CHECK(error_text(Error(ExitCode::usage, "short"), Style(true)) ==
          "\x1b[1m\x1b[31merror\x1b[0m\x1b[0m: short");
}

TEST_CASE("with JSON an error is a document, unless a result was printed") {
    test::CapturedOutput captured;
    report(captured.output, Error(ExitCode::busy, "held", "r1", "wait"), true);
    captured.output.flush();
    CHECK(captured.out ==
          "{\"error\":{\"code\":\"busy\",\"diagnostics\":[],\"exit_code\":75,\"hint\":\"wait\",\"message\":"
          "\"held\",\"where\":"
          "\"r1\"},\"schema\":"
          "\"amp.error/1\"}\n");
    CHECK(captured.err.starts_with("error: held\n"));

    test::CapturedOutput late;
    late.output.result("{}\n");
    report(late.output, Error(ExitCode::busy, "held"), true);
    CHECK(late.out == "{}\n");

    test::CapturedOutput lines;
    lines.output.line(Object{});
    report(lines.output, Error(ExitCode::busy, "held"), false);
    lines.output.flush();
    CHECK(lines.out.starts_with("{}\n{\"error\":"));
}

TEST_CASE("what nobody expected is a bug, and no memory is no bug") {
    test::CapturedOutput captured;
    CHECK(report(captured.output, std::runtime_error("vector::at"), false) == ExitCode::bug);
    CHECK(captured.err.starts_with("internal error: amp failed in a way that it should not: vector::at\n"));
    CHECK(captured.err.find("please report it") != std::string::npos);
    CHECK(report(captured.output, std::bad_alloc(), false) == ExitCode::infrastructure);
}

TEST_CASE("an invalid flow is told with all its diagnostics") {
    const std::string source = "[flow]\nnam = \"x\"\n";
    Diagnostics diagnostics;
    diagnostics.error("AMP1001", {2, 1, 3}, "unknown key 'nam'", "did you mean 'name'?");
    diagnostics.warning("AMP1002", {1, 1, 6}, "something odd");
    const InvalidFlow invalid(diagnostics, "flow.toml", source);
    test::CapturedOutput captured;
    CHECK(report(captured.output, invalid, true) == ExitCode::invalid);
    captured.output.flush();
    CHECK(captured.err.find("error[AMP1001]: unknown key 'nam'") != std::string::npos);
    CHECK(captured.err.find("--> flow.toml:2:1") != std::string::npos);
    CHECK(captured.err.ends_with("error: flow.toml has 1 error and 1 warning\n"));
    CHECK(captured.out.find("\"diagnostics\":[{") != std::string::npos);
    CHECK(captured.out.find("\"exit_code\":3") != std::string::npos);
}

TEST_CASE("diagnostics keep their text under colour") {
    Diagnostics diagnostics;
    diagnostics.error("AMP1001", {1, 1, 1}, "bad", "mend it");
    const std::string plain = diagnostics_text(diagnostics, "f", "x", Style(false));
    std::string colored = diagnostics_text(diagnostics, "f", "x", Style(true));
    CHECK(colored.find("\x1b[31merror[AMP1001]") != std::string::npos);
    for (std::size_t at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b')) {
        colored.erase(at, colored.find('m', at) - at + 1);
    }
    CHECK(colored == plain);
}

TEST_CASE("findings are counted") {
    Diagnostics diagnostics;
    CHECK(count_findings(diagnostics) == "0 errors");
    diagnostics.warning("AMP1", {}, "w");
    CHECK(count_findings(diagnostics) == "1 warning");
    diagnostics.error("AMP1", {}, "e");
    diagnostics.error("AMP1", {}, "f");
    CHECK(count_findings(diagnostics) == "2 errors and 1 warning");
}

}  // namespace amp
