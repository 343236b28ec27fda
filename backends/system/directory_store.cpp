#include "backends/system/directory_store.hpp"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "backends/system/directory_store_temp.hpp"
#include "core/base/hash.hpp"

namespace amp {
namespace {

using namespace std::chrono_literals;

constexpr auto k_lock_patience = 30s;
/// So many objects, or bytes of them, are synced with their whole file system rather than one by one.
constexpr std::size_t k_many_keys = 64;
constexpr std::uint64_t k_many_bytes = std::uint64_t{32} << 20;

Timestamp changed_at(const struct stat& info) {
    return {static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000};
}

}  // namespace

class DirectoryStore::Writer : public ObjectWriter {
  public:
    Writer(DirectoryStore& store, std::string key) : store_(store), temp_(*store.folder_, std::move(key)) {}
    void append(std::string_view bytes) override {
        store_.check_sound();
        temp_.write(bytes);
    }
    PutResult commit(Durability durability) override { return store_.publish_new(temp_, durability); }

  private:
    DirectoryStore& store_;
    TempFile temp_;
};

DirectoryStore::DirectoryStore(std::string root, Sharing sharing)
    : folder_(std::make_shared<StoreFolder>(std::move(root), sharing)) {}

std::optional<Stored> DirectoryStore::get(std::string_view key) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    if (!file) {
        return std::nullopt;
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) {
        throw Error::system("cannot read", folder_->path(key), errno);
    }
    Stored stored{read_at(file.get(), 0, static_cast<std::uint64_t>(info.st_size), folder_->path(key)), {}};
    stored.version = sha256_hex(stored.bytes);
    return stored;
}

