#include "backends/system/local_append_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "backends/system/directory_store_temp.hpp"
#include "backends/system/folder_watch.hpp"

namespace amp {
namespace {

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::uint64_t file_size(int fd, const std::string& path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        throw Error::system("cannot read", path, errno);
    }
    return static_cast<std::uint64_t>(info.st_size);
}

class LocalAppendFile : public AppendFile {
  public:
    LocalAppendFile(std::shared_ptr<StoreFolder> folder, std::string key, UniqueFd file, std::uint64_t size,
                    Room room)
        : folder_(std::move(folder)),
          key_(std::move(key)),
          file_(std::move(file)),
          size_(size),
          room_(room) {}

    void append(std::string_view bytes) override {
        folder_->write(file_.get(), bytes, key_, room_);
        size_ += bytes.size();
    }

    void sync() override {
        // The first one makes the file itself durable, with its entry in the folder.
        if ((entry_synced_ ? ::fdatasync(file_.get()) : ::fsync(file_.get())) != 0) {
            const int failed = errno;
            if (failed == ENOSPC || failed == EDQUOT) {  // found only now, as over NFS
                folder_->give_up_reserve();
            }
            throw Error::system("cannot sync", folder_->path(key_), failed);
        }
        if (!entry_synced_) {
            folder_->sync_parents(key_);
            entry_synced_ = true;
        }
    }

    std::uint64_t size() const override { return size_; }

  private:
    std::shared_ptr<StoreFolder> folder_;
    std::string key_;
    UniqueFd file_;
    std::atomic<std::uint64_t> size_;
    Room room_;
    std::atomic<bool> entry_synced_ = false;
};

}  // namespace

LocalAppendFiles::LocalAppendFiles(std::string root, Sharing sharing)
    : folder_(std::make_shared<StoreFolder>(std::move(root), sharing)) {}

std::unique_ptr<AppendFile> LocalAppendFiles::open(std::string_view key, std::uint64_t keep, Room room) {
    check_key(key);
    const std::string name(key);
    UniqueFd file = folder_->open_write(name, O_RDWR | O_APPEND);
    struct flock lock = whole_file(F_WRLCK);
    int locked = 0;
    do {
        locked = ::fcntl(file.get(), F_OFD_SETLK, &lock);
    } while (locked != 0 && errno == EINTR);  // a lock on a server waits for its answer
    if (locked != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            return nullptr;
        }
        throw Error::system("cannot lock", folder_->path(key), errno);
    }
    const std::uint64_t size = file_size(file.get(), folder_->path(key));
    keep = keep == UINT64_MAX ? size : keep;
    if (size < keep) {
        throw Error(ExitCode::mismatch,
                    fmt::format("'{}' has {} bytes where {} are known to be good", key, size, keep),
                    folder_->path(key), "run `amp fsck`");
    }
    if (size > keep) {
        if (::ftruncate(file.get(), static_cast<off_t>(keep)) != 0) {
            throw Error::system("cannot cut", folder_->path(key), errno);
        }
        if (::fsync(file.get()) != 0) {
            throw Error::system("cannot sync", folder_->path(key), errno);
        }
    }
    return std::make_unique<LocalAppendFile>(folder_, name, std::move(file), keep, room);
}

void LocalAppendFiles::sync(std::string_view key) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    if (!file) {
        return;
    }
    if (::fsync(file.get()) != 0) {
        throw Error::system("cannot sync", folder_->path(key), errno);
    }
    folder_->sync_parents(key);
}

std::uint64_t LocalAppendFiles::size(std::string_view key) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    return file ? file_size(file.get(), folder_->path(key)) : 0;
}

bool LocalAppendFiles::locked(std::string_view key) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    if (!file) {
        return false;
    }
    struct flock lock = whole_file(F_WRLCK);
    if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) {
        throw Error::system("cannot ask for the lock of", folder_->path(key), errno);
    }
    return lock.l_type != F_UNLCK;
}

std::optional<std::string> LocalAppendFiles::read(std::string_view key, std::uint64_t offset,
                                                  std::uint64_t length) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    if (!file) {
        return std::nullopt;
    }
    const std::uint64_t size = file_size(file.get(), folder_->path(key));
    return read_at(file.get(), offset, std::min(length, size > offset ? size - offset : 0),
                   folder_->path(key));
}

std::vector<std::string> LocalAppendFiles::list(std::string_view prefix) {
    return folder_->list(prefix, {}, std::numeric_limits<std::size_t>::max());
}

void LocalAppendFiles::remove(std::string_view key) {
    check_key(key);
    if (::unlinkat(folder_->fd(), std::string(key).c_str(), 0) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            throw Error::system("cannot remove", folder_->path(key), errno);
        }
        return;
    }
    folder_->sync_parents(key);
    folder_->remove_empty_parents(key);
}

void LocalAppendFiles::replace(std::string_view key, std::string_view bytes) {
    check_key(key);
    TempFile temp(*folder_, std::string(key), Room::reserved);
    temp.write(bytes);
    temp.sync();
    temp.publish_over();
    folder_->sync_parents(key);
}

std::unique_ptr<Watch> LocalAppendFiles::watch(std::string_view prefix) {
    const std::string_view folder = prefix.substr(0, prefix.rfind('/'));
    check_key(folder);
    return FolderWatch::over(folder_->path(folder));
}

}  // namespace amp
