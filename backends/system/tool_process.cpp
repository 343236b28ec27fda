#include "backends/system/tool_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "backends/system/child.hpp"
#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_output = std::size_t{64} << 20;
constexpr int k_look_again_ms = 20;  // only on kernels without pidfd (before 5.3)
constexpr double k_ask_again_s = 0.2;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error::system("cannot create", "a pipe", errno);
    }
    Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
    return pipe;
}

std::string resolve(const std::string& program, const std::string& cwd) {
    struct stat status {};
    if (stat(cwd.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        throw Error(ExitCode::not_found, fmt::format("the folder '{}' does not exist", cwd), cwd);
    }
    return installed_program(program, cwd);
}

/// Takes what is there; closes `fd` at the end of the stream.
void drain(UniqueFd& fd, std::string& into, bool& truncated) {
    std::array<char, 65536> buffer{};
    while (fd) {
        const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
        if (n > 0) {
            const std::size_t room = std::min(k_max_output - into.size(), static_cast<std::size_t>(n));
            into.append(buffer.data(), room);
            truncated = truncated || room < static_cast<std::size_t>(n);
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            fd.reset();
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/// Milliseconds to wait at most; -1: until something comes.
int patience(double deadline, bool told_of_end) {
    const int look_again = told_of_end ? -1 : k_look_again_ms;
    if (std::isinf(deadline)) {
        return look_again;
    }
    const int left = static_cast<int>(std::ceil(std::clamp(deadline - steady_now(), 0.0, 3600.0) * 1000));
    return told_of_end ? left : std::min(left, look_again);
}

/// @param go_on empty: until the time is over
void follow(Child& child, UniqueFd& out, UniqueFd& err, double timeout_s, const std::function<bool()>& go_on,
            ToolResult& result) {
    const double deadline = timeout_s > 0 ? steady_now() + timeout_s : INFINITY;
    while (!child.has_ended(false)) {
        if (steady_now() >= deadline || (go_on && !go_on())) {
            result.timed_out = true;
            child.kill_group();
            child.has_ended(true);
            break;
        }
        std::array<pollfd, 3> fds = {
            {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}}};
        const double next = go_on ? std::min(deadline, steady_now() + k_ask_again_s) : deadline;
        poll(fds.data(), fds.size(), patience(next, child.pidfd() >= 0));
        drain(out, result.out, result.truncated);
        drain(err, result.err, result.truncated);
    }
    drain(out, result.out, result.truncated);
    drain(err, result.err, result.truncated);
}

int exit_of(const Child& child) {
    return WIFEXITED(child.status()) ? WEXITSTATUS(child.status()) : -1;
}

class Unheard : public RunningTool {
  public:
    Unheard(const std::vector<std::string>& argv, const std::string& cwd, const UniqueFd& nowhere)
        : child_({.program = resolve(argv[0], cwd),
                  .words = argv,
                  .output = nowhere.get(),
                  .error = nowhere.get(),
                  .cwd = cwd}) {}
    int fd() const override { return child_.pidfd(); }
    std::optional<int> exit() override {
        ended_ = ended_ || child_.has_ended(false);
        return ended_ ? std::optional<int>(exit_of(child_)) : std::nullopt;
    }

  private:
    Child child_;
    bool ended_ = false;
};

void check_named(const std::vector<std::string>& argv) {
    if (argv.empty()) {
        throw Error(ExitCode::bug, "a tool without a name cannot be run");
    }
}

}  // namespace

ToolResult ToolProcess::run(const std::vector<std::string>& argv, const std::string& cwd, double timeout_s) {
    return run(argv, cwd, timeout_s, {});
}

ToolResult ToolProcess::run_while(const std::vector<std::string>& argv, const std::string& cwd,
                                  const std::function<bool()>& go_on) {
    return run(argv, cwd, 0, go_on);
}

std::unique_ptr<RunningTool> ToolProcess::start(const std::vector<std::string>& argv,
                                                const std::string& cwd) {
    check_named(argv);
    const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!nowhere) {
        throw Error::system("cannot open", "/dev/null", errno);
    }
    return std::make_unique<Unheard>(argv, cwd, nowhere);
}

ToolResult ToolProcess::run(const std::vector<std::string>& argv, const std::string& cwd, double timeout_s,
                            const std::function<bool()>& go_on) {
    check_named(argv);
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    const std::string program = resolve(argv[0], cwd);
    Child child(
        {.program = program, .words = argv, .output = out.write.get(), .error = err.write.get(), .cwd = cwd});
    out.write.reset();
    err.write.reset();
    ToolResult result;
    follow(child, out.read, err.read, timeout_s, go_on, result);
    result.exit = exit_of(child);
    result.signal = WIFSIGNALED(child.status()) ? WTERMSIG(child.status()) : 0;
    return result;
}

}  // namespace amp
