#pragma once

#include <functional>
#include <string>

#include "core/task/python_environment.hpp"

namespace amp {

/// Where an environment comes from and goes to.
struct EnvironmentRequest {
    std::string given;  ///< the folder of core/task/python_environment.hpp, as it was laid
    std::string cache;  ///< $AMP_ENVIRONMENTS, else amp/environments in $XDG_CACHE_HOME or ~/.cache
    std::string key;
    std::string path;  ///< PATH, in which tools are looked for
};

/// Where this machine keeps the environments of this user.
std::string environments_folder();

/// Made now, or before, or by another task meanwhile: then it waits. What the tools print goes to standard
/// output. One that nobody has used in 90 days is removed by the next who makes another.
/// @param say hears what is done
/// @return the folder
/// @throws Error(infrastructure) when it may come off the next time (network, disk, time), else
/// Error(invalid)
std::string ensure_environment(const EnvironmentRequest& request,
                               const std::function<void(const std::string&)>& say);

}  // namespace amp
