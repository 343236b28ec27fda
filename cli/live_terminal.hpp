#pragma once

#include <csignal>

#include "cli/live_frame.hpp"

namespace amp {

/// The terminal behind a descriptor, as it is at each moment.
class LiveTerminal {
  public:
    virtual ~LiveTerminal() = default;
    virtual FrameSize size() const = 0;
    /// We are in its foreground.
    virtual bool is_ours() const = 0;
    /// It takes what is written; else somebody has stopped it (Ctrl-S).
    virtual bool takes_more() const = 0;
    /// Were we stopped and continued since this was asked last?
    virtual bool was_stopped() = 0;
};

/// Keeps SIGCONT for itself while it lives; make it before other threads.
class SystemTerminal : public LiveTerminal {
  public:
    /// @param columns instead of what the terminal says; 0: as it says
    SystemTerminal(int fd, std::size_t columns);
    ~SystemTerminal() override;
    SystemTerminal(const SystemTerminal&) = delete;
    SystemTerminal& operator=(const SystemTerminal&) = delete;

    FrameSize size() const override;
    bool is_ours() const override;
    bool takes_more() const override;
    bool was_stopped() override;

  private:
    int fd_;
    std::size_t columns_;
    sigset_t continued_{};
    sigset_t mask_before_{};
};

}  // namespace amp
