#include "cli/process_facts.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_bytes = std::size_t{1} << 20;

/// Empty where it cannot be read.
std::string read_small(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string out;
    std::array<char, 4096> buffer{};
    ssize_t size = 0;
    while (fd && out.size() < k_most_bytes && (size = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
        out.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return out;
}

std::string read_proc(pid_t pid, const char* name) {
    return read_small("/proc/" + std::to_string(pid) + "/" + name);
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
        // A result that is written to a closed standard output is lost, and that is an error.
        const int flags = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;
        if (fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", flags) < 0) {
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
    // Not by getpwuid: a static program has no libraries for it.
    return name_in_passwd(read_small("/etc/passwd"), getuid()).value_or(std::to_string(getuid()));
}

std::optional<std::string> name_in_passwd(std::string_view text, std::uint64_t uid) {
    const std::string number = std::to_string(uid);
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ':');  // NAME:x:NUMBER:...
        constexpr std::size_t k_fields = 7;
        if (fields.size() == k_fields && fields[2] == number && !fields[0].empty()) {
            return std::string(fields[0]);
        }
    }
    return std::nullopt;
}

}  // namespace amp
