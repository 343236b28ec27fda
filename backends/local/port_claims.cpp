#include "backends/local/port_claims.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "core/base/ids.hpp"

namespace amp {
namespace {

constexpr std::uint32_t k_lowest = 20000;  // below, services have their own, and from 30000 on Kubernetes
constexpr std::uint32_t k_most = 4096;     // each that was ever used leaves a file
constexpr std::uint32_t k_end = 65536;
constexpr std::uint32_t k_fewest = 1000;

struct Range {
    std::uint32_t first = k_lowest;
    std::uint32_t end = k_lowest + k_most;
};

/// Outside of those that the kernel chooses from by itself, where that leaves enough.
Range candidates() {
    std::uint32_t first = 32768;
    std::uint32_t last = 60999;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
    if (first >= k_lowest + k_fewest) {
        return {k_lowest, std::min(first, k_lowest + k_most)};
    }
    return last + 1 + k_fewest <= k_end ? Range{last + 1, std::min(k_end, last + 1 + k_most)} : Range{};
}

/// Can a program that takes no precautions listen there, on all addresses?
bool is_free(std::uint16_t port) {
    const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    return listener && bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::optional<std::vector<std::uint16_t>> PortClaims::claim(std::size_t count) {
    std::vector<std::uint16_t> claimed;
    const Range range = candidates();
    const std::uint32_t size = range.end - range.first;
    if (count > size) {
        return std::nullopt;
    }
    const auto start = static_cast<std::uint32_t>(random_bits() % size);
    for (std::uint32_t i = 0; i < size && claimed.size() < count; ++i) {
        const auto port = static_cast<std::uint16_t>(range.first + (start + i) % size);
        if (held_.contains(port) || !is_free(port)) {
            continue;
        }
        if (auto lock = folder_.claim(std::to_string(port))) {
            held_.emplace(port, std::move(*lock));
            claimed.push_back(port);
        }
    }
    if (claimed.size() < count) {
        release(claimed);
        return std::nullopt;
    }
    return claimed;
}

void PortClaims::release(const std::vector<std::uint16_t>& ports) {
    for (const std::uint16_t port : ports) {
        held_.erase(port);
    }
}

}  // namespace amp
