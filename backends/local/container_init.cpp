#include "backends/local/container_init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "backends/local/spawn_failure.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/fd_io.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/spawn.hpp"
#include "core/base/error.hpp"
#include "core/task/container.hpp"
#include "core/task/container_order.hpp"
#include "core/task/environment.hpp"

namespace amp {
namespace {

constexpr int k_no_order = 125;
constexpr double k_leftover_grace_s = 2;  // as outside of containers
constexpr int k_look_again_ms = 10;
constexpr std::uint64_t k_order_bytes = std::uint64_t{64} << 20;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::string inner(std::string_view name) {
    return fmt::format("{}/{}", k_inner_order_folder, name);
}

/// The image's own environment, with ours over it.
TaskEnvironment make_environment(const BaseEnvironment& base, const ContainerOrder& order) {
    TaskEnvironment environment(base);
    const auto set = [&environment](const std::string& entry) {
        const std::size_t middle = entry.find('=');
        environment.set(entry.substr(0, middle), entry.substr(middle + 1));
    };
    for (const std::string& entry : order.defaults) {
        if (environment.get(entry.substr(0, entry.find('='))).empty()) {
            set(entry);
        }
    }
    const std::string home(environment.get("HOME"));
    if (home.empty() || access(home.c_str(), W_OK) != 0) {  // as for a user that the image does not know
        environment.set("HOME", order.spare_home);
    }
    for (const std::string& entry : order.environment) {
        set(entry);
    }
    return environment;
}

/// What cannot be made is missed by the task alone.
void make_home_links(const std::string& home, const ContainerOrder& order) {
    for (const auto& [place, target] : order.home_links) {
        std::error_code failed;
        const std::filesystem::path link = std::filesystem::path(home) / place;
        std::filesystem::create_directories(link.parent_path(), failed);
        std::filesystem::create_directory_symlink(target, link, failed);
    }
}

/// The task's command, from its start to the end of the last process of the container.
class Command {
  public:
    explicit Command(ContainerOrder order) : order_(std::move(order)) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        sigset_t ours;
        sigemptyset(&ours);
        for (const int signal : {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
            sigaddset(&ours, signal);
        }
        signals_ = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
        control_ = open_at(AT_FDCWD, inner(k_control_pipe), O_RDONLY | O_NONBLOCK);
    }

    ContainerEnd run() {
        if (!control_ || !heed_control() || killed_) {
            return killed_end();
        }
        const std::uint64_t oom_kills = count_oom_kills();
        if (!start()) {
            return end_;
        }
        while (pid_ > 0 && !killed_) {
            wait_for_news(-1);
        }
        end_leftovers();
        end_.oom = count_oom_kills() > oom_kills;
        return end_;
    }

    /// Its keeper is gone: nobody wants to know.
    bool is_alone() const { return alone_; }

  private:
    static ContainerEnd killed_end() {
        ContainerEnd end;
        end.exit = -1;
        end.signal = SIGKILL;
        return end;
    }

