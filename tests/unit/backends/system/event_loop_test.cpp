#include "backends/system/event_loop.hpp"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vector>

using namespace amp;

namespace {

UniqueFd ready_fd() {
    return UniqueFd(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
}

}  // namespace

TEST_CASE("timers fire in the order of their deadlines, and cancelled ones not at all") {
    EventLoop loop;
    std::vector<int> fired;
    loop.after(-1, [&] { fired.push_back(2); });
    loop.after(-2, [&] { fired.push_back(1); });
    const auto cancelled = loop.after(-3, [&] { fired.push_back(3); });
    loop.after(1000, [&] { fired.push_back(4); });
    loop.cancel(cancelled);
    loop.cancel(cancelled);
    loop.cancel(0);
    loop.run_once();
    CHECK(fired == std::vector<int>{1, 2});
}

TEST_CASE("a handler may cancel the timer that is due next") {
    EventLoop loop;
    int fired = 0;
    EventLoop::TimerId second = 0;
    loop.after(-2, [&] {
        ++fired;
        loop.cancel(second);
    });
    second = loop.after(-1, [&] { fired += 10; });
    loop.run_once();
    CHECK(fired == 1);
}

TEST_CASE("a descriptor that was forgotten is not heard, also within one wake-up") {
    EventLoop loop;
    const UniqueFd a = ready_fd();
    const UniqueFd b = ready_fd();
    int heard = 0;
    const auto forget_both = [&](std::uint32_t) {
        ++heard;
        loop.forget(a.get());
        loop.forget(b.get());
    };
    loop.watch(a.get(), EPOLLIN, forget_both);
    loop.watch(b.get(), EPOLLIN, forget_both);
    loop.run_once(0);
    loop.run_once(0);
    CHECK(heard == 1);
}

TEST_CASE("a new descriptor with an old number does not get the old one's events") {
    EventLoop loop;
    UniqueFd a = ready_fd();
    UniqueFd b = ready_fd();
    int wrong = 0;
    UniqueFd c;
    const auto replace = [&](std::uint32_t) {
        // Whichever comes first closes the other and opens an idle one in its place.
        UniqueFd& other = b ? b : a;
        loop.forget(other.get());
        const int number = other.get();
        other.reset();
        c.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        CHECK(c.get() == number);
        loop.watch(c.get(), EPOLLIN, [&](std::uint32_t) { ++wrong; });
    };
    loop.watch(a.get(), EPOLLIN, replace);
    loop.watch(b.get(), EPOLLIN, [&](std::uint32_t) {});
    loop.run_once(0);
    CHECK(wrong == 0);
}
