#include "backends/system/local_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <memory>

#include "backends/system/folder_watch.hpp"
#include "core/base/error.hpp"
#include "core/base/stream_path.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileInfo::Kind kind_of(mode_t mode) {
    return S_ISREG(mode)   ? FileInfo::Kind::file
           : S_ISDIR(mode) ? FileInfo::Kind::folder
           : S_ISLNK(mode) ? FileInfo::Kind::link
                           : FileInfo::Kind::other;
}

std::string target_of(const std::string& link) {
    std::string target(PATH_MAX, '\0');
    const ssize_t size = readlink(link.c_str(), target.data(), target.size());
    if (size < 0) {
        throw Error::system("cannot read the link", link, errno);
    }
    target.resize(static_cast<std::size_t>(size));
    return target;
}

[[noreturn]] void throw_too_large(const std::string& path, std::uint64_t max_bytes) {
    throw Error(ExitCode::invalid, fmt::format("'{}' is larger than {}", path, format_size(max_bytes)), path);
}

/// Of a pipe: to its end.
std::string read_stream(const std::string& path, std::uint64_t max_bytes) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    std::string bytes;
    std::array<char, 65536> buffer{};
    ssize_t n = fd ? 1 : -1;
    while (n > 0 || (n < 0 && fd && errno == EINTR)) {
        n = ::read(fd.get(), buffer.data(), buffer.size());
        bytes.append(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
        if (bytes.size() > max_bytes) {
            throw_too_large(path, max_bytes);
        }
    }
    if (n < 0) {
        throw Error::system("cannot read", path, errno);
    }
    return bytes;
}

}  // namespace

std::string LocalFiles::read(const std::string& path, std::uint64_t max_bytes) {
    // Without O_NONBLOCK opening a FIFO would wait for its writer.
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0) {
        throw Error::system("cannot read", path, errno);
    }
    if (names_stream(path) && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) {
        if (!streams_.contains(path)) {
            streams_[path] = read_stream(path, max_bytes);
        }
        return streams_[path];
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(ExitCode::invalid, fmt::format("'{}' is no regular file", path), path);
    }
    if (static_cast<std::uint64_t>(status.st_size) > max_bytes) {
        throw_too_large(path, max_bytes);
    }
    // One byte more than expected, so that the end is seen without growing; what grows meanwhile (or is in
    // /proc) does.
    std::string bytes(static_cast<std::size_t>(status.st_size) + 1, '\0');
    std::size_t used = 0;
    while (true) {
        const ssize_t n = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
        if (n < 0 && errno != EINTR) {
            throw Error::system("cannot read", path, errno);
        }
        if (n == 0) {
            break;
        }
        const bool end = n > 0 && status.st_size > 0 && used + static_cast<std::size_t>(n) < bytes.size();
        used += n > 0 ? static_cast<std::size_t>(n) : 0;
        if (used > max_bytes) {
            throw_too_large(path, max_bytes);
        }
        if (end) {  // a file of the disk gives all that it has
            break;
        }
        if (used == bytes.size()) {
            bytes.resize(std::max<std::size_t>(2 * bytes.size(), 4096));
        }
    }
    bytes.resize(used);
    return bytes;
}

std::optional<FileInfo> LocalFiles::info(const std::string& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) {
            return std::nullopt;
        }
        throw Error::system("cannot look at", path, errno);
    }
    FileInfo info;
    info.kind = kind_of(status.st_mode);
    info.executable = info.kind == FileInfo::Kind::file && (status.st_mode & S_IXUSR) != 0;
    info.size_bytes = static_cast<std::uint64_t>(status.st_size);
    info.mtime_ns = nanoseconds(status.st_mtim);
    info.ctime_ns = nanoseconds(status.st_ctim);
    info.inode = status.st_ino;
    if (info.kind == FileInfo::Kind::link) {
        info.link_target = target_of(path);
    }
    return info;
}

std::vector<std::string> LocalFiles::list(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), closedir);
    if (!opened) {
        throw Error::system("cannot list", folder, errno);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(opened.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
    if (errno != 0) {
        throw Error::system("cannot list", folder, errno);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string LocalFiles::canonical(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path resolved = std::filesystem::canonical(path, failed);
    if (failed) {
        throw Error::system("cannot find", path, failed.value());
    }
    return resolved.string();
}

std::unique_ptr<Watch> LocalFiles::watch(const std::string& folder) {
    return FolderWatch::of_names(folder);
}

std::string LocalFiles::current_folder() {
    std::error_code failed;
    const std::filesystem::path folder = std::filesystem::current_path(failed);
    if (failed) {
        throw Error::system("cannot find", "the current folder", failed.value());
    }
    return folder.string();
}

}  // namespace amp
