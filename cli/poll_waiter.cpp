#include "cli/poll_waiter.hpp"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace amp {

void PollWaiter::wait_any(std::span<const int> fds, double seconds) {
    constexpr double k_most_ms = 2e9;
    std::vector<pollfd> ready;
    for (const int fd : fds) {
        ready.push_back({fd, POLLIN, 0});
    }
    ::poll(ready.data(), ready.size(),
           seconds < 0 ? -1 : static_cast<int>(std::min(std::ceil(seconds * 1000), k_most_ms)));
}

}  // namespace amp
