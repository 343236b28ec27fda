#include "cli/poll_waiter.hpp"

#include <poll.h>

#include <algorithm>
#include <cmath>

namespace amp {

void PollWaiter::wait(int fd, double seconds) {
    constexpr double k_most_ms = 2e9;
    pollfd ready{fd, POLLIN, 0};
    ::poll(&ready, 1, seconds < 0 ? -1 : static_cast<int>(std::min(std::ceil(seconds * 1000), k_most_ms)));
}

}  // namespace amp
