#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "core/ports/waiter.hpp"

namespace amp {

/// Ends every wait after `most_s`, asked each time, so that a run that waits for one long task still gives
/// signs of life.
class ImpatientWaiter : public Waiter {
  public:
    ImpatientWaiter(Waiter& waiter, std::function<double()> most_s)
        : waiter_(waiter), most_s_(std::move(most_s)) {}
    ImpatientWaiter(Waiter& waiter, double most_s) : waiter_(waiter), most_s_([most_s] { return most_s; }) {}
    void wait_any(std::span<const int> fds, double seconds) override {
        const double most_s = most_s_();
        waiter_.wait_any(fds, seconds < 0 ? most_s : std::min(seconds, most_s));
    }
    int interrupts() override { return waiter_.interrupts(); }
    int terminating_signal() override { return waiter_.terminating_signal(); }

  private:
    Waiter& waiter_;
    std::function<double()> most_s_;
};

}  // namespace amp
