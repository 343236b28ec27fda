#include "backends/local/gpu_claims.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace amp {

GpuClaims::GpuClaims(std::vector<Gpu> devices, std::string folder)
    : devices_(std::move(devices)), folder_(std::move(folder)) {}

std::optional<std::vector<std::string>> GpuClaims::claim(std::size_t count) {
    std::vector<std::string> claimed;
    std::size_t left = devices_.size();
    for (const Gpu& device : devices_) {
        // Not one more than is of use: two who want many must not keep each other from them.
        if (claimed.size() == count || claimed.size() + left-- < count) {
            break;
        }
        if (held_.contains(device.name)) {
            continue;
        }
        if (auto lock = folder_.claim(device.id)) {
            held_.emplace(device.name, std::move(*lock));
            claimed.push_back(device.name);
        }
    }
    if (claimed.size() < count) {
        release(claimed);
        return std::nullopt;
    }
    return claimed;
}

void GpuClaims::release(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        held_.erase(name);
    }
}

std::string gpu_claims_folder() {
    const char* given = std::getenv("AMP_GPUS");
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    const char* task = std::getenv("AMP_TASK_DIR");
    const bool within = given != nullptr && visible != nullptr && task != nullptr &&
                        std::string_view(given) == visible && task[0] == '/';
    return within ? std::string(task) + "/gpu" : claims_folder("gpu");
}

}  // namespace amp
