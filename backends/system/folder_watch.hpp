#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/unique_fd.hpp"
#include "core/ports/append_files.hpp"

namespace amp {

/// Tells of changes in a folder and all folders below it, by inotify. What another machine writes (NFS) it
/// does not see, and where the machine has no watches left, some folders go unseen: look from time to time.
class FolderWatch : public Watch {
  public:
    /// nullptr when there is no such folder, or the machine gives no watch at all.
    static std::unique_ptr<FolderWatch> over(const std::string& folder);

    int fd() const override { return events_.get(); }
    bool take() override;

  private:
    FolderWatch(UniqueFd events, std::string top) : events_(std::move(events)), top_(std::move(top)) {}
    bool add(const std::string& folder);
    void add_below(const std::string& folder);

    UniqueFd events_;
    std::string top_;
    std::unordered_map<int, std::string> folders_;  ///< by watch
};

}  // namespace amp
