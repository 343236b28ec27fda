#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/local/machine_claims.hpp"
#include "backends/system/gpus.hpp"

namespace amp {

/// Which GPUs belong to which task, for all runs of all users of this machine.
class GpuClaims {
  public:
    /// @param folder of the locks, as claims_folder gives it
    GpuClaims(std::vector<Gpu> devices, std::string folder);

    /// Their names, all of them or none: nullopt when other tasks or other runs hold too many. @throws Error
    /// when no lock can be made
    std::optional<std::vector<std::string>> claim(std::size_t count);
    void release(const std::vector<std::string>& names);

  private:
    std::vector<Gpu> devices_;
    ClaimFolder folder_;
    std::map<std::string, UniqueFd> held_;  ///< by name
};

/// Where the claims of GPUs are: within a task that amp has given its GPUs to, a folder of that task, for to
/// all others they are taken.
std::string gpu_claims_folder();

}  // namespace amp
