#include "core/task/usage_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_mebibyte = 1024.0 * 1024;
constexpr double k_most_percent = 100;
constexpr double k_most_bytes = 1e18;
constexpr int k_most_cores = 1024;

template <class T>
std::optional<T> whole_number(std::string_view text) {
    T number{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                      : std::nullopt;
}

/// What a tool says may be anything.
std::optional<double> sane(std::optional<double> number, double most) {
    return number && std::isfinite(*number) && *number >= 0 ? std::optional(std::min(*number, most))
                                                            : std::nullopt;
}

std::optional<double> sane(const Value* value, double most) {
    return value != nullptr && value->is_number() ? sane(value->as_float(), most) : std::nullopt;
}

const Value* find_below(const Value& value, std::initializer_list<std::string_view> names) {
    const Value* at = &value;
    for (const std::string_view name : names) {
        at = at != nullptr ? at->find(name) : nullptr;
    }
    return at;
}

/// The number behind "name: " in a line of its own.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view name) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':')) {
            return whole_number<std::uint64_t>(trim(line.substr(name.size() + 1)));
        }
    }
    return std::nullopt;
}

bool is_named(const GpuUse& gpu, const std::string& name) {
    return gpu.index == name || (name.size() > 4 && gpu.uuid.starts_with(name));
}

void add_gpu(std::vector<UsagePoint>& points, std::size_t place, const GpuUse& gpu) {
    if (gpu.utilization) {
        points.push_back({fmt::format("system/gpu/{}/utilization", place), *gpu.utilization});
    }
    if (gpu.memory_bytes) {
        points.push_back(
            {fmt::format("system/gpu/{}/memory", place), static_cast<double>(*gpu.memory_bytes)});
    }
}

NeuronUse read_runtime(const Value& runtime) {
    NeuronUse use;
    use.pid = get_int(runtime, "pid", 0);
    if (const Value* cores = find_below(runtime, {"report", "neuroncore_counters", "neuroncores_in_use"});
        cores != nullptr && cores->is_object()) {
        for (const auto& [name, core] : cores->as_object()) {
            const auto number = whole_number<int>(name);
            const auto percent = sane(core.find("neuroncore_utilization"), k_most_percent);
            if (number && *number >= 0 && *number < k_most_cores && percent) {
                use.utilization[*number] = *percent;
            }
        }
    }
    const Value* memory =
        find_below(runtime, {"report", "memory_used", "neuron_runtime_used_bytes", "neuron_device"});
    use.memory_bytes = static_cast<std::uint64_t>(sane(memory, k_most_bytes).value_or(0));
    return use;
}

}  // namespace

ProcessOwners::ProcessOwners(const std::vector<ProcessFacts>& all,
                             const std::map<std::int64_t, std::size_t>& roots) {
    for (const ProcessFacts& process : all) {
        parents_[process.pid] = process.parent;
    }
    known_.insert(roots.begin(), roots.end());
    for (const ProcessFacts& process : all) {  // what has lost its parent is still of the group of a root
        if (const auto root = roots.find(process.group); root != roots.end()) {
            known_.try_emplace(process.pid, root->second);
        }
    }
}

std::optional<std::size_t> ProcessOwners::of(std::int64_t pid) {
    std::vector<std::int64_t> way;
    std::optional<std::size_t> owner;
    while (true) {
        const auto [known, fresh] = known_.try_emplace(pid);  // nobody's, should the way lead here again
        if (!fresh) {
            owner = known->second;
            break;
        }
        way.push_back(pid);
        const auto parent = parents_.find(pid);
        if (parent == parents_.end()) {
            break;
        }
        pid = parent->second;
    }
    for (const std::int64_t passed : way) {
        known_[passed] = owner;
    }
    return owner;
}

std::optional<ProcessIo> parse_process_io(std::string_view text) {
    const auto read = number_of(text, "read_bytes");
    const auto written = number_of(text, "write_bytes");
    return read && written ? std::optional(ProcessIo{*read, *written}) : std::nullopt;
}