    bool start() {
        const BaseEnvironment base(own_environment(), true, k_inner_amp_folder, k_inner_python_folder);
        TaskEnvironment environment = make_environment(base, order_);
        make_home_links(std::string(environment.get("HOME")), order_);
        std::string unusable;
        const std::string& name = order_.words.front();
        const std::string program = find_program(name, environment.get("PATH"), order_.cwd, unusable);
        if (program.empty()) {
            refuse(not_found(name, unusable));
            return false;
        }
        std::vector<char*> argv;
        for (std::string& word : order_.words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        SpawnRequest request{program.c_str(), argv.data(), environment.block(), order_.cwd.c_str()};
        const UniqueFd null = open_at(AT_FDCWD, "/dev/null", O_RDONLY);
        const UniqueFd output = open_at(AT_FDCWD, inner(k_output_pipe), O_WRONLY);
        request.own_group = !order_.interactive;
        if (!order_.interactive) {
            request.input = null.get();
            request.output = output.get();
        }
        const SpawnOutcome outcome = spawn(request);
        if (outcome.pid < 0) {
            refuse(spawn_failure(program, order_.cwd, outcome));
            return false;
        }
        pid_ = outcome.pid;
        return true;
    }

    void refuse(const SpawnFailure& failure) {
        end_.exit = failure.exit;
        end_.problem = failure.message;
    }

    void wait_for_news(int patience_ms) {
        std::array<pollfd, 2> fds = {{{signals_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}}};
        poll(fds.data(), fds.size(), patience_ms);
        signalfd_siginfo info{};
        while (read(signals_.get(), &info, sizeof info) == sizeof info) {
            if (info.ssi_signo != SIGCHLD) {
                heard(static_cast<int>(info.ssi_signo));
            }
        }
        if (fds[1].revents != 0) {
            heed_control();
        }
        reap();
    }

    /// A terminal has sent INT and QUIT to the task as well.
    void heard(int signal) {
        if (!order_.interactive || (signal != SIGINT && signal != SIGQUIT)) {
            ask_to_end(order_.interactive ? SIGHUP : SIGTERM);
        }
    }

    /// False: the keeper is gone.
    bool heed_control() {
        std::array<char, 16> said{};
        ssize_t n = 0;
        while ((n = read(control_.get(), said.data(), said.size())) > 0) {
            for (const char word : std::string_view(said.data(), static_cast<std::size_t>(n))) {
                if (word == k_kill) {
                    kill_all();
                } else if (pid_ > 0) {
                    ask_to_end(SIGTERM);
                } else {
                    killed_ = true;  // before it was started
                }
            }
        }
        if (n == 0) {
            alone_ = true;
            kill_all();
        }
        return n != 0;
    }

    /// Told twice, by the pipe and by the engine's client, it hears of it once.
    void ask_to_end(int signal) {
        if (pid_ > 0 && !asked_) {
            asked_ = true;
            const pid_t whom = order_.interactive ? pid_ : -pid_;
            kill(whom, signal);
            kill(whom, SIGCONT);  // a stopped process handles it only when it goes on
        }
    }

    void kill_all() {
        killed_ = true;
        kill(-1, SIGKILL);
    }

    void reap() {
        rusage usage{};
        int status = 0;
        for (pid_t pid = 0; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
            if (pid != pid_) {
                continue;
            }
            pid_ = -1;
            end_.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            end_.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
            end_.max_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
        }
    }

    /// TERM, and KILL after a grace. With us ends whatever is left.
    void end_leftovers() {
        const double until = steady_now() + k_leftover_grace_s;
        if (!killed_ && kill(-1, SIGTERM) == 0) {
            end_.leftovers = true;
            kill(-1, SIGCONT);
        }
        while (!killed_ && kill(-1, 0) == 0 && steady_now() < until) {
            wait_for_news(k_look_again_ms);
        }
        kill(-1, SIGKILL);
        while (pid_ > 0 && waits_for_main()) {
        }
    }

    bool waits_for_main() {
        poll(nullptr, 0, 1);
        reap();
        return pid_ > 0;
    }

    ContainerOrder order_;
    UniqueFd signals_;
    UniqueFd control_;
    pid_t pid_ = -1;
    bool asked_ = false;
    bool killed_ = false;
    bool alone_ = false;
    ContainerEnd end_;
};

/// Once: what it holds is nobody's to read afterwards.
std::optional<ContainerOrder> take_order() {
    const std::string path = inner(k_order_file);
    const UniqueFd file = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
    struct stat info {};
    if (!file || fstat(file.get(), &info) != 0 || unlink(path.c_str()) != 0) {
        return std::nullopt;
    }
    const auto size = std::min(k_order_bytes, static_cast<std::uint64_t>(info.st_size));
    return order_from(read_at(file.get(), 0, size, path));
}

/// The keeper finds us by it. Without it the task is not measured while it runs.
UniqueFd hold_lock() {
    UniqueFd file = open_at(AT_FDCWD, inner(k_lock_file), O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (file) {
        fcntl(file.get(), F_SETLK, &whole);
    }
    return file;
}

/// Whole or not at all.
void write_end(const ContainerEnd& end) {
    const std::string path = inner(k_end_file);
    const std::string unfinished = path + ".part";
    const UniqueFd file = open_at(AT_FDCWD, unfinished, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write_all(file.get(), end_text(end), unfinished);
    rename(unfinished.c_str(), path.c_str());
}

}  // namespace

int container_init() {
    try {
        const UniqueFd lock = hold_lock();
        std::optional<ContainerOrder> order = take_order();
        if (!order || order->words.empty()) {
            fmt::print(stderr, "amp: there is no order for this container: its keeper has ended\n");
            return k_no_order;
        }
        Command command(std::move(*order));
        const ContainerEnd end = command.run();
        if (!command.is_alone()) {
            write_end(end);
        }
        return end.signal != 0 ? 128 + end.signal : end.exit;
    } catch (const std::exception& error) {
        fmt::print(stderr, "amp: {}\n", error.what());
        return k_no_order;
    }
}

}  // namespace amp
