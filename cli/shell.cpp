#include "cli/shell.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/ask.hpp"
#include "cli/run_text.hpp"
#include "cli/session.hpp"
#include "cli/task_folder.hpp"
#include "core/base/text.hpp"
#include "core/run/replay.hpp"
#include "core/run/shell.hpp"

namespace amp {
namespace {

constexpr int k_not_found = 127;

std::string place_text(const ShellBegin& begin) {
    const std::string task = task_text(begin.task);
    return printable(begin.run.empty() ? task : begin.run + "/" + task);
}

void tell_begin(Session& session, const ShellBegin& begin, bool brief) {
    for (const std::string& path : begin.missing) {
        session.out.say(fmt::format("the run has not kept the content of {}", printable(path)));
    }
    if (brief) {
        return;
    }
    const std::string where = begin.machine.empty() ? "in " + printable(begin.cwd) : "on " + begin.machine;
    if (begin.held_until) {
        session.out.say(fmt::format("the place of {}, attempt {}, as it failed, {}", place_text(begin),
                                    begin.attempt, where));
    } else {
        session.out.say(fmt::format("a shell in the place of {}, {}", place_text(begin), where));
    }
    session.out.say("$AMP_COMMAND does what the task does; what it makes in $AMP_OUT is not kept");
    session.out.flush();
}

void tell_end(Session& session, const ShellEnd& end) {
    if (session.common.quiet || !end.begin.held_until) {
        return;
    }
    const std::string place = place_text(end.begin);
    session.out.say(
        end.freed ? fmt::format("the place of {} is free again: its time is over", place)
                  : fmt::format("the place of {} is held until {} UTC; `amp shell {} --release` frees it",
                                place, clock_text(*end.begin.held_until), place));
}

ExitCode release(Session& session, const ShellQuery& query) {
    std::string run;
    const TaskName task = free_place(session.services, session.project(), query, run);
    if (!session.common.quiet) {
        session.out.say(fmt::format("the place of {}/{} is free again", run, printable(task_text(task))));
    }
    return ExitCode::ok;
}

}  // namespace

ExitCode execute(Session& session, const TaskShellCommand& command) {
    const TaskTarget& target = command.target.task;
    ShellQuery query{target.run, command.target.any_run, target.step, target.index, command.command, {}};
    if (command.release) {
        return release(session, query);
    }
    if (command.command.empty()) {
        const std::string place = hanging_place(session);
        if (!place.empty() || isatty(STDIN_FILENO) == 0) {
            throw Error(ExitCode::usage,
                        place.empty() ? "amp shell needs a terminal"
                                      : "amp shell opens no prompt in " + place + ": nobody could type there",
                        "", "with -c 'COMMAND' it does one command without");
        }
    }
    query.folder = new_task_folder(session, "shell");
    const bool brief = session.common.quiet || !command.command.empty();
    const ShellEnd end = open_shell(session.services, session.project(), query,
                                    [&](const ShellBegin& begin) { tell_begin(session, begin, brief); });
    if (end.result.exit < 0 && end.result.signal == 0) {
        throw Error(ExitCode::infrastructure, "the shell cannot be started: " + end.result.message);
    }
    if (end.result.exit == k_not_found && !end.result.message.empty()) {
        session.out.say(printable(end.result.message));
    }
    tell_end(session, end);
    return static_cast<ExitCode>(exit_status(end.result));
}

}  // namespace amp
