#pragma once

#include <map>
#include <mutex>
#include <set>

#include "core/base/error.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/object_store.hpp"

namespace amp::test {

/// S3's rules in memory: conditional puts by ETag, listing in byte order, all visible at once. Thread-safe.
class MemoryStore : public ObjectStore {
  public:
    /// The n-th call from now (1: the next) fails and does nothing.
    void fail_call(std::size_t n, ExitCode code = ExitCode::infrastructure);
    /// That call has come.
    bool failed() const;
    /// The n-th call from now is done, and then fails: its answer got lost.
    void lose_answer(std::size_t n);
    /// Changes the bytes of a key behind the store's back.
    void tamper(std::string_view key, std::string bytes);
    std::size_t calls() const;
    /// What gives keys their ages; without one, all are as old as can be.
    void use_clock(Clock& clock) { clock_ = &clock; }
    /// Every call after the n-th from now fails and does nothing, as when its caller has died.
    void die_after(std::size_t n);
    void revive();
    /// Keys put with Durability::later and not synced since.
    std::set<std::string> pending() const;

    std::optional<Stored> get(std::string_view key) override;
    std::optional<std::string> get_range(std::string_view key, std::uint64_t offset,
                                         std::uint64_t length) override;
    std::optional<std::uint64_t> size(std::string_view key) override;
    PutResult put_if_absent(std::string_view key, std::string_view bytes,
                            Durability durability = Durability::now) override;
    bool refresh(std::string_view key) override;
    std::unique_ptr<ObjectWriter> create(std::string_view key) override;
    PutResult compare_and_swap(std::string_view key, std::string_view bytes,
                               std::string_view expected_version) override;
    void put(std::string_view key, std::string_view bytes) override;
    std::vector<std::string> list_after(std::string_view prefix, std::string_view after,
                                        std::size_t limit) override;
    std::vector<Listed> list_details(std::string_view prefix, std::string_view after,
                                     std::size_t limit) override;
    std::vector<std::string> list_children(std::string_view prefix) override;
    void remove(std::string_view key) override;
    bool remove_older(std::string_view key, Timestamp before) override;
    std::size_t remove_abandoned(Timestamp before, bool dry) override;
    void sync_pending() override;

  private:
    class Writer;
    template <class F>
    auto call(F&& action);
    void touch(std::string_view key);

    mutable std::mutex mutex_;
    std::map<std::string, std::string, std::less<>> objects_;
    std::map<std::string, Timestamp, std::less<>> times_;
    Clock* clock_ = nullptr;
    std::set<std::string> pending_;
    std::size_t calls_ = 0;
    std::size_t fail_at_ = 0;
    std::size_t lose_at_ = 0;
    std::size_t dead_after_ = 0;  ///< 0: alive
    ExitCode fail_code_ = ExitCode::infrastructure;
};

}  // namespace amp::test
