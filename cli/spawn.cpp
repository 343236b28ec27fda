#include "cli/spawn.hpp"

#include "cli/documents.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

std::string variable(const Session& session, const std::string& name) {
    const auto& environment = session.services.environment;
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) {
        throw Error(ExitCode::usage, "'amp spawn' works inside a task: " + name + " is not set", "",
                    "call it from the `run` of a step; elsewhere it is `amp run`");
    }
    return found->second;
}

Value request_of(Session& session, const SpawnCommand& command) {
    if (!session.services.files.info(command.flow)) {
        throw Error(ExitCode::not_found, "there is no flow '" + printable(command.flow) + "'", command.flow);
    }
    List params;
    for (const auto& [name, value] : command.params) {
        params.emplace_back(List{name, value});
    }
    Object out;
    out["token"] = variable(session, "AMP_TOKEN");
    out["flow"] = session.services.files.canonical(command.flow);
    out["params"] = std::move(params);
    out["key"] = command.key;
    out["wait"] = command.wait;
    return out;
}

}  // namespace

ExitCode execute(Session& session, const SpawnCommand& command) {
    const auto& environment = session.services.environment;
    if (const auto found = environment.find("AMP_SOCKET");
        found != environment.end() && found->second.empty()) {
        throw Error(
            ExitCode::usage, "'amp spawn' cannot be done here: this task runs where no keeper is", "",
            "`amp replay` and `amp shell` can start no runs; for a task of a run that is elsewhere, make the "
            "flow a step of this one (flow = \"...\"), or run the step on the local backend");
    }
    const std::string socket = variable(session, "AMP_SOCKET");
    const Value request = request_of(session, command);
    const auto tell = [&](const SpawnAnswer& answer) {
        if (!session.common.json) {
            session.out.result(answer.run + "\n");
        }
    };
    SpawnAnswer answer;
    try {
        answer = session.services.ask_spawn(socket, request, tell);
    } catch (const Error& error) {  // the task is to be tried again, as for all that is the machine's fault
        throw Error(ExitCode::busy, error.message(), error.where());
    }
    if (!answer.error.empty()) {
        throw Error(answer.exit ? ExitCode::busy : ExitCode::invalid, answer.error);
    }
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.spawn/1"},
                                    {"run", answer.run},
                                    {"state", answer.exit ? answer.state : std::string("running")},
                                    {"exit_code", number_or_null(answer.exit.value_or(-1), -1)}});
    } else if (!answer.exit) {
        tell(answer);
    }
    return answer.exit ? static_cast<ExitCode>(*answer.exit) : ExitCode::ok;
}

}  // namespace amp
