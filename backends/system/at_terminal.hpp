#pragma once

#include <sys/types.h>
#include <termios.h>

#include <csignal>

#include "core/base/unique_fd.hpp"

/// What a process needs that waits for another one which has its terminal.
namespace amp {

/// SIGCHLD, and those that mean the user wants us to stop, come through a descriptor while it lives. What we
/// were started to ignore stays ignored.
class ForegroundSignals {
  public:
    /// @throws Error(infrastructure)
    ForegroundSignals();
    ~ForegroundSignals();
    ForegroundSignals(const ForegroundSignals&) = delete;
    ForegroundSignals& operator=(const ForegroundSignals&) = delete;

    int fd() const { return fd_.get(); }
    /// 0: none.
    int take();

  private:
    UniqueFd fd_;
    sigset_t mask_before_{};
    struct sigaction child_before_ {};
};

/// What a program does to the terminal ends with it, also when it was killed: its modes, and whose it is.
class TerminalLent {
  public:
    explicit TerminalLent(bool lent);
    ~TerminalLent();
    TerminalLent(const TerminalLent&) = delete;
    TerminalLent& operator=(const TerminalLent&) = delete;

  private:
    termios modes_{};
    bool lent_;
};

}  // namespace amp
