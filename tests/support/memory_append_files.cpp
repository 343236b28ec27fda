#include "tests/support/memory_append_files.hpp"

#include <algorithm>
#include <chrono>

#include "core/base/error.hpp"
#include "core/ports/object_store.hpp"

namespace amp::test {

class MemoryAppendFiles::File : public AppendFile {
  public:
    File(std::shared_ptr<Disk> disk, std::string key, std::uint64_t id, std::uint64_t size)
        : disk_(std::move(disk)), key_(std::move(key)), id_(id), boot_(disk_->boot), size_(size) {}

    ~File() override {
        const std::scoped_lock lock(disk_->mutex);
        const auto it = disk_->files.find(key_);
        if (it != disk_->files.end() && it->second.holder == id_) {
            it->second.holder = 0;
        }
    }

    void append(std::string_view bytes) override {
        const std::scoped_lock lock(disk_->mutex);
        if (boot_ != disk_->boot) {
            return;  // this process is no more
        }
        if (disk_->fail_always || ++disk_->appends == disk_->fail_append_at) {
            disk_->files[key_].bytes += bytes.substr(0, disk_->partly);
            throw Error::system("cannot write", key_, disk_->error_number);
        }
        disk_->files[key_].bytes += bytes;
        size_ += bytes.size();
    }

    void sync() override {
        const std::scoped_lock lock(disk_->mutex);
        if (boot_ != disk_->boot) {
            return;
        }
        ++disk_->syncs;
        Contents& file = disk_->files[key_];
        if (disk_->fail_always || disk_->syncs == disk_->fail_sync_at) {
            file.poisoned = true;
            throw Error::system("cannot sync", key_, disk_->error_number);
        }
        if (!file.poisoned) {
            file.synced = file.bytes.size();
            file.entry_synced = true;
        }
        disk_->synced.notify_all();
    }

    std::uint64_t size() const override { return size_; }

  private:
    std::shared_ptr<Disk> disk_;
    std::string key_;
    std::uint64_t id_;
    std::uint64_t boot_;
    std::uint64_t size_;
};

MemoryAppendFiles::MemoryAppendFiles() : disk_(std::make_shared<Disk>()) {}

void MemoryAppendFiles::fail_append(std::size_t n, int error_number, std::size_t partly) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->fail_append_at = disk_->appends + n;
    disk_->error_number = error_number;
    disk_->partly = partly;
}

void MemoryAppendFiles::fail_sync(std::size_t n, int error_number) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->fail_sync_at = disk_->syncs + n;
    disk_->error_number = error_number;
}

void MemoryAppendFiles::fail_for_ever(int error_number, std::size_t partly) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->fail_always = true;
    disk_->error_number = error_number;
    disk_->partly = partly;
}

void MemoryAppendFiles::power_cut(std::size_t survivors) {
    const std::scoped_lock lock(disk_->mutex);
    ++disk_->boot;
    std::erase_if(disk_->files,
                  [&](const auto& entry) { return !entry.second.entry_synced && survivors == 0; });
    for (auto& [key, file] : disk_->files) {
        const std::size_t extra = file.poisoned ? 0 : survivors;
        file.bytes.resize(std::min(file.bytes.size(), file.synced + extra));
        file.synced = file.bytes.size();
        file.entry_synced = true;
        file.poisoned = false;
        file.holder = 0;
    }
}

void MemoryAppendFiles::drop_lock(std::string_view key) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->files.find(key)->second.holder = 0;
}

void MemoryAppendFiles::drop_locks() {
    const std::scoped_lock lock(disk_->mutex);
    for (auto& [key, file] : disk_->files) {
        file.holder = 0;
    }
}

bool MemoryAppendFiles::wait_synced(std::string_view key, std::size_t length) {
    std::unique_lock lock(disk_->mutex);
    return disk_->synced.wait_for(lock, std::chrono::seconds(5), [&] {
        const auto it = disk_->files.find(key);
        return it != disk_->files.end() && it->second.synced >= length;
    });
}

std::string MemoryAppendFiles::bytes(std::string_view key) const {
    const std::scoped_lock lock(disk_->mutex);
    const auto it = disk_->files.find(key);
    return it == disk_->files.end() ? std::string() : it->second.bytes;
}

void MemoryAppendFiles::set_bytes(std::string_view key, std::string bytes) {
    const std::scoped_lock lock(disk_->mutex);
    Contents& file = disk_->files[std::string(key)];
    file.bytes = std::move(bytes);
    file.synced = file.bytes.size();
    file.entry_synced = true;
}

std::size_t MemoryAppendFiles::syncs() const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->syncs;
}

std::unique_ptr<AppendFile> MemoryAppendFiles::open(std::string_view key, std::uint64_t keep) {
    if (!is_store_key(key)) {
        throw Error(ExitCode::bug, "'" + std::string(key) + "' is no key of a store");
    }
    const std::scoped_lock lock(disk_->mutex);
    Contents& file = disk_->files[std::string(key)];
    if (file.holder != 0) {
        return nullptr;
    }
    if (file.bytes.size() < keep) {
        throw Error(ExitCode::mismatch,
                    "'" + std::string(key) + "' is shorter than what is known to be good");
    }
    if (file.bytes.size() > keep) {
        file.bytes.resize(keep);
        file.synced = keep;
        file.entry_synced = true;
    }
    file.holder = ++disk_->opens;
    return std::make_unique<File>(disk_, std::string(key), file.holder, keep);
}

bool MemoryAppendFiles::locked(std::string_view key) {
    const std::scoped_lock lock(disk_->mutex);
    const auto it = disk_->files.find(key);
    return it != disk_->files.end() && it->second.holder != 0;
}

std::optional<std::string> MemoryAppendFiles::read(std::string_view key, std::uint64_t offset,
                                                   std::uint64_t length) {
    const std::scoped_lock lock(disk_->mutex);
    const auto it = disk_->files.find(key);
    if (it == disk_->files.end()) {
        return std::nullopt;
    }
    return offset < it->second.bytes.size() ? it->second.bytes.substr(offset, length) : std::string();
}

std::vector<std::string> MemoryAppendFiles::list(std::string_view prefix) {
    const std::scoped_lock lock(disk_->mutex);
    std::vector<std::string> keys;
    for (const auto& [key, file] : disk_->files) {
        if (key.starts_with(prefix)) {
            keys.push_back(key);
        }
    }
    return keys;
}

}  // namespace amp::test
