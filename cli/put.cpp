#include "cli/put.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "cli/session.hpp"
#include "cli/task_files.hpp"

namespace amp {
namespace {

std::string read_standard_input() {
    std::string out;
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (size == 0) {
            return out;
        }
        if (size < 0 && errno != EINTR) {
            throw Error::system("read", "standard input", errno);
        }
        out.append(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
}

}  // namespace

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
