#pragma once

#include <csignal>

#include "core/base/unique_fd.hpp"
#include "core/ports/waiter.hpp"

namespace amp {

/// Takes SIGINT, SIGTERM and SIGHUP for itself (signalfd) and ignores SIGPIPE while it lives. Make it before
/// any other thread: those inherit the blocked signals. A signal that amp was started to ignore (nohup, a
/// script's `&`) stays ignored.
class SignalWaiter : public Waiter {
  public:
    SignalWaiter();
    ~SignalWaiter() override;
    SignalWaiter(const SignalWaiter&) = delete;
    SignalWaiter& operator=(const SignalWaiter&) = delete;

    void wait_any(std::span<const int> fds, double seconds) override;
    int interrupts() override;
    int terminating_signal() override;

  private:
    void take_signals();

    sigset_t mask_before_{};
    struct sigaction pipe_before_ {};
    UniqueFd signals_;
    int interrupts_ = 0;
    int terminating_ = 0;
    bool untold_ = false;  ///< a signal came that has not ended a wait yet
};

}  // namespace amp