std::vector<UsagePoint> usage_points(const Usage& before, const Usage& now, double seconds) {
    // A process that nobody has waited for takes what it had used with it.
    const double used_s = std::max(0.0, now.cpu_s - before.cpu_s);
    std::vector<UsagePoint> points;
    if (seconds > 0) {
        points.push_back({"system/cpu", std::round(used_s / seconds * 1000) / 1000});
    }
    points.push_back({"system/memory", static_cast<double>(now.memory_bytes)});
    points.push_back({"system/read", static_cast<double>(std::max(before.read_bytes, now.read_bytes))});
    points.push_back({"system/write", static_cast<double>(std::max(before.write_bytes, now.write_bytes))});
    return points;
}

std::vector<std::string> gpu_use_words() {
    return {"nvidia-smi", "--query-gpu=index,uuid,utilization.gpu,memory.used",
            "--format=csv,noheader,nounits"};
}

std::vector<GpuUse> parse_gpu_use(std::string_view text) {
    constexpr std::size_t k_fields = 4;
    std::vector<GpuUse> gpus;
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ',');
        if (fields.size() != k_fields || !whole_number<unsigned>(trim(fields[0]))) {
            continue;
        }
        GpuUse gpu;
        gpu.index = trim(fields[0]);
        gpu.uuid = trim(fields[1]);
        gpu.utilization = sane(whole_number<double>(trim(fields[2])), k_most_percent);
        if (const auto mebibytes = sane(whole_number<double>(trim(fields[3])), k_most_bytes / k_mebibyte)) {
            gpu.memory_bytes = static_cast<std::uint64_t>(*mebibytes * k_mebibyte);
        }
        gpus.push_back(std::move(gpu));
    }
    return gpus;
}

std::vector<UsagePoint> gpu_points(const std::vector<GpuUse>& gpus, const std::vector<std::string>& held) {
    std::vector<UsagePoint> points;
    if (held.empty()) {
        for (std::size_t i = 0; i < gpus.size(); ++i) {
            add_gpu(points, i, gpus[i]);
        }
        return points;
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
        const auto gpu = std::find_if(gpus.begin(), gpus.end(),
                                      [&](const GpuUse& told) { return is_named(told, held[i]); });
        if (gpu != gpus.end()) {
            add_gpu(points, i, *gpu);
        }
    }
    return points;
}

std::string neuron_config(double period_s) {
    const List metrics = {Object{{"type", "neuroncore_counters"}}, Object{{"type", "memory_used"}}};
    const List runtimes = {Object{{"tag_filter", ".*"}, {"metrics", metrics}}};
    return json::dump(Object{{"period", fmt::format("{:.0f}s", std::max(1.0, std::ceil(period_s)))},
                             {"neuron_runtimes", runtimes},
                             {"system_metrics", List{}}});
}

std::optional<std::vector<NeuronUse>> parse_neuron_report(std::string_view text) {
    try {
        const Value report = json::parse(text);
        const Value* runtimes = report.find("neuron_runtime_data");
        if (runtimes == nullptr) {
            return std::nullopt;
        }
        std::vector<NeuronUse> uses;
        if (runtimes->is_list()) {  // null: no program uses a device now
            for (const Value& runtime : runtimes->as_list()) {
                uses.push_back(read_runtime(runtime));
            }
        }
        return uses;
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::vector<UsagePoint> neuron_points(const std::vector<NeuronUse>& processes) {
    std::map<int, double> cores;
    std::uint64_t memory_bytes = 0;
    for (const NeuronUse& process : processes) {
        memory_bytes += process.memory_bytes;
        for (const auto& [core, percent] : process.utilization) {
            cores[core] = std::max(cores[core], percent);
        }
    }
    std::vector<UsagePoint> points;
    for (const auto& [core, percent] : cores) {
        points.push_back({fmt::format("system/neuron/{}/utilization", core), percent});
    }
    if (!processes.empty()) {
        points.push_back({"system/neuron/memory", static_cast<double>(memory_bytes)});
    }
    return points;
}

}  // namespace amp
