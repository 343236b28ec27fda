#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/unique_fd.hpp"
#include "core/ports/watch.hpp"

namespace amp {

/// Tells of changes in a folder and all folders below it, by inotify. What another machine writes (NFS) it
/// does not see, and where the machine has no watches left, some folders go unseen: look from time to time.
class FolderWatch : public Watch {
  public:
    /// nullptr when there is no such folder, or the machine gives no watch at all.
    static std::unique_ptr<FolderWatch> over(const std::string& folder);
    /// Only names that appear in the folder itself, and its own end. nullptr also where other machines may
    /// write (NFS, Lustre and the like).
    static std::unique_ptr<FolderWatch> of_names(const std::string& folder);

    int fd() const override { return events_.get(); }
    bool take() override;

  private:
    FolderWatch(UniqueFd events, std::string top, std::uint32_t changes, bool deep)
        : events_(std::move(events)), top_(std::move(top)), changes_(changes), deep_(deep) {}
    bool add(const std::string& folder);
    void add_below(const std::string& folder);

    UniqueFd events_;
    std::string top_;
    std::uint32_t changes_;                         ///< what is told of
    bool deep_;                                     ///< also what lies in folders below
    std::unordered_map<int, std::string> folders_;  ///< by watch
};

}  // namespace amp
