#include "cli/replay.hpp"

#include <fmt/format.h>

#include "cli/ask.hpp"
#include "cli/documents.hpp"
#include "cli/run_text.hpp"
#include "cli/session.hpp"
#include "cli/task_folder.hpp"
#include "core/base/text.hpp"
#include "core/run/replay.hpp"

namespace amp {
namespace {

Value document(const Replay& replay) {
    List missing;
    for (const std::string& path : replay.begin.missing) {
        missing.emplace_back(to_utf8(path));
    }
    List outputs;
    for (const std::string& name : replay.missing_outputs) {
        outputs.emplace_back(name);
    }
    return Object{{"schema", "amp.replay/1"},
                  {"run", replay.begin.run},
                  {"task", replay.begin.task.text()},
                  {"attempt", std::uint64_t{replay.begin.attempt}},
                  {"folder", to_utf8(replay.begin.folder)},
                  {"exit", number_or_null(replay.result.exit, -1)},
                  {"signal", number_or_null(replay.result.signal, 0)},
                  {"cause", std::string(cause_name(replay.result.cause))},
                  {"message", text_or_null(replay.result.message)},
                  {"missing", std::move(missing)},
                  {"missing_outputs", std::move(outputs)}};
}

void tell_begin(Session& session, const ReplayBegin& begin, bool shell) {
    for (const std::string& path : begin.missing) {
        session.out.say(fmt::format("the run has not kept the content of {}", printable(path)));
    }
    if (!session.common.quiet || shell) {
        session.out.say(fmt::format("{} of {}/{}, attempt {}, in {}",
                                    shell ? "a shell in the place" : "replay", begin.run,
                                    task_text(begin.task), begin.attempt, printable(begin.cwd)));
    }
}

void tell_end(Session& session, const Replay& replay, bool shell) {
    if (!replay.result.succeeded() && !shell) {
        session.out.say("the task failed: " + printable(failure_text(replay.result)));
    }
    for (const std::string& name : replay.missing_outputs) {
        session.out.say(fmt::format("output '{}' is missing: as a task of a run it would have failed", name));
    }
    if (!session.common.quiet) {
        session.out.say(fmt::format("what it made is in {}/task/out", printable(replay.begin.folder)));
    }
}

/// In amp's own codes, so that a task's 3 is not taken for a flow with errors.
ExitCode code_of(const AttemptResult& result) {
    if (result.succeeded()) {
        return ExitCode::ok;
    }
    if (result.cause == Cause::cancelled) {
        return ExitCode::interrupted;
    }
    const bool ran = result.exit >= 0 || result.signal != 0;
    return ran ? ExitCode::flow_failed : ExitCode::infrastructure;
}

}  // namespace

ExitCode execute(Session& session, const ReplayCommand& command) {
    const TaskTarget& target = command.target;
    if (target.step.empty()) {
        throw Error(ExitCode::usage, "amp replay takes a task of a run", target.run,
                    fmt::format("for instance amp replay {}/train", target.run));
    }
    if (const std::string place = hanging_place(session); command.shell && !place.empty()) {
        throw Error(ExitCode::usage, "amp replay --shell opens no prompt in " + place, "",
                    "without --shell it does the task again; amp shell -c 'COMMAND' does one command there");
    }
    const std::string folder = command.folder.empty() ? new_task_folder(session, "replay") : command.folder;
    ReplayListener listener;
    listener.begins = [&](const ReplayBegin& begin) { tell_begin(session, begin, command.shell); };
    listener.prints = [&](std::string_view text) {
        if (!session.common.json) {
            session.out.result(text);
            session.out.flush();
        } else {
            session.out.say(text.substr(0, text.size() - (text.ends_with('\n') ? 1 : 0)));
        }
    };
    const Replay replay = replay_task(
        session.services, session.project(),
        {target.run, target.step, target.index, command.attempt, folder, command.shell}, listener);
    tell_end(session, replay, command.shell);
    if (session.common.json) {
        session.out.document(document(replay));
    }
    return command.task_exit ? static_cast<ExitCode>(exit_status(replay.result)) : code_of(replay.result);
}

}  // namespace amp
