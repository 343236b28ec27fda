#include "backends/system/event_loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr int k_events = 256;  // a wake-up; more come with the next

}  // namespace

double steady_now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), now_(steady_now()) {
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
}

// The generation beside the descriptor tells an event of a closed descriptor from one of its successor.
void EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
    epoll_event event{};
    event.events = events;
    const std::uint32_t generation = ++generation_;
    event.data.u64 = (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        throw Error::system("watch", "a descriptor", errno);
    }
    watches_[fd] = std::make_shared<Watch>(Watch{generation, std::move(handler)});
}

void EventLoop::change(int fd, std::uint32_t events) {
    const auto found = watches_.find(fd);
    if (found == watches_.end()) {
        return;
    }
    epoll_event event{};
    event.events = events;
    event.data.u64 = (std::uint64_t{found->second->generation} << 32) | static_cast<std::uint32_t>(fd);
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::forget(int fd) {
    if (watches_.erase(fd) != 0) {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }
}

EventLoop::TimerId EventLoop::at(double when, std::function<void()> handler) {
    const TimerId id = ++last_timer_;
    timers_.emplace(TimerKey{when, id}, std::move(handler));
    deadlines_.emplace(id, when);
    return id;
}

void EventLoop::cancel(TimerId timer) {
    const auto found = deadlines_.find(timer);
    if (found != deadlines_.end()) {
        timers_.erase({found->second, timer});
        deadlines_.erase(found);
    }
}

int EventLoop::wait_ms(double max_wait_s) const {
    double wait_s = max_wait_s;
    if (!timers_.empty()) {
        const double until = std::max(0.0, timers_.begin()->first.first - steady_now());
        wait_s = wait_s < 0 ? until : std::min(wait_s, until);
    }
    return wait_s < 0 ? -1 : static_cast<int>(std::ceil(std::min(wait_s, 3600.0) * 1000));
}

void EventLoop::fire_timers() {
    while (!timers_.empty() && timers_.begin()->first.first <= now_) {
        const auto first = timers_.begin();
        const auto handler = std::move(first->second);
        deadlines_.erase(first->first.second);
        timers_.erase(first);
        handler();
    }
}

void EventLoop::run_once(double max_wait_s) {
    epoll_event events[k_events];
    const int n = epoll_wait(epoll_.get(), events, k_events, wait_ms(max_wait_s));
    if (n < 0 && errno != EINTR) {
        throw Error::system("wait for", "events", errno);
    }
    now_ = steady_now();
    for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[i];
        const auto found = watches_.find(static_cast<int>(event.data.u64 & UINT32_MAX));
        if (found != watches_.end() && found->second->generation == event.data.u64 >> 32) {
            const auto watch = found->second;  // keeps the handler alive when it forgets itself
            watch->handler(event.events);
        }
    }
    fire_timers();
}

}  // namespace amp
