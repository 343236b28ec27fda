#pragma once

#include <memory>
#include <string>

#include "backends/system/directory_store_folder.hpp"
#include "core/ports/append_files.hpp"

namespace amp {

/// Append files in a store's folder. The lock is an open-file-description lock: it dies with the process that
/// holds it, works between threads and over NFS, and asking about it disturbs nobody. Thread-safe.
class LocalAppendFiles : public AppendFiles {
  public:
    /// @param sharing for a new folder; an existing one keeps its own. @throws Error naming `root`
    explicit LocalAppendFiles(std::string root, Sharing sharing = Sharing::owner);

    std::unique_ptr<AppendFile> open(std::string_view key, std::uint64_t keep,
                                     Room room = Room::ordinary) override;
    void sync(std::string_view key) override;
    void keep_reserve() override { folder_->keep_reserve(); }
    bool is_full() override { return folder_->is_full(); }
    bool locked(std::string_view key) override;
    std::uint64_t size(std::string_view key) override;
    std::optional<std::string> read(std::string_view key, std::uint64_t offset,
                                    std::uint64_t length) override;
    std::vector<std::string> list(std::string_view prefix) override;
    void remove(std::string_view key) override;
    void replace(std::string_view key, std::string_view bytes) override;
    std::unique_ptr<Watch> watch(std::string_view prefix) override;

  private:
    std::shared_ptr<StoreFolder> folder_;
};

}  // namespace amp
