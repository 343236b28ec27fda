#include "cli/checkpoint.hpp"

#include "cli/session.hpp"

namespace amp {
namespace {

std::string variable(const Session& session, const std::string& name, const std::string& hint) {
    const auto& environment = session.services.environment;
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) {
        throw Error(ExitCode::usage,
                    "'amp checkpoint' works inside a task that has one: " + name + " is not set", "", hint);
    }
    return found->second;
}

}  // namespace

ExitCode execute(Session& session, const CheckpointCommand& /*command*/) {
    variable(session, "AMP_CHECKPOINT", "say checkpoint = true in its step");
    const std::string token = variable(session, "AMP_TOKEN", "call it from the `run` of a step");
    const auto& environment = session.services.environment;
    if (const auto found = environment.find("AMP_SOCKET");
        found != environment.end() && found->second.empty()) {
        throw Error(ExitCode::usage,
                    "'amp checkpoint' cannot be done here: this task runs where no keeper is", "",
                    "it is saved each interval, at the end, and when the task is preempted");
    }
    const std::string socket = variable(session, "AMP_SOCKET", "call it from the `run` of a step");
    const Value request = Object{{"token", token}, {"checkpoint", true}, {"wait", false}};
    SpawnAnswer answer;
    try {
        answer = session.services.ask_spawn(socket, request, [](const SpawnAnswer&) {});
    } catch (const Error& error) {
        throw Error(ExitCode::busy, error.message(), error.where());
    }
    if (!answer.error.empty()) {
        throw Error(ExitCode::infrastructure, "the checkpoint is not saved: " + answer.error);
    }
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.checkpoint/1"}, {"saved", true}});
    }
    return ExitCode::ok;
}

}  // namespace amp
