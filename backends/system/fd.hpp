#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"

namespace amp {

/// Owns a file descriptor.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }
    /// Gives the descriptor away.
    int release() { return std::exchange(fd_, -1); }
    /// Closes now. Errors of close are ignored: what must be on the disk is synced before.
    void reset() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

  private:
    int fd_ = -1;
};

/// openat with O_CLOEXEC; an empty Fd and errno when it fails.
inline Fd open_at(int folder, const std::string& path, int flags, mode_t mode = 0) {
    int fd = -1;
    do {
        fd = ::openat(folder, path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return Fd(fd);
}

/// Writes all of `bytes`. @throws Error naming `path`
inline void write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) {
            throw Error::system("cannot write", path, errno);
        }
        bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
}

/// At most `length` bytes from `offset`, fewer at the end of the file. @throws Error naming `path`
inline std::string read_at(int fd, std::uint64_t offset, std::uint64_t length, const std::string& path) {
    std::string out(length, '\0');
    std::size_t have = 0;
    while (have < out.size()) {
        const ssize_t n =
            ::pread(fd, out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            throw Error::system("cannot read", path, errno);
        }
        have += n < 0 ? 0 : static_cast<std::size_t>(n);
    }
    out.resize(have);
    return out;
}

}  // namespace amp
