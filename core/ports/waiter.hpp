#pragma once

#include <span>

namespace amp {

/// Waits without polling: for descriptors, signals and time.
class Waiter {
  public:
    virtual ~Waiter() = default;
    /// Returns when one of `fds` is readable (-1: none), a stop was asked for, or `seconds` have passed
    /// (negative: no limit). Each signal ends one wait, also when it came before that wait.
    virtual void wait_any(std::span<const int> fds, double seconds) = 0;
    void wait(int fd, double seconds) { wait_any({&fd, 1}, seconds); }
    /// How often a person has asked to stop (SIGINT), and which other signal ended us (SIGTERM, SIGHUP; 0:
    /// none).
    virtual int interrupts() = 0;
    virtual int terminating_signal() = 0;
};

}  // namespace amp
