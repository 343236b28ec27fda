#include "backends/system/local_append_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <limits>

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
    LocalAppendFile(std::shared_ptr<StoreFolder> folder, std::string key, Fd file, std::uint64_t size)
        : folder_(std::move(folder)), key_(std::move(key)), file_(std::move(file)), size_(size) {}

    void append(std::string_view bytes) override {
        write_all(file_.get(), bytes, folder_->path(key_));
        size_ += bytes.size();
    }

    void sync() override {
        // The first one makes the file itself durable, with its entry in the folder.
        if ((entry_synced_ ? ::fdatasync(file_.get()) : ::fsync(file_.get())) != 0) {
            throw Error::system("cannot sync", folder_->path(key_), errno);
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
    Fd file_;
    std::atomic<std::uint64_t> size_;
    std::atomic<bool> entry_synced_ = false;
};

}  // namespace

LocalAppendFiles::LocalAppendFiles(std::string root, Sharing sharing)
    : folder_(std::make_shared<StoreFolder>(std::move(root), sharing)) {}

std::unique_ptr<AppendFile> LocalAppendFiles::open(std::string_view key, std::uint64_t keep) {
    check_key(key);
    const std::string name(key);
    Fd file = folder_->open_write(name, O_RDWR | O_APPEND);
    struct flock lock = whole_file(F_WRLCK);
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            return nullptr;
        }
        throw Error::system("cannot lock", folder_->path(key), errno);
    }
    const std::uint64_t size = file_size(file.get(), folder_->path(key));
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
    return std::make_unique<LocalAppendFile>(folder_, name, std::move(file), keep);
}

bool LocalAppendFiles::locked(std::string_view key) {
    check_key(key);
    const Fd file = folder_->open_read(key);
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
    const Fd file = folder_->open_read(key);
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

}  // namespace amp
