#include "backends/system/at_terminal.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.hpp"

namespace amp {
namespace {

bool is_alive(pid_t group) {
    return group > 0 && kill(-group, 0) == 0;
}

}  // namespace

ForegroundSignals::ForegroundSignals() {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;  // a caller may have ignored it, and then there is nothing to reap
    sigaction(SIGCHLD, &standard, &child_before_);
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(&ours, signal);
        }
    }
    fd_ = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) {
        throw Error::system("cannot watch", "signals", errno);
    }
    pthread_sigmask(SIG_BLOCK, &ours, &mask_before_);
}

ForegroundSignals::~ForegroundSignals() {
    while (take() != 0) {  // what has come must not strike once the mask is gone
    }
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    sigaction(SIGCHLD, &child_before_, nullptr);
}

int ForegroundSignals::take() {
    signalfd_siginfo info{};
    return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

TerminalLent::TerminalLent(bool lent) : lent_(lent && tcgetattr(STDIN_FILENO, &modes_) == 0) {}

TerminalLent::~TerminalLent() {
    if (!lent_) {
        return;
    }
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;  // else who is not in the foreground is stopped by both
    sigaction(SIGTTOU, &ignore, &before);
    if (const pid_t owner = tcgetpgrp(STDIN_FILENO); owner != getpgrp() && !is_alive(owner)) {
        tcsetpgrp(STDIN_FILENO, getpgrp());
    }
    if (tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_);
    }
    sigaction(SIGTTOU, &before, nullptr);
}

}  // namespace amp
