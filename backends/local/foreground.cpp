#include "backends/local/foreground.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "backends/local/cache_folders.hpp"
#include "backends/local/gpu_claims.hpp"
#include "backends/local/port_claims.hpp"
#include "backends/local/process_table.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/task/inputs.hpp"

namespace amp {
namespace {

constexpr std::size_t k_read = std::size_t{64} << 10;

/// SIGCHLD, and those that mean the user wants us to stop, come through a descriptor while it lives. What we
/// were started to ignore stays ignored.
class ForegroundSignals {
  public:
    ForegroundSignals() {
        struct sigaction standard {};
        standard.sa_handler = SIG_DFL;  // a caller may have ignored it, and then there is nothing to reap
        sigaction(SIGCHLD, &standard, &child_before_);
        sigset_t ours;
        sigemptyset(&ours);
        sigaddset(&ours, SIGCHLD);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            struct sigaction action {};
            if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
                sigaddset(&ours, signal);
            }
        }
        fd_ = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!fd_) {
            throw Error::system("cannot watch", "signals", errno);
        }
        pthread_sigmask(SIG_BLOCK, &ours, &mask_before_);
    }
    ~ForegroundSignals() {
        while (take() != 0) {  // what has come must not strike once the mask is gone
        }
        pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
        sigaction(SIGCHLD, &child_before_, nullptr);
    }
    ForegroundSignals(const ForegroundSignals&) = delete;
    ForegroundSignals& operator=(const ForegroundSignals&) = delete;

    int fd() const { return fd_.get(); }
    /// 0: none.
    int take() {
        signalfd_siginfo info{};
        return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

  private:
    UniqueFd fd_;
    sigset_t mask_before_{};
    struct sigaction child_before_ {};
};

/// One attempt, from its start to the end of its last process.
class Foreground {
  public:
    Foreground(TaskRun& run, const ForegroundRequest& task, ContainerPlaces places)
        : run_(run),
          task_(task),
          containers_(loop_, std::move(places)),
          processes_(loop_, [this](TaskRun&) { gone_ = true; }) {
        processes_.set_containers(containers_);
    }

    Containers& containers() { return containers_; }

    void wait() {
        run_.state = TaskRun::State::running;
        processes_.add(run_);
        loop_.watch(signals_.fd(), EPOLLIN, [this](std::uint32_t) { heard_signals(); });
        for (TaskProcess& process : run_.processes) {
            if (process.output) {
                TaskProcess* its = &process;
                loop_.watch(process.output.get(), EPOLLIN,
                            [this, its](std::uint32_t) { heard_output(*its); });
            }
        }
        if (run_.forced != Cause::none) {  // not all of its ranks could be started
            processes_.kill_now(run_);
        }
        if (task_.shell.empty()) {
            processes_.limit_time(run_);
        }
        processes_.reap();
        while (!gone_) {
            loop_.run_once();
        }
        for (TaskProcess& process : run_.processes) {
            while (process.output && read_some(process)) {
            }
        }
        processes_.kill_all();
    }

  private:
    void heard_signals() {
        for (int signal = signals_.take(); signal != 0; signal = signals_.take()) {
            if (signal == SIGCHLD) {
                processes_.reap();
            } else if (signal == SIGINT && !task_.shell.empty()) {
                continue;  // the terminal has sent it to the shell as well, which knows what to do
            } else if (run_.forced == Cause::cancelled) {
                processes_.kill_now(run_);
            } else {
                processes_.end(run_, Cause::cancelled, "interrupted");
                if (!task_.shell.empty()) {
                    kill(run_.first().pid,
                         SIGHUP);  // it leads no group of ours, and an interactive one ignores TERM
                }
            }
        }
    }
    void heard_output(TaskProcess& process) {
        if (!read_some(process)) {
            loop_.forget(process.output.get());
            process.output.reset();
        }
    }
    /// False at its end, or when nothing is there.
    bool read_some(TaskProcess& process) {
        std::array<char, k_read> buffer{};
        ssize_t size = 0;
        while ((size = read(process.output.get(), buffer.data(), buffer.size())) < 0 && errno == EINTR) {
        }
        if (size > 0) {
            task_.output({buffer.data(), static_cast<std::size_t>(size)});
        }
        return size > 0;
    }

    TaskRun& run_;
    const ForegroundRequest& task_;
    ForegroundSignals signals_;
    EventLoop loop_;
    Containers containers_;
    ProcessTable processes_;
    bool gone_ = false;
};

