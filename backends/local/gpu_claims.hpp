#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/unique_fd.hpp"

namespace amp {

/// Which GPUs belong to which task, for all runs of this user on this machine: a GPU is claimed by a lock on
/// a file in /tmp/amp-<uid>/gpu, which falls with the process that holds it.
class GpuClaims {
  public:
    /// @param devices as CUDA_VISIBLE_DEVICES names them
    /// @param folder of the locks; made when it is needed
    GpuClaims(std::vector<std::string> devices, std::string folder);

    /// All of them or none: nullopt when other tasks or other runs hold too many. @throws Error when no lock
    /// can be made
    std::optional<std::vector<std::string>> claim(std::size_t count);
    void release(const std::vector<std::string>& devices);

  private:
    bool lock(const std::string& device);

    std::vector<std::string> devices_;
    std::string folder_;
    std::map<std::string, UniqueFd> held_;
};

/// The GPUs that this process may use: those of CUDA_VISIBLE_DEVICES where it is set, else all that the
/// driver shows in /dev as nvidia0, nvidia1, …
std::vector<std::string> visible_gpus();

/// "0, 2" → {"0", "2"}; an empty text, "-1" and "NoDevFiles" are none.
std::vector<std::string> parse_gpu_list(const std::string& text);

}  // namespace amp
