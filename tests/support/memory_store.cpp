#include "tests/support/memory_store.hpp"

#include <type_traits>

#include "core/base/hash.hpp"

namespace amp::test {
namespace {

void check_key(std::string_view key) {
    if (!is_store_key(key)) {
        throw Error(ExitCode::bug, "'" + std::string(key) + "' is no key of a store");
    }
}

}  // namespace

class MemoryStore::Writer : public ObjectWriter {
  public:
    Writer(MemoryStore& store, std::string key) : store_(store), key_(std::move(key)) {}
    void append(std::string_view bytes) override { bytes_ += bytes; }
    PutResult commit(Durability durability) override {
        return store_.put_if_absent(key_, bytes_, durability);
    }

  private:
    MemoryStore& store_;
    std::string key_;
    std::string bytes_;
};

void MemoryStore::fail_call(std::size_t n, ExitCode code) {
    const std::scoped_lock lock(mutex_);
    fail_at_ = calls_ + n;
    fail_code_ = code;
}

bool MemoryStore::failed() const {
    const std::scoped_lock lock(mutex_);
    return fail_at_ > 0 && calls_ >= fail_at_;
}

void MemoryStore::lose_answer(std::size_t n) {
    const std::scoped_lock lock(mutex_);
    lose_at_ = calls_ + n;
}

void MemoryStore::tamper(std::string_view key, std::string bytes) {
    const std::scoped_lock lock(mutex_);
    objects_[std::string(key)] = std::move(bytes);
}

void MemoryStore::die_after(std::size_t n) {
    const std::scoped_lock lock(mutex_);
    dead_after_ = calls_ + n + 1;
}

void MemoryStore::revive() {
    const std::scoped_lock lock(mutex_);
    dead_after_ = 0;
}

void MemoryStore::touch(std::string_view key) {
    times_[std::string(key)] = clock_ ? clock_->now() : Timestamp{};
}

std::size_t MemoryStore::calls() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
}

std::set<std::string> MemoryStore::pending() const {
    const std::scoped_lock lock(mutex_);
    return pending_;
}

template <class F>
auto MemoryStore::call(F&& action) {
    const std::scoped_lock lock(mutex_);
    ++calls_;
    if (calls_ == fail_at_ || (dead_after_ > 0 && calls_ >= dead_after_)) {
        throw Error(fail_code_, "the store fails as it was told");
    }
    const auto lost = [&] {
        if (calls_ == lose_at_) {
            throw Error(ExitCode::infrastructure, "the answer got lost as it was told");
        }
    };
    if constexpr (std::is_void_v<decltype(action())>) {
        action();
        lost();
    } else {
        auto answer = action();
        lost();
        return answer;
    }
}

std::optional<Stored> MemoryStore::get(std::string_view key) {
    check_key(key);
    return call([&]() -> std::optional<Stored> {
        const auto it = objects_.find(key);
        return it == objects_.end() ? std::nullopt
                                    : std::optional(Stored{it->second, sha256_hex(it->second)});
    });
}

std::optional<std::string> MemoryStore::get_range(std::string_view key, std::uint64_t offset,
                                                  std::uint64_t length) {
    check_key(key);
    return call([&]() -> std::optional<std::string> {
        const auto it = objects_.find(key);
        if (it == objects_.end()) {
            return std::nullopt;
        }
        return offset < it->second.size() ? it->second.substr(offset, length) : std::string();
    });
}

std::optional<std::uint64_t> MemoryStore::size(std::string_view key) {
    check_key(key);
    return call([&]() -> std::optional<std::uint64_t> {
        const auto it = objects_.find(key);
        return it == objects_.end() ? std::nullopt : std::optional<std::uint64_t>(it->second.size());
    });
}

PutResult MemoryStore::put_if_absent(std::string_view key, std::string_view bytes, Durability durability) {
    check_key(key);
    return call([&] {
        if (durability == Durability::later) {
            pending_.insert(std::string(key));
        }
        const bool stored = objects_.try_emplace(std::string(key), bytes).second;
        if (stored) {
            touch(key);
        }
        return stored ? PutResult::stored : PutResult::exists;
    });
}

bool MemoryStore::refresh(std::string_view key) {
    check_key(key);
    return call([&] {
        const bool there = objects_.contains(key);
        if (there) {
            pending_.insert(std::string(key));
            touch(key);
        }
        return there;
    });
}

std::unique_ptr<ObjectWriter> MemoryStore::create(std::string_view key) {
    check_key(key);
    return std::make_unique<Writer>(*this, std::string(key));
}

PutResult MemoryStore::compare_and_swap(std::string_view key, std::string_view bytes,
                                        std::string_view expected_version) {
    check_key(key);
    return call([&] {
        const auto it = objects_.find(key);
        if (it == objects_.end() || sha256_hex(it->second) != expected_version) {
            return PutResult::changed;
        }
        it->second = bytes;
        touch(key);
        return PutResult::stored;
    });
}

void MemoryStore::put(std::string_view key, std::string_view bytes) {
    check_key(key);
    call([&] {
        objects_.insert_or_assign(std::string(key), bytes);
        touch(key);
    });
}

std::vector<std::string> MemoryStore::list_after(std::string_view prefix, std::string_view after,
                                                 std::size_t limit) {
    return call([&] {
        std::vector<std::string> keys;
        for (auto it = objects_.upper_bound(after); it != objects_.end() && keys.size() < limit; ++it) {
            if (it->first.starts_with(prefix)) {
                keys.push_back(it->first);
            }
        }
        return keys;
    });
}

std::vector<std::string> MemoryStore::list_children(std::string_view prefix) {
    return call([&] {
        std::set<std::string> names;
        for (const auto& [key, bytes] : objects_) {
            if (key.starts_with(prefix)) {
                names.insert(key.substr(prefix.size(), key.find('/', prefix.size()) - prefix.size()));
            }
        }
        return std::vector<std::string>(names.begin(), names.end());
    });
}

void MemoryStore::remove(std::string_view key) {
    check_key(key);
    call([&] { objects_.erase(std::string(key)); });
}

std::vector<Listed> MemoryStore::list_details(std::string_view prefix, std::string_view after,
                                              std::size_t limit) {
    return call([&] {
        std::vector<Listed> out;
        for (auto it = objects_.upper_bound(after); it != objects_.end() && out.size() < limit; ++it) {
            if (it->first.starts_with(prefix)) {
                const auto time = times_.find(it->first);
                out.push_back(
                    {it->first, it->second.size(), time == times_.end() ? Timestamp{} : time->second});
            }
        }
        return out;
    });
}

bool MemoryStore::remove_older(std::string_view key, Timestamp before) {
    check_key(key);
    return call([&] {
        const auto time = times_.find(key);
        if (time != times_.end() && time->second >= before) {
            return !objects_.contains(key);
        }
        objects_.erase(std::string(key));
        return true;
    });
}

std::size_t MemoryStore::remove_abandoned(Timestamp /*before*/, bool /*dry*/) {
    return call([] { return std::size_t{0}; });  // nothing here is ever half-made
}

void MemoryStore::sync_pending() {
    call([&] { pending_.clear(); });
}

}  // namespace amp::test
