#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {

/// openat with O_CLOEXEC; an empty UniqueFd and errno when it fails.
inline UniqueFd open_at(int folder, const std::string& path, int flags, mode_t mode = 0) {
    int fd = -1;
    do {
        fd = ::openat(folder, path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return UniqueFd(fd);
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
