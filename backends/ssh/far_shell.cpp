#include "backends/ssh/far_shell.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "backends/ssh/far_place.hpp"
#include "backends/ssh/own_binary.hpp"
#include "backends/ssh/ssh_command.hpp"
#include "backends/system/at_terminal.hpp"
#include "backends/system/child.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/spawn.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"

extern char** environ;

namespace amp {
namespace {

constexpr int k_of_ssh = 255;  // what it exits with when the connection fails
constexpr double k_tick_s = 2;
constexpr double k_patience_s = 3;  // after TERM
constexpr std::size_t k_most_words = std::size_t{16} << 10;

bool is_terminal(int fd) {
    return isatty(fd) != 0;
}

/// What comes over ssh's stderr: goes on to ours, but for the marker at its end.
class Words {
  public:
    explicit Words(std::string marker) : marker_(std::move(marker)) {}

    void add(std::string_view bytes) {
        held_ += bytes;
        std::size_t size = std::min(held_.size(), marker_.size());
        while (size > 0 && !marker_.starts_with(std::string_view(held_).substr(held_.size() - size))) {
            --size;
        }
        show(held_.size() - size);
    }
    /// True when it ended with the marker.
    bool finish() {
        const bool marked = !marker_.empty() && held_ == marker_;
        show(marked ? 0 : held_.size());
        return marked;
    }
    /// The last of it.
    const std::string& text() const { return text_; }

  private:
    void show(std::size_t size) {
        std::string_view left = std::string_view(held_).substr(0, size);
        while (!left.empty()) {
            const ssize_t n = write(STDERR_FILENO, left.data(), left.size());
            if (n < 0 && errno != EINTR) {
                break;
            }
            left.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
        }
        text_.append(held_, 0, size);
        text_.erase(0, text_.size() - std::min(text_.size(), k_most_words));
        held_.erase(0, size);
    }

    std::string marker_;  ///< empty: there is none
    std::string held_;    ///< maybe its beginning
    std::string text_;
};

/// ssh at our terminal, from its start to its end.
class SshSession {
  public:
    SshSession(const std::vector<std::string>& words, std::string marker, std::function<void()> stays)
        : words_(std::move(marker)), stays_(std::move(stays)) {
        start(words);
    }
    /// Also when whoever listens throws: it gives the terminal back itself, where it can.
    ~SshSession() {
        for (int signal = SIGTERM; pid_ > 0; signal = SIGKILL) {
            kill(pid_, signal);
            const double deadline = steady_now() + k_patience_s;
            while (!reap() && steady_now() < deadline) {
                usleep(10'000);
            }
        }
    }
    SshSession(const SshSession&) = delete;
    SshSession& operator=(const SshSession&) = delete;

    /// @return as waitpid tells
    int wait() {
        loop_.watch(signals_.fd(), EPOLLIN, [this](std::uint32_t) { heard_signals(); });
        loop_.watch(stderr_.get(), EPOLLIN, [this](std::uint32_t) { heard_words(); });
        tick();
        while (!reap()) {
            loop_.run_once();
        }
        while (stderr_ && read_words()) {
        }
        return status_;
    }
    Words& words() { return words_; }

  private:
    void start(const std::vector<std::string>& words) {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw Error::system("create", "a pipe", errno);
        }
        stderr_ = UniqueFd(ends[0]);
        const UniqueFd theirs(ends[1]);
        fcntl(stderr_.get(), F_SETFL, O_NONBLOCK);
        const std::string program = installed_program(words.front(), "/");
        const std::vector<char*> argv = exec_words(words);
        SpawnRequest request{program.c_str(), argv.data(), environ};
        request.error = theirs.get();
        request.own_group = false;
        const SpawnOutcome outcome = spawn(request);
        if (outcome.pid < 0) {
            throw Error::system("cannot start", program, outcome.error);
        }
        pid_ = outcome.pid;
    }
    void heard_signals() {
        for (int signal = signals_.take(); signal != 0; signal = signals_.take()) {
            if (signal == SIGTERM || signal == SIGHUP) {  // the terminal sends ssh the others as well
                kill(pid_, std::exchange(told_, true) ? SIGKILL : SIGTERM);
            }
        }
    }
    void heard_words() {
        if (!read_words()) {
            loop_.forget(stderr_.get());
            stderr_.reset();
        }
    }
    /// False at its end, or when nothing is there.
    bool read_words() {
        std::array<char, 4096> buffer{};
        ssize_t size = 0;
        while ((size = read(stderr_.get(), buffer.data(), buffer.size())) < 0 && errno == EINTR) {
        }
        if (size > 0) {
            words_.add({buffer.data(), static_cast<std::size_t>(size)});
        }
        return size > 0;
    }
    void tick() {
        loop_.after(k_tick_s, [this] {
            stays_();
            tick();
        });
    }
    bool reap() {
        pid_t got = 0;
        do {
            got = waitpid(pid_, &status_, WNOHANG);
        } while (got < 0 && errno == EINTR);
        pid_ = got == 0 ? pid_ : -1;
        return got != 0;
    }

    ForegroundSignals signals_;
    EventLoop loop_;
    Words words_;
    std::function<void()> stays_;
    UniqueFd stderr_;
    pid_t pid_ = -1;
    int status_ = 0;
    bool told_ = false;  ///< to end
};

}  // namespace

AttemptResult enter_far_place(const ShellPlace& place) {
    const bool terminal =
        is_terminal(STDIN_FILENO) &&
        (place.command.empty() || (is_terminal(STDOUT_FILENO) && is_terminal(STDERR_FILENO)));
    PlaceRequest request{place.run, place.id, place.command, {}, place.words_before};
    if (!terminal) {  // else ssh alone has our stderr
        request.marker = fmt::format("\x1e{:016x}{:016x}", random_bits(), random_bits());
    }
    const std::vector<std::string> words =
        ssh::shell_arguments(place.host, place.root, own_binary_hash(), encode(request), terminal);
    const TerminalLent lent(terminal);
    SshSession session(words, request.marker, place.stays);
    const int status = session.wait();
    const bool marked = session.words().finish();
    AttemptResult result;
    result.task = place.id.task;
    result.attempt = place.id.attempt;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const bool broken = terminal ? !session.words().text().empty() : !marked;
    if (result.exit == k_of_ssh && broken) {
        throw ssh::contact_error(place.host, session.words().text());
    }
    return result;
}

}  // namespace amp
