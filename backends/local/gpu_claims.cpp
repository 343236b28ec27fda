#include "backends/local/gpu_claims.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_device_prefix = "nvidia";

}  // namespace

GpuClaims::GpuClaims(std::vector<std::string> devices, std::string folder)
    : devices_(std::move(devices)), folder_(std::move(folder)) {}

std::optional<std::vector<std::string>> GpuClaims::claim(std::size_t count) {
    if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error::system("create", folder_, errno);
    }
    std::vector<std::string> claimed;
    for (const std::string& device : devices_) {
        if (claimed.size() == count) {
            break;
        }
        if (!held_.contains(device) && lock(device)) {
            claimed.push_back(device);
        }
    }
    if (claimed.size() < count) {
        release(claimed);
        return std::nullopt;
    }
    return claimed;
}

bool GpuClaims::lock(const std::string& device) {
    const std::string path = fmt::format("{}/{}.lock", folder_, device);
    UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        throw Error::system("lock", path, errno);
    }
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    held_[device] = std::move(file);
    return true;
}

void GpuClaims::release(const std::vector<std::string>& devices) {
    for (const std::string& device : devices) {
        held_.erase(device);
    }
}

std::vector<std::string> parse_gpu_list(const std::string& text) {
    std::vector<std::string> devices;
    for (const std::string_view part : split(text, ',')) {
        const std::string_view name = trim(part);
        if (name.empty() || name == "-1" || name == "NoDevFiles" ||
            name.find('/') != std::string_view::npos) {
            break;  // as CUDA does: what follows an invalid one is not visible
        }
        devices.emplace_back(name);
    }
    return devices;
}

std::vector<std::string> visible_gpus() {
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
        return parse_gpu_list(visible);
    }
    std::vector<unsigned> numbers;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", failed)) {
        const std::string name = entry.path().filename().string();
        unsigned number = 0;
        const char* end = name.data() + name.size();
        if (name.starts_with(k_device_prefix) && name.size() > k_device_prefix.size()) {
            const auto parsed = std::from_chars(name.data() + k_device_prefix.size(), end, number);
            if (parsed.ec == std::errc() && parsed.ptr == end) {
                numbers.push_back(number);
            }
        }
    }
    std::sort(numbers.begin(), numbers.end());
    std::vector<std::string> devices;
    devices.reserve(numbers.size());
    for (const unsigned number : numbers) {
        devices.push_back(std::to_string(number));
    }
    return devices;
}

}  // namespace amp
