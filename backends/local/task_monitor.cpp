#include "backends/local/task_monitor.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "backends/local/containers.hpp"
#include "backends/local/report_reader.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_never = std::numeric_limits<double>::infinity();
constexpr double k_same_moment_s = 0.001;
constexpr double k_rest_share = 20;

/// The first common time of all tasks with this interval that is not before `earliest`.
double common_time(double earliest, double interval) {
    return std::ceil(earliest / interval - k_same_moment_s) * interval;
}

void add(Usage& usage, const ScannedProcess& process) {
    ++usage.processes;
    usage.cpu_s += tick_seconds(process.stat.cpu_ticks + process.stat.waited_ticks);
    usage.memory_bytes += page_bytes(process.stat.rss_pages);
    if (const auto io = parse_process_io(read_process_io(process.pid))) {
        usage.read_bytes += io->read_bytes;
        usage.write_bytes += io->write_bytes;
    }
}

/// Of a task in containers: what their groups hold counts, where that can be told.
void prefer_groups(const TaskRun& run, Usage& usage) {
    std::uint64_t bytes = 0;
    for (const TaskProcess& process : run.processes) {
        if (process.ended || !process.container) {
            continue;
        }
        const pid_t first = Containers::first_process(process);
        const auto held = first > 0 ? group_memory(first) : std::nullopt;
        if (!held) {
            return;
        }
        bytes += *held;
    }
    if (bytes > 0) {
        usage.memory_bytes = bytes;
    }
}

/// How long ago it has told something; infinite: it never has.
double report_age_s(const TaskRun& run) {
    struct stat info {};
    if (!run.scratch || stat((run.scratch->folder() + "/report").c_str(), &info) != 0) {
        return k_never;
    }
    const Timestamp changed{info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000};
    return std::max(0.0, SystemClock().now().seconds_since(changed));
}

}  // namespace

TaskMonitor::TaskMonitor(EventLoop& loop, PackWriter& packs, Hooks hooks, std::string folder)
    : loop_(loop), packs_(packs), hooks_(std::move(hooks)), folder_(std::move(folder)) {}

void TaskMonitor::watch(TaskRun& run) {
    watch(run, run.gpus);
    if (run.gpus.empty()) {
        watched_[&run].gpus.reset();
    }
}

void TaskMonitor::watch(TaskRun& run, std::vector<std::string> gpus) {
    const Monitor& wanted = run.spec.monitor;
    Watched& watched = watched_[&run];
    watched = {};
    watched.since = run.heard_at = loop_.now();
    watched.due =
        wanted.interval_s > 0 ? common_time(loop_.now() + wanted.interval_s, wanted.interval_s) : k_never;
    if (wanted.gpu && total_resources(run.spec).gpu > 0) {
        watched.gpus = std::move(gpus);
    }
    if (wanted.hang_s > 0) {
        look_for_hang(run, wanted.hang_s);
    }
    if (watched.due < wakes_at_ || timer_ == 0) {
        wake_for_earliest();
    }
}

void TaskMonitor::let_go(TaskRun& run) {
    const auto watched = watched_.find(&run);
    if (watched == watched_.end()) {
        return;
    }
    loop_.cancel(watched->second.hang_timer);
    watched_.erase(watched);
    if (watched_.empty() && neurons_) {
        neurons_->stop();
    }
}

// ---- samples

void TaskMonitor::wake_for_earliest() {
    loop_.cancel(std::exchange(timer_, 0));
    double earliest = k_never;
    for (const auto& [run, watched] : watched_) {
        earliest = std::min(earliest, watched.due);
    }
    if (earliest < k_never) {
        wakes_at_ = std::max(earliest, rests_until_);
        timer_ = loop_.at(wakes_at_, [this] { sample_due(); });
    }
}

void TaskMonitor::sample_due() {
    timer_ = 0;
    Due due;
    for (auto& [run, watched] : watched_) {
        if (watched.due <= loop_.now() + k_same_moment_s) {
            due.emplace_back(run, &watched);
        }
    }
    if (!due.empty()) {
        const double begun = steady_now();
        sample(due);
        const double took = steady_now() - begun;
        rests_until_ = loop_.now() + took * k_rest_share;
    }
    for (const auto& [run, watched] : due) {
        const double interval = run->spec.monitor.interval_s;
        watched->due = common_time(loop_.now() + interval / 2, interval);
    }
    wake_for_earliest();
}

void TaskMonitor::sample(const Due& due) {
    const std::vector<ScannedProcess> all = scan_processes();
    std::map<std::int64_t, std::size_t> roots = roots_of(due);
    add_orphans(due, all, roots);
    std::vector<ProcessFacts> facts;
    facts.reserve(all.size());
    for (const ScannedProcess& process : all) {
        facts.push_back({process.pid, process.stat.parent, process.stat.group});
    }
    ProcessOwners owners(facts, roots);
    std::vector<Usage> usages(due.size());
    for (const ScannedProcess& process : all) {
        if (const auto owner = owners.of(process.pid)) {
            add(usages[*owner], process);
        }
    }
    tell_usage(due, usages);
    tell_gpus(due);
    tell_neurons(due, owners);
}

