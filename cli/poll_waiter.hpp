#pragma once

#include "core/ports/waiter.hpp"

namespace amp {

/// For commands that have nothing to tidy up: waits, and leaves signals to do what they do by themselves.
class PollWaiter : public Waiter {
  public:
    void wait_any(std::span<const int> fds, double seconds) override;
    int interrupts() override { return 0; }
    int terminating_signal() override { return 0; }
};

}  // namespace amp
