#include "core/package/code_scan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_piece = std::size_t{128} << 10;

UniqueFd open_file(const std::string& path) {
    // Without O_NONBLOCK opening a FIFO would wait for its writer.
    UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    const bool gone = !file && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
    if (!gone && (!file || fstat(file.get(), &info) != 0)) {
        throw Error::system("cannot read", path, errno);
    }
    if (gone || !S_ISREG(info.st_mode)) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' has changed since it was listed", printable(path)),
                    path, "once more, when nothing writes to it");
    }
    return file;
}

}  // namespace

void read_pieces(const std::string& path, std::uint64_t most,
                 const std::function<void(std::string_view)>& take) {
    const UniqueFd file = open_file(path);
    std::array<char, k_piece> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    while (most > 0) {
        const ssize_t n = read(file.get(), piece.data(), std::min<std::uint64_t>(most, piece.size()));
        if (n < 0 && errno != EINTR) {
            throw Error::system("cannot read", path, errno);
        }
        if (n == 0) {
            return;
        }
        const auto got = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
        take({piece.data(), got});
        most -= got;
    }
}

}  // namespace amp
