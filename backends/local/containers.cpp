#include "backends/local/containers.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "backends/local/cache_folders.hpp"
#include "backends/system/fd_io.hpp"
#include "core/base/error.hpp"
#include "core/base/remove_tree.hpp"
#include "core/base/text.hpp"
#include "core/task/engines.hpp"

namespace amp {
namespace {

constexpr double k_kill_patience_s = 3;
constexpr double k_remove_again_s = 1;
constexpr int k_remove_tries = 30;
constexpr int k_unsure_tries = 2;
constexpr int k_exit_killed = 128 + SIGKILL;
constexpr std::uint64_t k_max_told = std::uint64_t{64} << 10;

void make_pipe(const std::string& path) {
    if (mkfifo(path.c_str(), 0600) != 0) {
        throw Error::system("create", path, errno);
    }
}

/// Both ends: so it has a reader before the container has begun, and a writer until we end.
UniqueFd open_pipe(const std::string& path) {
    make_pipe(path);
    UniqueFd both = open_at(AT_FDCWD, path, O_RDWR | O_NONBLOCK);
    if (!both) {
        throw Error::system("open", path, errno);
    }
    return both;
}

void write_file(const std::string& path, std::string_view text) {
    const UniqueFd file = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file) {
        throw Error::system("create", path, errno);
    }
    write_all(file.get(), text, path);
}

/// The end of it, where it is long; empty when there is none.
std::string read_told(const std::string& path) {
    const UniqueFd file = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);  // it may be a pipe
    struct stat info {};
    if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return {};
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    return read_at(file.get(), size - std::min(size, k_max_told), k_max_told, path);
}

void say(const ContainerHold& hold, char word) {
    if (write(hold.control.get(), &word, 1) < 0) {
        return;  // it is full of what was said before
    }
}

bool has_begun(const ContainerHold& hold) {
    return access((hold.folder + "/" + std::string(k_order_file)).c_str(), F_OK) != 0;
}

/// Is there no loader that it would need?
bool is_static(const std::string& program) {
    const UniqueFd file = open_at(AT_FDCWD, program, O_RDONLY);
    Elf64_Ehdr header{};
    if (!file || pread(file.get(), &header, sizeof header, 0) != sizeof header) {
        return false;
    }
    for (int i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr part{};
        const auto at = static_cast<off_t>(header.e_phoff) + i * static_cast<off_t>(header.e_phentsize);
        if (pread(file.get(), &part, sizeof part, at) == sizeof part && part.p_type == PT_INTERP) {
            return false;
        }
    }
    return true;
}

/// Our further groups: what they may read, tasks may.
std::vector<gid_t> own_groups() {
    std::array<gid_t, 256> groups{};
    const int n = getgroups(groups.size(), groups.data());
    std::vector<gid_t> others;
    std::copy_if(groups.begin(), groups.begin() + std::max(0, n), std::back_inserter(others),
                 [](gid_t group) { return group != getgid(); });
    return others;
}

std::string variable(const BaseEnvironment& environment, std::string_view name) {
    const std::string_view value = environment.get(name);
    return value.empty() ? std::string() : fmt::format("{}={}", name, value);
}

/// Many images have no bash.
std::string advice_for(const TaskSpec& spec, const ContainerEnd& end) {
    constexpr int k_not_found = 127;
    const bool bash =
        !spec.argv.empty() && spec.argv.front().size() == 1 && spec.argv.front()[0].text == "bash";
    return bash && end.exit == k_not_found ? "; where the image has a sh: shell = [\"sh\", \"-eu\", \"-c\"]"
                                           : "";
}

/// Folders at the same place as here. What lies below one of them is there already.
class Mounts {
  public:
    void add(const std::string& path, bool writable) {
        std::error_code failed;
        const bool there = std::any_of(mounts_.begin(), mounts_.end(), [&](const ContainerMount& mount) {
            return (path == mount.to || path.starts_with(mount.to + "/")) && (mount.writable || !writable);
        });
        if (!path.empty() && !there && std::filesystem::exists(path, failed)) {
            mounts_.push_back({path, path, writable});
        }
    }
    void add(const std::string& from, std::string_view to) {
        mounts_.push_back({from, std::string(to), false});
    }
    std::vector<ContainerMount> take() { return std::move(mounts_); }
    ContainerMount& back() { return mounts_.back(); }

