#pragma once

#include <algorithm>

#include "core/ports/waiter.hpp"

namespace amp {

/// Ends every wait after `most_s`, so that a run that waits for one long task still gives signs of life.
class ImpatientWaiter : public Waiter {
  public:
    ImpatientWaiter(Waiter& waiter, double most_s) : waiter_(waiter), most_s_(most_s) {}
    void wait(int fd, double seconds) override {
        waiter_.wait(fd, seconds < 0 ? most_s_ : std::min(seconds, most_s_));
    }
    int interrupts() override { return waiter_.interrupts(); }
    int terminating_signal() override { return waiter_.terminating_signal(); }

  private:
    Waiter& waiter_;
    double most_s_;
};

}  // namespace amp
