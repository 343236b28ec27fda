#include "backends/system/directory_store_temp.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "core/base/ids.hpp"

namespace amp {
namespace {

/// Renames without replacing. False and errno EEXIST when the target is there.
bool rename_new(int folder, const std::string& from, const std::string& to) {
    if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return false;
    }
    // NFS and other file systems without RENAME_NOREPLACE. A link whose answer got lost shows by its count.
    const bool linked = ::linkat(folder, from.c_str(), folder, to.c_str(), 0) == 0;
    const int failed = errno;
    struct stat info {};
    if (!linked && (::fstatat(folder, from.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || info.st_nlink != 2)) {
        errno = failed;
        return false;
    }
    ::unlinkat(folder, from.c_str(), 0);
    return true;
}

}  // namespace

TempFile::TempFile(StoreFolder& folder, std::string key, Room room)
    : folder_(folder), key_(std::move(key)), room_(room) {
    const std::size_t slash = key_.rfind('/');
    const std::string_view above =
        std::string_view(key_).substr(0, slash == std::string::npos ? 0 : slash + 1);
    name_ = fmt::format("{}~{}-{:016x}", above, ::getpid(), random_bits());
    file_ = folder_.open_write(name_, O_WRONLY | O_EXCL);
    if (!file_) {
        throw Error::system("cannot create", folder_.path(name_), EEXIST);
    }
}

TempFile::~TempFile() {
    if (!published_) {
        ::unlinkat(folder_.fd(), name_.c_str(), 0);
    }
}

void TempFile::write(std::string_view bytes) {
    folder_.write(file_.get(), bytes, key_, room_);
}

void TempFile::sync() {
    sync_file(file_.get(), folder_.path(key_));
}

bool TempFile::publish_new() {
    published_ = rename_new(folder_.fd(), name_, key_);
    if (!published_ && errno != EEXIST) {
        throw Error::system("cannot create", folder_.path(key_), errno);
    }
    return published_;
}

void TempFile::publish_over() {
    if (::renameat(folder_.fd(), name_.c_str(), folder_.fd(), key_.c_str()) != 0) {
        throw Error::system("cannot replace", folder_.path(key_), errno);
    }
    published_ = true;
}

void sync_file(int fd, const std::string& path) {
    if (::fsync(fd) != 0) {
        throw Error::system("cannot sync", path, errno);
    }
}

}  // namespace amp