  private:
    std::vector<ContainerMount> mounts_;
};

}  // namespace

Containers::Containers(EventLoop& loop, ContainerPlaces places)
    : loop_(loop), places_(std::move(places)), calls_(loop), amp_is_static_(is_static(places_.amp)) {}

Containers::Client Containers::prepare(TaskRun& run, TaskProcess& process, ContainerOrder order,
                                       const std::vector<std::string>& gpus) {
    auto hold = std::make_shared<ContainerHold>();
    hold->engine = engine_of(run.spec).name;
    hold->name = container_name(places_.run, run.spec.token, process.rank);
    hold->folder = places_.folder + "/" + hold->name;
    Client client{find_engine_program(hold->engine, calls_.environment()), {}};
    if (client.program.empty()) {
        throw Error(ExitCode::infrastructure, fmt::format("there is no {} here any more", hold->engine));
    }
    std::filesystem::remove_all(hold->folder);  // of an earlier try to start it
    std::filesystem::create_directories(hold->folder);
    chmod(places_.folder.c_str(), 0700);
    hold->control = open_pipe(hold->folder + "/" + std::string(k_control_pipe));
    if (!order.interactive) {
        process.output = open_pipe(hold->folder + "/" + std::string(k_output_pipe));
        hold->words = open_at(AT_FDCWD, hold->folder + "/" + std::string(k_words_file),
                              O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    for (const char* name : {"USER", "LOGNAME"}) {
        if (std::string entry = variable(calls_.environment(), name); !entry.empty()) {
            order.defaults.push_back(std::move(entry));
        }
    }
    for (const CachePlace& place : outer_cache_folders(run.spec)) {
        if (!place.in_home.empty()) {
            order.home_links.emplace_back(place.in_home, place.path);
        }
    }
    order.spare_home = run.scratch->folder();
    write_file(hold->folder + "/" + std::string(k_order_file), order_text(order));
    process.container = hold;
    ContainerRequest request = request_of(run, process);
    request.gpus = gpus;
    request.interactive = order.interactive;
    request.terminal = order.interactive && isatty(STDIN_FILENO) != 0;
    client.words = run_words(hold->engine, request);
    return client;
}

/// A node's resources are shared by its processes, of which each has a container of its own.
ContainerRequest Containers::request_of(const TaskRun& run, const TaskProcess& process) const {
    const Resources all = total_resources(run.spec);
    const auto processes = std::max<std::size_t>(1, run.spec.gang ? process_count(*run.spec.gang) : 1);
    ContainerRequest request;
    request.name = process.container->name;
    request.run = places_.run;
    request.task = run.id.task.text();
    request.image = run.spec.container->image;
    request.uid = getuid();
    request.gid = getgid();
    request.groups = own_groups();
    request.rootless = engine_of(run.spec).rootless;
    request.cpu = all.cpu / static_cast<double>(processes);
    request.memory_bytes = all.memory_bytes / processes;
    request.mounts = mounts_of(run, process.container->folder);
    return request;
}

std::vector<ContainerMount> Containers::mounts_of(const TaskRun& run, const std::string& folder) const {
    Mounts mounts;
    mounts.add(places_.project, true);
    mounts.add(run.spec.cwd, true);
    mounts.add(run.scratch->folder(), true);
    if (run.checkpoint) {
        mounts.add(run.checkpoint->folder(), true);
    }
    for (const CachePlace& place : outer_cache_folders(run.spec)) {
        mounts.add(place.path, true);
    }
    mounts.add(places_.objects, false);
    mounts.add(places_.cache, false);
    mounts.add(places_.socket, false);
    mounts.add(places_.amp, fmt::format("{}/amp", k_inner_amp_folder));
    if (!places_.python_folder.empty()) {
        mounts.add(places_.python_folder, k_inner_python_folder);
    }
    mounts.add(folder, k_inner_order_folder);
    mounts.back().writable = true;
    return mounts.take();
}

void Containers::ask_to_end(const TaskRun& run) {
    for (const TaskProcess& process : run.processes) {
        if (process.container) {
            say(*process.container, k_ask_to_end);
        }
    }
}

// Where amp has begun in it, it ends all at once. Else the client is all that there is yet; should the engine
// begin now, amp there hears of it before anything. Who is not gone then is left to the engine.
void Containers::kill(TaskRun& run) {
    for (TaskProcess& process : run.processes) {
        if (process.ended || !process.container) {
            continue;
        }
        const std::shared_ptr<ContainerHold> hold = process.container;
        say(*hold, k_kill);
        if (!has_begun(*hold)) {
            ::kill(-process.pid, SIGKILL);
            ::kill(process.pid, SIGKILL);
            continue;
        }
        loop_.cancel(hold->kill_timer);
        hold->kill_timer = loop_.after(k_kill_patience_s, [this, &process, hold] {
            hold->kill_timer = 0;
            calls_.ask(remove_words(hold->engine, {hold->name}), [](const EngineAnswer&) {});
            ::kill(-process.pid, SIGKILL);
        });
    }
}

pid_t Containers::first_process(const TaskProcess& process) {
    const std::string path = process.container->folder + "/" + std::string(k_lock_file);
    const UniqueFd file = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
    struct flock held {};
    held.l_type = F_WRLCK;
    held.l_whence = SEEK_SET;
    const bool is_held = file && fcntl(file.get(), F_GETLK, &held) == 0 && held.l_type != F_UNLCK;
    return is_held ? std::max<pid_t>(0, held.l_pid) : 0;
}

void Containers::read_end(TaskRun& run, TaskProcess& process) const {
    ContainerHold& hold = *process.container;
    loop_.cancel(std::exchange(hold.kill_timer, 0));
    const auto end = end_from(read_told(hold.folder + "/" + std::string(k_end_file)));
    const RankEnd client = process.end;
    if (end) {
        process.end = {end->exit, end->signal};
        run.result.cpu_s += end->cpu_s;
        run.result.max_rss_bytes = std::max(run.result.max_rss_bytes, end->max_rss_bytes);
        run.left_some = run.left_some || end->leftovers;
        hold.oom = end->oom;
        if (!end->problem.empty()) {
            hold.failure = ContainerFailure{Cause::user, end->problem + advice_for(run.spec, *end)};
        }
        return;
    }
    say(hold, k_kill);                                 // who has lost its client would run on
    const bool killed = client.exit == k_exit_killed;  // from outside, or for want of memory
    if (killed || run.forced != Cause::none || run.killed) {
        process.end = {-1, client.signal != 0 ? client.signal : SIGKILL};
        hold.ask_engine = killed;
        return;
    }
    process.end = {-1, 0};
    const std::string told = read_told(hold.folder + "/" + std::string(k_words_file));
    hold.failure =
        client.signal != 0
            ? ContainerFailure{Cause::infra, fmt::format("the client of {} was killed by signal {}",
                                                         hold.engine, client.signal)}
            : container_failure(client.exit, told, run.spec.container->image, amp_is_static_);
}

void Containers::clear(TaskRun& run, std::function<void()> then) {
    for (const TaskProcess& process : run.processes) {
        if (!process.container || !process.container->ask_engine) {
            continue;
        }
        ContainerHold& hold = *process.container;
        hold.ask_engine = false;
        calls_.ask(oom_words(hold.engine, hold.name), [this, &run, then](const EngineAnswer& answer) {
            if (trim(answer.printed) == "true" && run.forced == Cause::none) {
                run.result.cause = Cause::oom;
                run.result.message = "out of memory: the kernel killed it";
            }
            clear(run, then);
        });
        return;
    }
    remove(run, k_remove_tries, std::move(then));
}

void Containers::remove(TaskRun& run, int tries, std::function<void()> then) {
    std::vector<std::string> names;
    std::string engine;
    bool unsure = false;  // whether the engine still makes what the client was killed for
    for (const TaskProcess& process : run.processes) {
        if (process.container) {
            names.push_back(process.container->name);
            engine = process.container->engine;
            unsure = unsure || !has_begun(*process.container);
        }
    }
    const bool again = unsure && run.killed && tries > k_remove_tries - k_unsure_tries;
    calls_.ask(remove_words(engine, names), [this, &run, tries, again, then](const EngineAnswer& answer) {
        if ((again || !answer.came || is_engine_away(answer.printed)) && tries > 0) {
            loop_.after(k_remove_again_s, [this, &run, tries, then] { remove(run, tries - 1, then); });
            return;
        }
        for (TaskProcess& process : run.processes) {
            if (process.container) {
                remove_tree(process.container->folder);
            }
        }
        then();
    });
}

}  // namespace amp
