#pragma once

#include <functional>
#include <string>
#include <vector>

namespace amp {

/// A GPU, or a part of one (MIG).
struct Gpu {
    std::string name;  ///< as CUDA_VISIBLE_DEVICES names it
    std::string
        id;  ///< the same whoever looks and however it is named: its place on the bus, or a part's UUID
    bool operator==(const Gpu&) const = default;
};

/// Where to look for them.
struct GpuSources {
    const char* visible = nullptr;  ///< CUDA_VISIBLE_DEVICES; nullptr: not set
    std::string proc = "/proc/driver/nvidia";
    std::string dev = "/dev";
    std::function<std::string()>
        list_parts;  ///< what `nvidia-smi -L` prints; asked where GPUs are parted or have no device files
};

/// The GPUs that this process may use, found without NVIDIA's libraries: those of CUDA_VISIBLE_DEVICES where
/// it is set, else all that the driver shows, in the order of their places on the bus. A GPU that is parted
/// (MIG) counts as its parts.
std::vector<Gpu> find_gpus(const GpuSources& sources);

/// find_gpus of this machine and this process.
std::vector<Gpu> visible_gpus();

/// "0, 2" → {"0", "2"}; an empty text, "-1" and "NoDevFiles" are none.
std::vector<std::string> parse_gpu_list(const std::string& text);

}  // namespace amp
