#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/base/unique_fd.hpp"

namespace amp {

/// One thread that waits for many descriptors and deadlines with one epoll_wait. No polling: without events
/// and deadlines it sleeps. Handlers may watch, forget, set timers and cancel them as they like.
class EventLoop {
  public:
    using Handler = std::function<void(std::uint32_t events)>;  ///< EPOLLIN and the like
    using TimerId = std::uint64_t;                              ///< never 0

    EventLoop();

    /// Level-triggered. The descriptor stays the caller's; forget it before it is closed.
    void watch(int fd, std::uint32_t events, Handler handler);
    void change(int fd, std::uint32_t events);
    void forget(int fd);

    /// Calls `handler` once, at `when` of now() or as soon as possible.
    TimerId at(double when, std::function<void()> handler);
    TimerId after(double seconds, std::function<void()> handler) {
        return at(now() + seconds, std::move(handler));
    }
    /// No effect when it has fired or was cancelled; 0 is ignored.
    void cancel(TimerId timer);

    /// Seconds of a steady clock, read once a wake-up.
    double now() const { return now_; }

    /// Waits for one wake-up, or at most `max_wait_s` when that is not negative, and calls what is due.
    void run_once(double max_wait_s = -1);

  private:
    struct Watch {
        std::uint32_t generation;
        Handler handler;
    };
    using TimerKey = std::pair<double, TimerId>;

    int wait_ms(double max_wait_s) const;
    void fire_timers();

    UniqueFd epoll_;
    std::unordered_map<int, std::shared_ptr<Watch>> watches_;
    std::map<TimerKey, std::function<void()>> timers_;
    std::unordered_map<TimerId, double> deadlines_;
    TimerId last_timer_ = 0;
    std::uint32_t generation_ = 0;
    double now_;
};

/// CLOCK_MONOTONIC in seconds.
double steady_now();

}  // namespace amp
