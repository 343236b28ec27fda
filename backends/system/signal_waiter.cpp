#include "backends/system/signal_waiter.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <vector>

#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

bool is_ignored(int signal) {
    struct sigaction action {};
    return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

timespec duration(double seconds) {
    const double whole = std::floor(seconds);
    return {static_cast<time_t>(whole), static_cast<long>((seconds - whole) * 1e9)};
}

}  // namespace

SignalWaiter::SignalWaiter() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        if (!is_ignored(signal)) {
            sigaddset(&ours, signal);
        }
    }
    signals_ = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) {
        throw Error::system("cannot watch", "signals", errno);
    }
    pthread_sigmask(SIG_BLOCK, &ours, &mask_before_);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &pipe_before_);
}

SignalWaiter::~SignalWaiter() {
    take_signals();  // what has come is counted, and must not strike once the mask is gone
    sigaction(SIGPIPE, &pipe_before_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void SignalWaiter::take_signals() {
    std::array<signalfd_siginfo, 4> infos{};
    ssize_t size = 0;
    while ((size = read(signals_.get(), infos.data(), sizeof infos)) > 0) {
        untold_ = true;
        for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof infos[0]; ++i) {
            const int signal = static_cast<int>(infos[i].ssi_signo);
            if (signal == SIGINT) {
                ++interrupts_;
            } else if (terminating_ == 0) {
                terminating_ = signal;
            }
        }
    }
}

void SignalWaiter::wait_any(std::span<const int> fds, double seconds) {
    std::vector<pollfd> ready = {{signals_.get(), POLLIN, 0}};
    for (const int fd : fds) {
        ready.push_back({fd, POLLIN, 0});
    }
    const double deadline = steady_now() + seconds;
    while (true) {
        take_signals();
        if (untold_) {
            untold_ = false;
            return;
        }
        const timespec left = duration(std::clamp(deadline - steady_now(), 0.0, 1e9));
        const int count = ppoll(ready.data(), ready.size(), seconds < 0 ? nullptr : &left, nullptr);
        const bool ours = count > 0 && ready.front().revents != 0;
        if (count == 0 || count > (ours ? 1 : 0)) {
            return;
        }
        if (count < 0 && errno != EINTR) {
            throw Error::system("cannot wait for", "events", errno);
        }
    }
}

int SignalWaiter::interrupts() {
    take_signals();
    return interrupts_;
}

int SignalWaiter::terminating_signal() {
    take_signals();
    return terminating_;
}

}  // namespace amp
