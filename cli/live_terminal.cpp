#include "cli/live_terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace amp {

SystemTerminal::SystemTerminal(int fd, std::size_t columns) : fd_(fd), columns_(columns) {
    sigemptyset(&continued_);
    sigaddset(&continued_, SIGCONT);  // blocked, it continues us all the same, and can be asked for
    pthread_sigmask(SIG_BLOCK, &continued_, &mask_before_);
}

SystemTerminal::~SystemTerminal() {
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

FrameSize SystemTerminal::size() const {
    FrameSize out;
    winsize told{};
    if (ioctl(fd_, TIOCGWINSZ, &told) == 0 && told.ws_col > 0 && told.ws_row > 0) {
        out = {told.ws_col, told.ws_row};
    }
    if (columns_ > 0) {
        out.columns = columns_;
    }
    return out;
}

bool SystemTerminal::is_ours() const {
    const pid_t group = tcgetpgrp(fd_);
    return group < 0 || group == getpgrp();  // a pipe that is said to be a terminal belongs to nobody
}

bool SystemTerminal::takes_more() const {
    pollfd ready{fd_, POLLOUT, 0};
    return ::poll(&ready, 1, 0) == 1;
}

bool SystemTerminal::was_stopped() {
    const timespec now{};
    return sigtimedwait(&continued_, nullptr, &now) == SIGCONT;
}

}  // namespace amp
