#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/unique_fd.hpp"

namespace amp {

/// What one process on this machine may have at a time, whichever run or user it belongs to: each thing is a
/// file, and who holds its lock has it. A lock falls with the process that holds it.
class ClaimFolder {
  public:
    /// @param folder made when it is needed
    explicit ClaimFolder(std::string folder) : folder_(std::move(folder)) {}

    /// The lock of a thing; nullopt while somebody else has it. @throws Error when no lock can be made
    std::optional<UniqueFd> claim(std::string_view thing) const;

  private:
    std::string folder_;
};

/// For processes of one thread (it changes the umask for a moment): /tmp/amp-claims/KIND, for all users;
/// where that cannot be (somebody has made it theirs) a folder of ours alone.
std::string claims_folder(std::string_view kind);
/// As claims_folder, below `parent`.
std::string claims_folder(const std::string& parent, std::string_view kind);

}  // namespace amp
