#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/system/directory_store_folder.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

class TempFile;

/// A store in a folder. A version is the SHA-256 of the content. Thread-safe, and safe beside other
/// processes: new files appear whole by rename, and replacing, swapping and removing a key happen under a
/// lock of that key. After a failed sync_pending it takes nothing more, and every later one fails as that
/// did: what was pending may be lost. What a dead process left (temporary names that begin with '~') is never
/// read or listed.
class DirectoryStore : public ObjectStore {
  public:
    /// @param sharing for a new folder; an existing one keeps its own. @throws Error naming `root`
    explicit DirectoryStore(std::string root, Sharing sharing = Sharing::owner);

    Sharing sharing() const { return folder_->sharing(); }

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

    bool exists(const std::string& key) const;
    /// Makes a put durable now, or notes it for sync_pending.
    void settle(const std::string& key, Durability durability);
    /// @throws what the first failed sync_pending threw
    void check_sound();
    bool sync_together(const std::vector<std::string>& keys);
    bool are_many(const std::vector<std::string>& keys);
    PutResult publish_new(TempFile& temp, Durability durability);
    void sync_files(const std::vector<std::string>& keys);
    void replace(const std::string& key, std::string_view bytes);
    /// @param operation of flock: refreshing shares the lock, all that takes a key away has it alone
    UniqueFd lock_key(std::string_view key, int operation);

    std::shared_ptr<StoreFolder> folder_;
    std::mutex pending_mutex_;
    std::set<std::string> pending_;
    std::exception_ptr failure_;  ///< of the first sync_pending that failed
    std::mutex
        sync_mutex_;  ///< one sync_pending at a time, so that none returns before what it found is durable
};

}  // namespace amp
