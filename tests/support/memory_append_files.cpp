#include "tests/support/memory_append_files.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <random>
#include <utility>

#include "core/base/error.hpp"
#include "core/ports/object_store.hpp"

namespace amp::test {
namespace {

constexpr std::uint64_t k_reserve = std::uint64_t{1} << 20;

}  // namespace

void MemoryAppendFiles::Disk::changed(std::string_view key) {
    for (const std::weak_ptr<Seen>& watch : watches) {
        if (const auto seen = watch.lock()) {
            seen->changed = seen->changed || key.starts_with(seen->prefix);
        }
    }
}

class MemoryAppendFiles::MemoryWatch : public Watch {
  public:
    MemoryWatch(std::shared_ptr<Disk> disk, std::shared_ptr<Seen> seen)
        : disk_(std::move(disk)), seen_(std::move(seen)) {}
    int fd() const override { return -1; }
    bool take() override {
        const std::scoped_lock lock(disk_->mutex);
        return std::exchange(seen_->changed, false);
    }

  private:
    std::shared_ptr<Disk> disk_;
    std::shared_ptr<Seen> seen_;
};

class MemoryAppendFiles::File : public AppendFile {
  public:
    File(std::shared_ptr<Disk> disk, std::string key, std::uint64_t id, std::uint64_t size, Room room)
        : disk_(std::move(disk)),
          key_(std::move(key)),
          id_(id),
          boot_(disk_->boot),
          size_(size),
          room_(room) {}

    ~File() override {
        const std::scoped_lock lock(disk_->mutex);
        const auto it = disk_->files.find(key_);
        if (it != disk_->files.end() && it->second.holder == id_) {
            it->second.holder = 0;
            disk_->changed(key_);
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
        if (!disk_->take_room(bytes.size(), room_)) {
            throw Error::system("cannot write", key_, ENOSPC);
        }
        disk_->files[key_].bytes += bytes;
        disk_->changed(key_);
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
    Room room_;
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

void MemoryAppendFiles::power_cut_with_holes(std::uint64_t seed, std::size_t page) {
    std::mt19937_64 random(seed);
    const std::scoped_lock lock(disk_->mutex);
    ++disk_->boot;
    std::erase_if(disk_->files,
                  [&](const auto& entry) { return !entry.second.entry_synced && random() % 2 == 0; });
    for (auto& [key, file] : disk_->files) {
        const std::string old = file.bytes;
        if (random() % 2 == 0) {
            file.bytes.resize(file.synced + random() % (file.bytes.size() - file.synced + 1));
        }
        for (std::size_t at = file.synced; at < file.bytes.size(); at = (at / page + 1) * page) {
            const std::size_t end = std::min((at / page + 1) * page, file.bytes.size());
            const auto fate = random() % 4;
            if (fate > 1 && !file.poisoned) {
                continue;
            }
            for (std::size_t i = at; i < end; ++i) {  // a shifted copy looks like an old journal
                file.bytes[i] = fate == 1 ? old[(i + page / 2) % old.size()] : '\0';
            }
        }
        file.synced = file.bytes.size();
        file.entry_synced = true;
        file.poisoned = false;
        file.holder = 0;
    }
}

void MemoryAppendFiles::limit_room(std::uint64_t bytes) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->room = bytes;
    disk_->full = false;
}

bool MemoryAppendFiles::Disk::take_room(std::uint64_t bytes, Room who) {
    if (!room) {
        return true;
    }
    if (who == Room::ordinary && full) {
        return false;
    }
    if (*room < bytes && reserve) {
        reserve = false;
        full = true;
        *room += k_reserve;
        if (who == Room::ordinary) {
            return false;
        }
    }
    if (*room < bytes) {
        return false;
    }
    *room -= bytes;
    return true;
}

void MemoryAppendFiles::keep_reserve() {
    const std::scoped_lock lock(disk_->mutex);
    if (!disk_->room || disk_->reserve) {
        return;
    }
    if (*disk_->room < k_reserve) {
        throw Error::system("cannot write", "reserve", ENOSPC);
    }
    *disk_->room -= k_reserve;
    disk_->reserve = true;
    disk_->full = false;
}

bool MemoryAppendFiles::is_full() {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->full;
}

void MemoryAppendFiles::sync(std::string_view key) {
    const std::scoped_lock lock(disk_->mutex);
    const auto it = disk_->files.find(key);
    if (it != disk_->files.end() && !it->second.poisoned) {
        it->second.synced = it->second.bytes.size();
        it->second.entry_synced = true;
    }
}

std::uint64_t MemoryAppendFiles::size(std::string_view key) {
    return bytes(key).size();
}

void MemoryAppendFiles::drop_lock(std::string_view key) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->files.find(key)->second.holder = 0;
    disk_->changed(key);
}

void MemoryAppendFiles::drop_locks() {
    const std::scoped_lock lock(disk_->mutex);
    for (auto& [key, file] : disk_->files) {
        file.holder = 0;
        disk_->changed(key);
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
    disk_->changed(key);
    file.synced = file.bytes.size();
    file.entry_synced = true;
}

std::size_t MemoryAppendFiles::syncs() const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->syncs;
}

std::unique_ptr<AppendFile> MemoryAppendFiles::open(std::string_view key, std::uint64_t keep, Room room) {
    if (!is_store_key(key)) {
        throw Error(ExitCode::bug, "'" + std::string(key) + "' is no key of a store");
    }
    const std::scoped_lock lock(disk_->mutex);
    Contents& file = disk_->files[std::string(key)];
    if (file.holder != 0) {
        return nullptr;
    }
    keep = keep == UINT64_MAX ? file.bytes.size() : keep;
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
    disk_->changed(key);
    return std::make_unique<File>(disk_, std::string(key), file.holder, keep, room);
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

void MemoryAppendFiles::remove(std::string_view key) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->files.erase(std::string(key));
    disk_->changed(key);
}

void MemoryAppendFiles::replace(std::string_view key, std::string_view bytes) {
    set_bytes(key, std::string(bytes));
}

std::unique_ptr<Watch> MemoryAppendFiles::watch(std::string_view prefix) {
    const std::scoped_lock lock(disk_->mutex);
    const auto seen = std::make_shared<Seen>(Seen{std::string(prefix), false});
    disk_->watches.push_back(seen);
    return std::make_unique<MemoryWatch>(disk_, seen);
}

}  // namespace amp::test