std::optional<std::string> DirectoryStore::get_range(std::string_view key, std::uint64_t offset,
                                                     std::uint64_t length) {
    check_key(key);
    const UniqueFd file = folder_->open_read(key);
    if (!file) {
        return std::nullopt;
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) {
        throw Error::system("cannot read", folder_->path(key), errno);
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const std::uint64_t there = size > offset ? size - offset : 0;
    return read_at(file.get(), offset, std::min(length, there), folder_->path(key));
}

std::optional<std::uint64_t> DirectoryStore::size(std::string_view key) {
    check_key(key);
    struct stat info {};
    if (::fstatat(folder_->fd(), std::string(key).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            throw Error::system("cannot read", folder_->path(key), errno);
        }
        return std::nullopt;
    }
    return S_ISREG(info.st_mode) ? std::optional(static_cast<std::uint64_t>(info.st_size)) : std::nullopt;
}

bool DirectoryStore::exists(const std::string& key) const {
    struct stat info {};
    if (::fstatat(folder_->fd(), key.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        throw Error(ExitCode::infrastructure, fmt::format("'{}' is no plain file", folder_->path(key)),
                    folder_->path(key));
    }
    return true;
}

void DirectoryStore::check_sound() {
    const std::scoped_lock lock(pending_mutex_);
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void DirectoryStore::settle(const std::string& key, Durability durability) {
    if (durability == Durability::later) {
        const std::scoped_lock lock(pending_mutex_);
        pending_.insert(key);
    } else {
        folder_->sync_parents(key);
    }
}

PutResult DirectoryStore::publish_new(TempFile& temp, Durability durability) {
    check_sound();
    if (durability == Durability::now) {
        temp.sync();
    }
    const bool stored = temp.publish_new();
    settle(temp.key(), durability);
    return stored ? PutResult::stored : PutResult::exists;
}

PutResult DirectoryStore::put_if_absent(std::string_view key, std::string_view bytes, Durability durability) {
    check_key(key);
    check_sound();
    const std::string name(key);
    if (exists(name)) {
        // Another process may have put it and not synced it yet; its bytes must be as durable as ours would
        // be.
        if (const UniqueFd file = folder_->open_read(name); file && durability == Durability::now) {
            sync_file(file.get(), folder_->path(name));
        }
        settle(name, durability);
        return PutResult::exists;
    }
    TempFile temp(*folder_, name);
    temp.write(bytes);
    return publish_new(temp, durability);
}

bool DirectoryStore::refresh(std::string_view key) {
    check_key(key);
    check_sound();
    const std::string name(key);
    const UniqueFd lock = lock_key(key, LOCK_SH);
    // The age matters only to a collector, so failing to set it (a read-only file system) is no failure.
    if (::utimensat(folder_->fd(), name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0 && !exists(name)) {
        return false;
    }
    settle(name, Durability::later);
    return true;
}

std::unique_ptr<ObjectWriter> DirectoryStore::create(std::string_view key) {
    check_key(key);
    return std::make_unique<Writer>(*this, std::string(key));
}

UniqueFd DirectoryStore::lock_key(std::string_view key, int operation) {
    const std::string name = fmt::format(".locks/{:02x}", crc32c(key) & 0xFFU);
    UniqueFd file = folder_->open_write(name, O_RDWR);
    const auto deadline = std::chrono::steady_clock::now() + k_lock_patience;
    for (auto pause = 1ms; ::flock(file.get(), operation | LOCK_NB) != 0; pause = std::min(pause * 2, 16ms)) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            throw Error::system("cannot lock", folder_->path(name), errno);
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw Error(ExitCode::busy,
                        fmt::format("another process holds the lock of '{}' for too long", key),
                        folder_->path(name), "is an amp process on this machine stopped?");
        }
        std::this_thread::sleep_for(pause);
    }
    return file;
}

void DirectoryStore::replace(const std::string& key, std::string_view bytes) {
    check_sound();
    TempFile temp(*folder_, key, Room::reserved);
    temp.write(bytes);
    temp.sync();
    temp.publish_over();
    folder_->sync_parents(key);
}

PutResult DirectoryStore::compare_and_swap(std::string_view key, std::string_view bytes,
                                           std::string_view expected_version) {
    check_key(key);
    const UniqueFd lock = lock_key(key, LOCK_EX);
    const std::optional<Stored> current = get(key);
    if (!current || current->version != expected_version) {
        return PutResult::changed;
    }
    replace(std::string(key), bytes);
    return PutResult::stored;
}

void DirectoryStore::put(std::string_view key, std::string_view bytes) {
    check_key(key);
    const UniqueFd lock = lock_key(key, LOCK_EX);
    replace(std::string(key), bytes);
}

std::vector<std::string> DirectoryStore::list_after(std::string_view prefix, std::string_view after,
                                                    std::size_t limit) {
    return folder_->list(prefix, after, limit);
}

std::vector<std::string> DirectoryStore::list_children(std::string_view prefix) {
    if (!prefix.empty() && prefix.back() != '/') {
        throw Error(ExitCode::bug, fmt::format("'{}' does not end in '/'", prefix));
    }
    return folder_->children(prefix);
}

void DirectoryStore::remove(std::string_view key) {
    check_key(key);
    const UniqueFd lock = lock_key(key, LOCK_EX);
    if (::unlinkat(folder_->fd(), std::string(key).c_str(), 0) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            throw Error::system("cannot remove", folder_->path(key), errno);
        }
        return;
    }
    folder_->sync_parents(key);
    folder_->remove_empty_parents(key);
}

std::vector<Listed> DirectoryStore::list_details(std::string_view prefix, std::string_view after,
                                                 std::size_t limit) {
    std::vector<Listed> out;
    for (std::string& key : folder_->list(prefix, after, limit)) {
        struct stat info {};
        if (::fstatat(folder_->fd(), key.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
            out.push_back({std::move(key), static_cast<std::uint64_t>(info.st_size), changed_at(info)});
        }
    }
    return out;
}

bool DirectoryStore::remove_older(std::string_view key, Timestamp before) {
    check_key(key);
    const std::string name(key);
    const UniqueFd lock = lock_key(key, LOCK_EX);
    struct stat info {};
    if (::fstatat(folder_->fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
    }
    if (changed_at(info) >= before) {
        return false;
    }
    if (::unlinkat(folder_->fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
        throw Error::system("cannot remove", folder_->path(key), errno);
    }
    folder_->remove_empty_parents(key);
    return true;
}

std::size_t DirectoryStore::remove_abandoned(Timestamp before, bool dry) {
    std::size_t count = 0;
    for (const std::string& name : folder_->temporary()) {
        struct stat info {};
        const bool old = ::fstatat(folder_->fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISREG(info.st_mode) && changed_at(info) < before;
        if (old && (dry || ::unlinkat(folder_->fd(), name.c_str(), 0) == 0)) {
            ++count;
        }
    }
    return count;
}

void DirectoryStore::sync_pending() {
    const std::scoped_lock one(sync_mutex_);
    check_sound();
    std::vector<std::string> keys;
    {
        const std::scoped_lock lock(pending_mutex_);
        keys.assign(pending_.begin(), pending_.end());
        pending_.clear();
    }
    try {
        if (are_many(keys) && sync_together(keys)) {
            return;
        }
        sync_files(keys);
        folder_->sync_parents(keys);
    } catch (...) {
        // The kernel tells of a lost write once: whoever asks again must not hear that all is well.
        const std::scoped_lock lock(pending_mutex_);
        failure_ = std::current_exception();
        throw;
    }
}

bool DirectoryStore::sync_together(const std::vector<std::string>& keys) {
    try {
        return folder_->sync_all(keys);
    } catch (const Error&) {
        sync_files(keys);  // which finds out what is bad, and removes it
        throw;
    }
}

bool DirectoryStore::are_many(const std::vector<std::string>& keys) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < keys.size() && keys.size() <= k_many_keys && bytes <= k_many_bytes; ++i) {
        bytes += size(keys[i]).value_or(0);
    }
    return keys.size() > k_many_keys || bytes > k_many_bytes;
}

void DirectoryStore::sync_files(const std::vector<std::string>& keys) {
    // First start to write all, then wait for each: the disk sees one batch.
    for (const std::string& key : keys) {
        if (const UniqueFd file = folder_->open_read(key)) {
            ::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
        }
    }
    in_parallel(keys.size(), [&](std::size_t i) {
        if (const UniqueFd file = folder_->open_read(keys[i]); file && ::fsync(file.get()) != 0) {
            const int failed = errno;
            // The kernel may have dropped what it could not write: nobody may find this file and trust it.
            ::unlinkat(folder_->fd(), keys[i].c_str(), 0);
            throw Error::system("cannot sync", folder_->path(keys[i]), failed);
        }
    });
}

}  // namespace amp
