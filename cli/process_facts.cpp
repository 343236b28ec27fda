#include "cli/process_facts.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "core/base/error.hpp"

namespace amp {
namespace {

std::string read_proc(pid_t pid, const char* name) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 4096> buffer{};
    const ssize_t size = fd < 0 ? 0 : ::read(fd, buffer.data(), buffer.size());
    if (fd >= 0) {
        ::close(fd);
    }
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// Through a shell or two: `!amp run` in a cell.
bool descends_from_ipykernel() {
    constexpr int k_generations = 4;
    pid_t pid = getppid();
    for (int i = 0; i < k_generations && pid > 1; ++i) {
        if (read_proc(pid, "cmdline").find("ipykernel") != std::string::npos) {
            return true;
        }
        const std::string stat = read_proc(pid, "stat");  // PID (NAME) STATE PARENT
        const std::size_t name_end = stat.rfind(')');
        pid = name_end == std::string::npos || name_end + 4 > stat.size()
                  ? 0
                  : static_cast<pid_t>(std::strtol(stat.c_str() + name_end + 4, nullptr, 10));
    }
    return false;
}

}  // namespace

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

TerminalFacts look_at_terminal(const Environment& environment) {
    TerminalFacts facts;
    facts.out_is_tty = isatty(STDOUT_FILENO) == 1;
    facts.err_is_tty = isatty(STDERR_FILENO) == 1;
    winsize size{};
    if (facts.out_is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        facts.columns = size.ws_col;
    }
    facts.in_ipykernel = facts.err_is_tty && environment.contains("VSCODE_PID") && descends_from_ipykernel();
    return facts;
}

bool may_ask(const Environment& environment) {
    const Presentation how =
        decide_presentation(ColorMode::never, environment, look_at_terminal(environment));
    return !how.ci && how.progress != Presentation::Progress::notebook;
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
