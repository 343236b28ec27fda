#include "cli/process_facts.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "core/base/error.hpp"

namespace amp {

void hold_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) {
            std::_Exit(static_cast<int>(ExitCode::infrastructure));
        }
    }
}

Environment read_environment(char** variables) {
    Environment out;
    for (; *variables != nullptr; ++variables) {
        const std::string_view variable(*variables);
        const std::size_t equals = variable.find('=');
        if (equals != std::string_view::npos) {
            out.emplace(variable.substr(0, equals), variable.substr(equals + 1));
        }
    }
    return out;
}

TerminalFacts look_at_terminal() {
    TerminalFacts facts;
    facts.out_is_tty = isatty(STDOUT_FILENO) == 1;
    facts.err_is_tty = isatty(STDERR_FILENO) == 1;
    winsize size{};
    if (facts.out_is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        facts.columns = size.ws_col;
    }
    return facts;
}

std::string user_name(const Environment& environment) {
    for (const std::string_view name : {"USER", "LOGNAME"}) {
        const auto it = environment.find(name);
        if (it != environment.end() && !it->second.empty()) {
            return it->second;
        }
    }
    return std::to_string(getuid());
}

}  // namespace amp