/// After a shell that had the terminal: it is ours again, also when the shell was killed.
void take_terminal_back() {
    if (isatty(STDIN_FILENO) == 0 || tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        return;
    }
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGTTOU, &ignore, &before);
    tcsetpgrp(STDIN_FILENO, getpgrp());
    sigaction(SIGTTOU, &before, nullptr);
}

Variables variables_of(const ForegroundRequest& task) {
    Variables variables;
    for (const auto& [name, key] : task.spec.secrets) {
        for (const Secret& secret : task.secrets) {
            if (secret.key == key) {
                variables.emplace_back(name, secret.value);
            }
        }
    }
    return variables;
}

void claim_gpus(TaskRun& run, GpuClaims& claims) {
    const std::uint32_t need = total_resources(run.spec).gpu;
    auto claimed = claims.claim(need);
    if (!claimed) {
        throw Error(ExitCode::busy, fmt::format("it needs {} gpu, and not so many are free here", need));
    }
    run.gpus = std::move(*claimed);
}

/// A shell stands in the place of the first rank; there are no others then.
void prepare_gang(TaskRun& run, PortClaims& ports, bool alone) {
    if (!run.spec.gang) {
        return;
    }
    for (std::uint32_t rank = 0; rank < run.spec.gang->world(); ++rank) {
        run.scratch->add_rank(rank);
    }
    auto claimed = ports.claim(port_count(*run.spec.gang));
    if (!claimed) {
        throw Error(ExitCode::busy, "there is no port left for its ranks to meet at");
    }
    run.ports = std::move(*claimed);
    run.processes.resize(alone ? 1 : run.processes.size());
}

/// What it had saved when it ran is not laid: it begins anew.
void give_empty_checkpoint(TaskRun& run, const ForegroundRequest& task) {
    if (run.spec.checkpoint_s > 0) {
        run.checkpoint = std::make_shared<Checkpoint>(task.folder + "/checkpoint", task.objects,
                                                      std::string(), run.id.task);
        std::filesystem::create_directories(run.checkpoint->folder());
    }
}

ContainerPlaces container_places(const ForegroundRequest& task, const ScratchPool& pool,
                                 const std::string& python_folder) {
    ContainerPlaces places;
    places.run = "replay";
    places.project = std::filesystem::path(task.folder).parent_path().string();  // the code lies beside it
    places.objects = task.store_folder + "/objects";
    places.cache = pool.cache_folder();
    places.python_folder = python_folder;
    places.amp = own_binary();
    places.folder = pool.folder() + "/containers";
    return places;
}

}  // namespace

AttemptResult run_in_foreground(const ForegroundRequest& task) {
    TaskRun run(task.spec);
    const ScratchPool pool(fmt::format("replay-{}-{:x}", getpid(), random_bits()));
    GpuClaims gpus(visible_gpus(), gpu_claims_folder());
    PortClaims ports(claims_folder("port"));
    claim_gpus(run, gpus);
    run.scratch = std::make_unique<Scratch>(task.folder);
    prepare_gang(run, ports, !task.shell.empty());
    lay_inputs(run.spec.inputs,
               {run.scratch->in(), task.store_folder, pool.cache_folder(), task.objects, task.files});
    give_empty_checkpoint(run, task);
    if (const std::string problem = make_cache_folders(run.spec, run.scratch->folder()); !problem.empty()) {
        throw Error(ExitCode::infrastructure, problem);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const std::string python_folder = pool.make_python_folder();
    Foreground foreground(run, task, container_places(task, pool, python_folder));
    TaskLauncher launcher(amp_folder(pool, own_binary()), python_folder);
    launcher.set_containers(foreground.containers());
    const Timestamp now = SystemClock().now();
    const Variables secrets = variables_of(task);
    const auto outcome = task.shell.empty() ? launcher.launch(run, secrets, now)
                                            : launcher.launch_shell(run, task.shell, secrets, now);
    if (outcome == TaskLauncher::Outcome::later) {
        throw Error(ExitCode::infrastructure, run.result.message);
    }
    if (outcome == TaskLauncher::Outcome::running || outcome == TaskLauncher::Outcome::partly) {
        foreground.wait();
        take_terminal_back();
    } else {
        run.result.started = run.result.ended = now;
    }
    gpus.release(run.gpus);
    return run.result;
}

}  // namespace amp
