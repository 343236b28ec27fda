#include "backends/agent/channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "core/base/error.hpp"

namespace amp::agent {
namespace {

constexpr std::size_t k_receive_at_once = std::size_t{1} << 20;
constexpr std::size_t k_buffer = std::size_t{64} << 10;

void prepare(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        throw Error::system("use", "a socket", errno);
    }
}

}  // namespace

Channel::Channel(UniqueFd socket, std::string_view read_before) : in_(std::move(socket)) {
    prepare(in_.get());
    reader_.feed(read_before);
}

Channel::Channel(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_fd_(std::move(out)) {
    prepare(in_.get());
    prepare(out_fd_.get());
}

bool Channel::receive() {
    char buffer[k_buffer];
    std::size_t received = 0;
    while (received < k_receive_at_once) {
        const ssize_t n = read(in_.get(), buffer, k_buffer);
        if (n > 0) {
            reader_.feed({buffer, static_cast<std::size_t>(n)});
            received += static_cast<std::size_t>(n);
            if (static_cast<std::size_t>(n) < k_buffer) {
                return true;
            }
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
    return true;
}

ssize_t Channel::write_some(std::string_view bytes) const {
    return out_fd_ ? write(out_fd_.get(), bytes.data(), bytes.size())
                   : ::send(in_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool Channel::flush() {
    while (has_unsent()) {
        const ssize_t n = write_some(std::string_view(out_).substr(sent_));
        if (n >= 0) {
            sent_ += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (sent_ > out_.size() / 2) {
                out_.erase(0, sent_);
                sent_ = 0;
            }
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    out_.clear();
    sent_ = 0;
    return true;
}

bool wait_ready(const Channel& channel, double seconds) {
    pollfd wait{channel.fd(), static_cast<short>(channel.has_unsent() ? POLLIN | POLLOUT : POLLIN), 0};
    int n = 0;
    do {
        n = poll(&wait, 1, static_cast<int>(std::ceil(seconds * 1000)));
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

bool has_hung_up(const Channel& channel) {
    pollfd look{channel.fd(), POLLRDHUP, 0};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace amp::agent
