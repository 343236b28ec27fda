#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace amp {

// What a running task uses, as points of metrics of its attempt. Pure functions; backends/local/task_monitor
// looks, and says when.
//
//     system/cpu                   processors, on the average since the last sample
//     system/memory                bytes, resident; of a container: of its control group
//     system/read, system/write    bytes from and to storage, since the task began
//     system/gpu/N/utilization     percent; N counts the task's own GPUs from 0, as its programs do
//     system/gpu/N/memory          bytes
//     system/neuron/N/utilization  percent, of NeuronCore N of the machine
//     system/neuron/memory         bytes on Neuron devices
//
// A task is a forest: its main processes (of a container: the first process in it) and all that descends from
// them. What a process has used counts with its parent once that has waited for it, as the kernel does it, so
// that the sum over those that are there loses nothing of those that have ended.

/// A process at one moment.
struct ProcessFacts {
    std::int64_t pid = 0;
    std::int64_t parent = 0;
    std::int64_t group = 0;
};

/// Whose process is it? Parents are followed up to a root; what the processes say of each other need not fit:
/// they are not all looked at in the same instant.
class ProcessOwners {
  public:
    /// @param roots processes, and whose they are
    ProcessOwners(const std::vector<ProcessFacts>& all, const std::map<std::int64_t, std::size_t>& roots);
    std::optional<std::size_t> of(std::int64_t pid);

  private:
    std::unordered_map<std::int64_t, std::int64_t> parents_;
    std::unordered_map<std::int64_t, std::optional<std::size_t>> known_;
};

/// What the processes of a task use together.
struct Usage {
    double cpu_s = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t write_bytes = 0;
    std::size_t processes = 0;
};

/// What /proc/PID/io tells of storage; nullopt: it is no such text.
struct ProcessIo {
    std::uint64_t read_bytes = 0;
    std::uint64_t write_bytes = 0;
};
std::optional<ProcessIo> parse_process_io(std::string_view text);

/// A point of a metric.
struct UsagePoint {
    std::string name;
    double value = 0;
    bool operator==(const UsagePoint&) const = default;
};
/// @param seconds between the two
std::vector<UsagePoint> usage_points(const Usage& before, const Usage& now, double seconds);

/// A GPU as nvidia-smi tells of it. What it does not know of one (parts of GPUs: "[N/A]") is unset.
struct GpuUse {
    std::string index;  ///< of the machine
    std::string uuid;
    std::optional<double> utilization;  ///< percent
    std::optional<std::uint64_t> memory_bytes;
};
/// The question whose answer parse_gpu_use reads.
std::vector<std::string> gpu_use_words();
/// Lines that are none are passed over.
std::vector<GpuUse> parse_gpu_use(std::string_view text);
/// @param held the task's GPUs, as CUDA_VISIBLE_DEVICES names them; empty: all that are told of
std::vector<UsagePoint> gpu_points(const std::vector<GpuUse>& gpus, const std::vector<std::string>& held);

/// What neuron-monitor tells of one process.
struct NeuronUse {
    std::int64_t pid = 0;
    std::map<int, double> utilization;  ///< percent, by NeuronCore
    std::uint64_t memory_bytes = 0;     ///< on the devices
};
/// What it is to tell, and how often.
std::string neuron_config(double period_s);
/// One report, a JSON document; nullopt: it is none.
std::optional<std::vector<NeuronUse>> parse_neuron_report(std::string_view text);
/// Of one task. Each of its processes tells of all cores, and has used some of them.
std::vector<UsagePoint> neuron_points(const std::vector<NeuronUse>& processes);

}  // namespace amp
