#include "backends/local/environment_tools.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>
#include <vector>

#include "backends/local/spawn_failure.hpp"
#include "backends/system/fd_io.hpp"
#include "backends/system/spawn.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/task/environment.hpp"

namespace amp {
namespace {

constexpr std::size_t k_kept = std::size_t{64} << 10;
constexpr int k_tick_ms = 100;
constexpr int k_by_signal = 128;

/// What would lead Python, pip or uv to another environment than the one that is made.
constexpr std::array<std::string_view, 8> k_leading = {
    "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX",
    "PIP_TARGET", "PIP_PREFIX", "PIP_USER",    "UV_PROJECT_ENVIRONMENT"};

double monotonic_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<std::string> variables_of(const EnvironmentCall& call) {
    std::vector<std::string> variables;
    for (std::string& entry : own_environment()) {
        const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
        if (std::find(k_leading.begin(), k_leading.end(), name) == k_leading.end()) {
            variables.push_back(std::move(entry));
        }
    }
    for (const auto& [name, value] : call.variables) {
        variables.push_back(name + "=" + value);
    }
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

std::string found(std::string_view name, const std::string& path) {
    std::string unusable;
    return find_program(name, path, "/", unusable);
}

}  // namespace

EnvironmentToolRunner::EnvironmentToolRunner(double limit_s)
    : deadline_s_(monotonic_s() + limit_s), limit_s_(limit_s) {}

double EnvironmentToolRunner::left_s() const {
    return deadline_s_ - monotonic_s();
}

/// All that there is now.
void EnvironmentToolRunner::take(int fd, bool shown) {
    std::array<char, 16384> buffer{};
    ssize_t n = 0;
    while ((n = read(fd, buffer.data(), buffer.size())) > 0) {
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
        if (shown) {
            write_all(STDOUT_FILENO, bytes, "standard output");
        }
        output_ += bytes;
        if (output_.size() > 2 * k_kept) {
            output_.erase(0, output_.size() - k_kept);
        }
    }
}

int EnvironmentToolRunner::run(const EnvironmentCall& call, bool shown) {
    std::vector<std::string> words = call.words;
    std::vector<std::string> variables = variables_of(call);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error::system("create", "a pipe", errno);
    }
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> env = pointers(variables);
    SpawnRequest request{words.front().c_str(), argv.data(), env.data(), call.cwd.c_str()};
    request.output = theirs.get();
    request.own_group = false;
    const SpawnOutcome started = spawn(request);
    if (started.pid < 0) {
        throw Error(ExitCode::infrastructure, spawn_failure(words.front(), call.cwd, started).message);
    }
    theirs.reset();
    for (int status = 0;;) {
        pollfd readable{ours.get(), POLLIN, 0};
        poll(&readable, 1, k_tick_ms);
        take(ours.get(), shown);
        const pid_t ended = waitpid(started.pid, &status, WNOHANG);
        if (ended == started.pid) {
            take(ours.get(), shown);
            return WIFEXITED(status) ? WEXITSTATUS(status) : k_by_signal + WTERMSIG(status);
        }
        if (left_s() <= 0) {
            kill(started.pid, SIGKILL);
            waitpid(started.pid, &status, 0);
            throw Error(ExitCode::infrastructure,
                        fmt::format("it took longer than {}", format_duration(limit_s_)));
        }
        if ((readable.revents & POLLHUP) != 0) {  // it prints nothing more, and will end soon
            usleep(k_tick_ms * 100);
        }
    }
}

std::string find_python(const std::string& asked, const std::string& path) {
    const std::string exact = asked.empty() ? std::string() : found("python" + minor_python(asked), path);
    std::string python = exact.empty() ? found("python3", path) : exact;
    return python.empty() ? found("python", path) : python;
}

EnvironmentTools find_environment_tools(EnvironmentToolRunner& runner, const EnvironmentOrder& order,
                                        const std::string& path) {
    EnvironmentTools tools;
    if (order.tool == PythonEnvironment::Tool::conda) {
        for (const std::string_view name : {"micromamba", "mamba", "conda"}) {
            tools.conda = tools.conda.empty() ? found(name, path) : tools.conda;
        }
        return tools;
    }
    tools.uv = found("uv", path);
    tools.python = find_python(order.python, path);
    if (!tools.uv.empty() || tools.python.empty()) {
        return tools;
    }
    runner.forget_output();
    runner.run({{tools.python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"}, "/", {}},
               false);
    tools.python_version = trim(runner.output());
    tools.venv = runner.run({{tools.python, "-I", "-c", "import ensurepip"}, "/", {}}, false) == 0;
    runner.forget_output();
    return tools;
}

}  // namespace amp
