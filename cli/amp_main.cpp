#include "cli/amp_main.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "cli/report.hpp"
#include "cli/session.hpp"

namespace amp {
namespace {

/// What can be known of common options when the command line cannot be parsed.
CommonOptions guess_common(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    common.json = std::find(arguments.begin(), end, "--json") != end;
    return common;
}

bool waits_for_signals(const Command& command) {
    if (const auto* logs = std::get_if<LogsCommand>(&command)) {
        return logs->follow;
    }
    return std::holds_alternative<RunCommand>(command) || std::holds_alternative<ResumeCommand>(command) ||
           std::holds_alternative<AttachCommand>(command);
}

/// --events: documents, one a line, and an error is one of them.
bool prints_events(const Command& command) {
    if (const auto* run = std::get_if<RunCommand>(&command)) {
        return run->follow.events;
    }
    if (const auto* resume = std::get_if<ResumeCommand>(&command)) {
        return resume->follow.events;
    }
    const auto* attach = std::get_if<AttachCommand>(&command);
    return attach != nullptr && attach->events;
}

template <class AnyCommand>
ExitCode carry_out(Session& session, const Surroundings& /*surroundings*/, const AnyCommand& command) {
    return execute(session, command);
}
ExitCode carry_out(Session& session, const Surroundings& surroundings, const TaskCommand& command) {
    return execute(session, command, surroundings.exec_task);
}

/// A result that could not be written is an error, unless its reader had enough of it.
ExitCode check_written(Output& out, ExitCode code) {
    out.flush();
    if (out.failure() == 0 || code != ExitCode::ok) {
        return code;
    }
    const Error error = Error::system("write", "standard output", out.failure());
    return report(
        out,
        Error(error.code(), fmt::format("cannot write standard output: {}", std::strerror(out.failure()))),
        false);
}

}  // namespace

int amp_main(const std::vector<std::string>& arguments, const Surroundings& surroundings, Sink out_sink,
             Sink err_sink) {
    std::optional<CommandLine> line;
    CommonOptions common = guess_common(arguments);
    std::exception_ptr failed;
    try {
        line = parse_command_line(arguments);
        common = line->common;
    } catch (const std::exception&) {
        failed = std::current_exception();
    }
    Output out(std::move(out_sink), std::move(err_sink),
               decide_presentation(common.color, surroundings.environment, surroundings.terminal));
    try {
        if (failed) {
            std::rethrow_exception(failed);
        }
        if (prints_events(line->command)) {
            out.begin_lines();
        }
        if (common.select) {
            out.select(Selection::parse(*common.select));
            common.json = true;
        }
        const ExitCode code =
            surroundings.with_services(waits_for_signals(line->command), [&](Services& services) {
                if (common.no_input) {
                    services.ask_secret = {};
                }
                Session session{services, out, common};
                return std::visit(
                    [&](const auto& command) { return carry_out(session, surroundings, command); },
                    line->command);
            });
        return static_cast<int>(check_written(out, code));
    } catch (const std::exception& thrown) {
        return static_cast<int>(report(out, thrown, common.json));
    }
}

int print_result(std::string_view text, Sink out_sink, Sink err_sink) {
    Output out(std::move(out_sink), std::move(err_sink), {});
    out.result(text);
    return static_cast<int>(check_written(out, ExitCode::ok));
}

}  // namespace amp
