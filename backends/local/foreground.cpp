#include "backends/local/foreground.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>

#include "backends/local/cache_folders.hpp"
#include "backends/local/gpu_claims.hpp"
#include "backends/local/held_place.hpp"
#include "backends/local/port_claims.hpp"
#include "backends/local/process_table.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/system/at_terminal.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/task/inputs.hpp"

namespace amp {
namespace {

constexpr std::size_t k_read = std::size_t{64} << 10;
constexpr double k_tick_s = 2;

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

    /// Also when whoever listens throws.
    ~Foreground() { processes_.kill_all(); }
    Foreground(const Foreground&) = delete;
    Foreground& operator=(const Foreground&) = delete;

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
        tick();
        processes_.reap();
        while (!gone_) {
            loop_.run_once();
        }
        for (TaskProcess& process : run_.processes) {
            while (process.output && read_some(process)) {
            }
        }
    }

  private:
    void heard_signals() {
        for (int signal = signals_.take(); signal != 0; signal = signals_.take()) {
            if (signal == SIGCHLD) {
                processes_.reap();
            } else if ((signal == SIGINT || signal == SIGQUIT) && !task_.shell.empty()) {
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
    /// A shell prints to the terminal, and not to us; but whoever listens hears that it is still there.
    void tick() {
        if (!task_.shell.empty()) {
            loop_.after(k_tick_s, [this] {
                task_.output({});
                tick();
            });
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
                                 const std::string& python_folder, const std::optional<HeldPlace>& held) {
    ContainerPlaces places;
    places.run = "replay";
    // Of one that is done again the code lies beside it.
    places.project = held ? held->project : std::filesystem::path(task.folder).parent_path().string();
    places.objects = task.store_folder + "/objects";
    places.cache = pool.cache_folder();
    places.python_folder = python_folder;
    places.amp = own_binary();
    places.folder = pool.folder() + "/containers";
    return places;
}

/// Of the run, so that what a dead one leaves is found.
std::string pool_name(const TaskSpec& spec) {
    std::string run = "replay";
    for (const auto& [name, text] : spec.env) {
        run = name == "AMP_RUN" && text.size() == 1 ? text.front().text : run;
    }
    return fmt::format("{}-shell-{}-{:x}", run, getpid(), random_bits());
}

/// As it was when it failed.
void enter(TaskRun& run, const HeldPlace& held, const ForegroundRequest& task) {
    run.scratch = std::make_unique<Scratch>(task.folder);
    run.gpus = held.gpus;
    run.ports = held.ports;
    run.processes.resize(1);
    if (!held.checkpoint.empty()) {
        run.checkpoint =
            std::make_shared<Checkpoint>(held.checkpoint, task.objects, std::string(), run.id.task);
    }
}

/// As it was when it began.
void furnish(TaskRun& run, const ForegroundRequest& task, const ScratchPool& pool, GpuClaims& gpus,
             PortClaims& ports) {
    claim_gpus(run, gpus);
    run.scratch = std::make_unique<Scratch>(task.folder);
    prepare_gang(run, ports, !task.shell.empty());
    lay_inputs(run.spec.inputs,
               {run.scratch->in(), task.store_folder, pool.cache_folder(), task.objects, task.files});
    give_empty_checkpoint(run, task);
    if (const std::string problem = make_cache_folders(run.spec, run.scratch->folder()); !problem.empty()) {
        throw Error(ExitCode::infrastructure, problem);
    }
}

}  // namespace

AttemptResult run_in_foreground(const ForegroundRequest& task) {
    TaskRun run(task.spec);
    const ScratchPool pool(pool_name(task.spec));
    GpuClaims gpus(visible_gpus(), gpu_claims_folder());
    PortClaims ports(claims_folder("port"));
    const auto held = task.spec.hold_s > 0 ? read_place(task.folder) : std::nullopt;
    if (held) {
        enter(run, *held, task);
    } else {
        furnish(run, task, pool, gpus, ports);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const std::string python_folder = pool.make_python_folder();
    const TerminalLent terminal(!task.shell.empty());
    Foreground foreground(run, task, container_places(task, pool, python_folder, held));
    TaskLauncher launcher(amp_folder(pool, own_binary()), python_folder,
                          held ? environment_of_keeper(*held) : own_environment());
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
    } else {
        run.result.started = run.result.ended = now;
    }
    return run.result;
}

}  // namespace amp
