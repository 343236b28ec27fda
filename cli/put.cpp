#include "cli/put.hpp"

#include "cli/session.hpp"
#include "cli/standard_input.hpp"
#include "cli/task_files.hpp"

namespace amp {

ExitCode execute(Session& session, const PutCommand& command) {
    const auto folder = session.services.environment.find("AMP_OUT");
    if (folder == session.services.environment.end() || folder->second.empty()) {
        throw Error(ExitCode::usage, "'amp put' works inside a task: AMP_OUT is not set", "",
                    "call it from the `run` of a step");
    }
    if (command.value.starts_with('@')) {
        put_copy(folder->second, command.name, command.value.substr(1));
    } else {
        put_value(folder->second, command.name,
                  parse_put_value(command.value == "-" ? read_standard_input() : command.value));
    }
    return ExitCode::ok;
}

}  // namespace amp
