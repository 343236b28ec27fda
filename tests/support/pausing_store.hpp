#pragma once

#include <functional>
#include <utility>

#include "core/ports/object_store.hpp"

namespace amp::test {

/// A store whose every call first does something else: a chance for others to act, or to die.
class PausingStore : public ObjectStore {
  public:
    PausingStore(ObjectStore& store, std::function<void()> before)
        : store_(store), before_(std::move(before)) {}

    std::optional<Stored> get(std::string_view key) override { return now().get(key); }
    std::optional<std::string> get_range(std::string_view key, std::uint64_t offset,
                                         std::uint64_t length) override {
        return now().get_range(key, offset, length);
    }
    std::optional<std::uint64_t> size(std::string_view key) override { return now().size(key); }
    PutResult put_if_absent(std::string_view key, std::string_view bytes, Durability durability) override {
        return now().put_if_absent(key, bytes, durability);
    }
    bool refresh(std::string_view key) override { return now().refresh(key); }
    std::unique_ptr<ObjectWriter> create(std::string_view key) override { return now().create(key); }
    PutResult compare_and_swap(std::string_view key, std::string_view bytes,
                               std::string_view version) override {
        return now().compare_and_swap(key, bytes, version);
    }
    void put(std::string_view key, std::string_view bytes) override { now().put(key, bytes); }
    std::vector<std::string> list_after(std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
        return now().list_after(prefix, after, limit);
    }
    std::vector<Listed> list_details(std::string_view prefix, std::string_view after,
                                     std::size_t limit) override {
        return now().list_details(prefix, after, limit);
    }
    std::vector<std::string> list_children(std::string_view prefix) override {
        return now().list_children(prefix);
    }
    void remove(std::string_view key) override { now().remove(key); }
    bool remove_older(std::string_view key, Timestamp before) override {
        return now().remove_older(key, before);
    }
    std::size_t remove_abandoned(Timestamp before, bool dry) override {
        return now().remove_abandoned(before, dry);
    }
    void sync_pending() override { now().sync_pending(); }

  private:
    ObjectStore& now() {
        before_();
        return store_;
    }

    ObjectStore& store_;
    std::function<void()> before_;
};

}  // namespace amp::test
