#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include "cli/documents.hpp"
#include "core/base/text.hpp"
#include "core/run/start.hpp"

namespace amp {
namespace {

/// Diagnostics come as plain text; the words at the beginnings of lines get their colours here.
std::string colored(std::string_view text, const Style& style) {
    if (!style.color()) {
        return std::string(text);
    }
    std::string out;
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t colon = line.find(": ");
        const std::string_view head = line.substr(0, std::min(colon, line.size()));
        const std::string_view tail = line.substr(head.size());
        if (head.starts_with("error")) {
            out += style.bold(style.red(head)) + std::string(tail);
        } else if (head.starts_with("warning")) {
            out += style.bold(style.yellow(head)) + std::string(tail);
        } else if (head == "help" || head == "see") {
            out += style.cyan(head) + std::string(tail);
        } else {
            out += line;
        }
        out += '\n';
    }
    out.pop_back();
    return out;
}

/// The text that `diagnostic` points into: of the flow itself only.
std::string_view source_of(const Diagnostic& diagnostic, std::string_view source) {
    return diagnostic.file.empty() ? source : std::string_view();
}

std::string_view file_of(const Diagnostic& diagnostic, std::string_view file) {
    return diagnostic.file.empty() ? file : std::string_view(diagnostic.file);
}

std::string counted(std::size_t count, std::string_view word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

/// What kind of error it is, for programs.
std::string_view code_name(ExitCode code) {
    struct Named {
        ExitCode code;
        std::string_view name;
    };
    static constexpr auto k_names = std::to_array<Named>({
        {ExitCode::flow_failed, "flow_failed"},
        {ExitCode::usage, "usage"},
        {ExitCode::invalid, "invalid"},
        {ExitCode::authentication, "authentication"},
        {ExitCode::infrastructure, "infrastructure"},
        {ExitCode::mismatch, "mismatch"},
        {ExitCode::not_found, "not_found"},
        {ExitCode::timeout, "timeout"},
        {ExitCode::cancelled, "cancelled"},
        {ExitCode::store_full, "store_full"},
        {ExitCode::busy, "busy"},
        {ExitCode::interrupted, "interrupted"},
        {ExitCode::terminated, "terminated"},
    });
    const auto found =
        std::find_if(k_names.begin(), k_names.end(), [&](const Named& named) { return named.code == code; });
    return found == k_names.end() ? "bug" : found->name;
}

Value error_document(const Error& error, const InvalidFlow* invalid) {
    Object body{{"code", std::string(code_name(error.code()))}, {"exit_code", static_cast<int>(error.code())},
                {"message", to_utf8(error.message())},          {"where", text_or_null(error.where())},
                {"hint", text_or_null(error.hint())},           {"diagnostics", List()}};
    if (invalid != nullptr) {
        body["diagnostics"] = diagnostics_value(invalid->diagnostics(), invalid->path(), invalid->source());
    }
    return Object{{"schema", "amp.error/1"}, {"error", std::move(body)}};
}

}  // namespace

Error as_error(const std::exception& thrown) {
    if (const auto* error = dynamic_cast<const Error*>(&thrown)) {
        return *error;
    }
    if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) {
        return {ExitCode::infrastructure, "not enough memory"};
    }
    return {ExitCode::bug, fmt::format("amp failed in a way that it should not: {}", thrown.what()), "",
            "this is a bug of amp: please report it with the command that you gave"};
}

std::string error_text(const Error& error, const Style& style) {
    const std::string head = error.code() == ExitCode::bug ? "internal error" : "error";
    std::string out = fmt::format("{}: {}", style.bold(style.red(head)), printable(error.message()));
    if (!error.where().empty()) {
        out += fmt::format("\n  --> {}", printable(error.where()));
    }
    if (!error.hint().empty()) {
        out += fmt::format("\n{}: {}", style.cyan("help"), printable(error.hint()));
    }
    return out;
}

std::string diagnostics_text(const Diagnostics& diagnostics, std::string_view file, std::string_view source,
                             const Style& style) {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
        const std::string text = render(diagnostic, file_of(diagnostic, file), source_of(diagnostic, source));
        out += colored(trim(text), style) + "\n\n";
    }
    if (diagnostics.dropped() > 0) {
        out += fmt::format("and {} more\n\n", diagnostics.dropped());
    }
    return out;
}

Value diagnostics_value(const Diagnostics& diagnostics, std::string_view file, std::string_view source) {
    List out;
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
        out.push_back(to_value(diagnostic, file_of(diagnostic, file), source_of(diagnostic, source)));
    }
    return out;
}

std::string count_findings(const Diagnostics& diagnostics) {
    const std::size_t all = diagnostics.sorted().size() + diagnostics.dropped();
    const std::size_t errors = diagnostics.error_count();
    const std::size_t warnings = all - std::min(errors, all);
    if (warnings == 0) {
        return counted(errors, "error");
    }
    return errors == 0 ? counted(warnings, "warning")
                       : counted(errors, "error") + " and " + counted(warnings, "warning");
}

ExitCode report(Output& out, const std::exception& thrown, bool json) {
    const Error error = as_error(thrown);
    const auto* invalid = dynamic_cast<const InvalidFlow*>(&thrown);
    if (out.prints_lines() && !out.selects()) {
        out.line(error_document(error, invalid));
    } else if (json && !out.selects() && !out.has_result()) {
        out.document(error_document(error, invalid));
    }
    if (invalid != nullptr) {
        out.say(
            diagnostics_text(invalid->diagnostics(), invalid->path(), invalid->source(), out.err_style()) +
            fmt::format("{}: {} has {}", out.err_style().bold(out.err_style().red("error")),
                        printable(invalid->path()), count_findings(invalid->diagnostics())));
    } else {
        out.say(error_text(error, out.err_style()));
    }
    return error.code();
}

}  // namespace amp