std::map<std::int64_t, std::size_t> TaskMonitor::roots_of(const Due& due) const {
    std::map<std::int64_t, std::size_t> roots;
    for (std::size_t i = 0; i < due.size(); ++i) {
        for (const TaskProcess& process : due[i].first->processes) {
            const pid_t root = process.container ? Containers::first_process(process) : process.pid;
            if (root > 0) {
                roots.emplace(root, i);
            }
        }
    }
    return roots;
}

/// Our children that lead no task: daemons of tasks, and what belongs to none.
void TaskMonitor::add_orphans(const Due& due, const std::vector<ScannedProcess>& all,
                              std::map<std::int64_t, std::size_t>& roots) {
    std::set<pid_t> leaders;
    for (const auto& [run, watched] : watched_) {
        for (const TaskProcess& process : run->processes) {
            leaders.insert(process.pid);
        }
    }
    std::map<std::string, std::size_t> by_token;
    for (std::size_t i = 0; i < due.size(); ++i) {
        by_token.emplace(due[i].first->spec.token, i);
    }
    decltype(tokens_) seen;
    const pid_t self = getpid();
    for (const ScannedProcess& process : all) {
        if (process.stat.parent != self || leaders.contains(process.pid) ||
            roots.contains(process.stat.group)) {
            continue;
        }
        const std::string& token =
            seen.emplace(std::pair(process.pid, process.stat.began), token_of(process)).first->second;
        if (const auto owner = by_token.find(token); owner != by_token.end()) {
            roots.emplace(process.pid, owner->second);
        }
    }
    tokens_ = std::move(seen);
}

std::string TaskMonitor::token_of(const ScannedProcess& process) {
    const auto known = tokens_.find({process.pid, process.stat.began});
    if (known != tokens_.end()) {
        return known->second;
    }
    try {
        return process_token(process.pid);
    } catch (const Error&) {  // no descriptors
        return {};
    }
}

void TaskMonitor::tell_usage(const Due& due, const std::vector<Usage>& usages) {
    for (std::size_t i = 0; i < due.size(); ++i) {
        TaskRun& run = *due[i].first;
        Watched& watched = *due[i].second;
        if (usages[i].processes == 0) {  // its container has not begun, or it could not be looked
            continue;
        }
        Usage usage = usages[i];
        prefer_groups(run, usage);
        tell(run, usage_points(watched.usage, usage, loop_.now() - watched.since));
        watched.usage = usage;
        watched.since = loop_.now();
    }
}

void TaskMonitor::tell_gpus(const Due& due) {
    std::set<TaskRun*> asking;
    for (const auto& [run, watched] : due) {
        if (watched->gpus) {
            asking.insert(run);
        }
    }
    if (asking.empty()) {
        return;
    }
    if (!gpus_) {
        gpus_ = std::make_unique<GpuSampler>(loop_, hooks_.say);
    }
    gpus_->ask([this, asking](const std::vector<GpuUse>& told) {
        for (const auto& [run, watched] : watched_) {  // those of them that still run
            if (asking.contains(run) && watched.gpus) {
                tell(*run, gpu_points(told, *watched.gpus));
            }
        }
    });
}

/// Each report is of all processes that use a device.
void TaskMonitor::tell_neurons(const Due& due, ProcessOwners& owners) {
    const auto wants = std::find_if(due.begin(), due.end(),
                                    [](const auto& entry) { return entry.first->spec.monitor.neuron; });
    if (wants == due.end()) {
        return;
    }
    if (!neurons_) {
        neurons_ = std::make_unique<NeuronSampler>(loop_, hooks_.say, folder_);
    }
    neurons_->listen(wants->first->spec.monitor.interval_s);
    std::vector<std::vector<NeuronUse>> uses(due.size());
    for (NeuronUse& use : neurons_->take()) {
        if (const auto owner = owners.of(use.pid); owner && due[*owner].first->spec.monitor.neuron) {
            uses[*owner].push_back(std::move(use));
        }
    }
    for (std::size_t i = 0; i < due.size(); ++i) {
        tell(*due[i].first, neuron_points(uses[i]));
    }
}

void TaskMonitor::tell(TaskRun& run, const std::vector<UsagePoint>& points) {
    if (points.empty()) {
        return;
    }
    const Timestamp now = SystemClock().now();
    for (const UsagePoint& point : points) {
        report_of(run, packs_).recorder().add_sample(point.name, point.value, now);
    }
    write_soon(loop_, run);
}

// ---- hangs

void TaskMonitor::look_for_hang(TaskRun& run, double after_s) {
    watched_.at(&run).hang_timer = loop_.after(after_s, [this, &run] {
        watched_.at(&run).hang_timer = 0;
        judge_hang(run);
    });
}

void TaskMonitor::judge_hang(TaskRun& run) {
    const double hang_s = run.spec.monitor.hang_s;
    // Its report is looked at, since not every machine has watches left that tell us of it.
    run.heard_at = run.lent ? loop_.now() : std::max(run.heard_at, loop_.now() - report_age_s(run));
    const double silent_s = loop_.now() - run.heard_at;
    if (silent_s + k_same_moment_s < hang_s) {
        look_for_hang(run, hang_s - silent_s);
    } else {
        hooks_.hung(run, fmt::format("no output and no progress for {}", format_duration(hang_s)));
    }
}

}  // namespace amp
