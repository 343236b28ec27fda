#include "backends/system/signal_waiter.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>

#include "backends/system/event_loop.hpp"

using namespace amp;

namespace {

struct Ends {
    Ends() {
        std::array<int, 2> fds{};
        REQUIRE(pipe(fds.data()) == 0);
        read = UniqueFd(fds[0]);
        write = UniqueFd(fds[1]);
    }
    UniqueFd read;
    UniqueFd write;
};

bool is_blocked(int signal) {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, nullptr, &now);
    return sigismember(&now, signal) == 1;
}

bool is_ignored(int signal) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    return action.sa_handler == SIG_IGN;
}

/// How long a wait took.
double wait_s(SignalWaiter& waiter, int fd, double seconds) {
    const double start = steady_now();
    waiter.wait(fd, seconds);
    return steady_now() - start;
}

}  // namespace

TEST_CASE("a wait ends when the descriptor is readable, or with its time") {
    SignalWaiter waiter;
    const Ends pipe;
    CHECK(wait_s(waiter, pipe.read.get(), 0.02) >= 0.02);
    CHECK(wait_s(waiter, -1, 0) < 5);
    REQUIRE(write(pipe.write.get(), "x", 1) == 1);
    CHECK(wait_s(waiter, pipe.read.get(), 100) < 5);
    CHECK(wait_s(waiter, pipe.read.get(), -1) < 5);
    CHECK(waiter.interrupts() == 0);
    CHECK(waiter.terminating_signal() == 0);
}

TEST_CASE("a closed pipe ends a wait") {
    SignalWaiter waiter;
    Ends pipe;
    pipe.write.reset();
    CHECK(wait_s(waiter, pipe.read.get(), 100) < 5);
}

TEST_CASE("interrupts are counted, and each ends one wait") {
    SignalWaiter waiter;
    raise(SIGINT);
    CHECK(wait_s(waiter, -1, 100) < 5);
    CHECK(waiter.interrupts() == 1);
    CHECK(wait_s(waiter, -1, 0.02) >= 0.02);
    raise(SIGINT);
    CHECK(waiter.interrupts() == 2);
    CHECK(waiter.interrupts() == 2);
    CHECK(wait_s(waiter, -1, 100) < 5);  // asking in between has not lost it
    CHECK(waiter.terminating_signal() == 0);
}

TEST_CASE("the first terminating signal is remembered") {
    SignalWaiter waiter;
    raise(SIGHUP);
    CHECK(waiter.terminating_signal() == SIGHUP);
    raise(SIGTERM);
    CHECK(waiter.terminating_signal() == SIGHUP);
    CHECK(waiter.interrupts() == 0);
}

TEST_CASE("a broken pipe is an error and no death") {
    SignalWaiter waiter;
    Ends pipe;
    pipe.read.reset();
    CHECK(write(pipe.write.get(), "x", 1) == -1);
}

TEST_CASE("afterwards all is as before, and no signal is left over") {
    REQUIRE_FALSE(is_ignored(SIGPIPE));
    {
        SignalWaiter waiter;
        CHECK(is_blocked(SIGINT));
        CHECK(is_blocked(SIGTERM));
        CHECK(is_blocked(SIGHUP));
        CHECK(is_ignored(SIGPIPE));
        raise(SIGTERM);  // would end this program if it were left
    }
    CHECK_FALSE(is_blocked(SIGINT));
    CHECK_FALSE(is_blocked(SIGTERM));
    CHECK_FALSE(is_blocked(SIGHUP));
    CHECK_FALSE(is_ignored(SIGPIPE));
}

TEST_CASE("under nohup a hang-up stays ignored") {
    const auto before = signal(SIGHUP, SIG_IGN);
    {
        SignalWaiter waiter;
        raise(SIGHUP);
        CHECK(waiter.terminating_signal() == 0);
        raise(SIGTERM);
        CHECK(waiter.terminating_signal() == SIGTERM);
    }
    signal(SIGHUP, before);
}
