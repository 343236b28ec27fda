#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/ports/process.hpp"
#include "core/task/python_environment.hpp"

namespace amp {

/// Which machine packages are for.
struct PackageTarget {
    std::string python;   ///< "3.11"
    std::string machine;  ///< "x86_64"
    bool operator==(const PackageTarget&) const = default;
};
/// "Python 3.11, x86_64"
std::string target_text(const PackageTarget& target);

/// The Python in PATH, and its machine. @throws Error(not_found) when there is none
PackageTarget own_target(Process& process);

/// `pip` behind the words that start it: wheels for this very machine (from sources too, where there are no
/// wheels), or for another one (wheels alone). @param folder gets them
std::vector<std::string> package_words(const EnvironmentOrder& order, const std::string& file,
                                       const PackageTarget& target, const PackageTarget& own,
                                       const std::string& folder);

/// Gets all packages of an environment into FOLDER/packages, and pip's own into FOLDER/pip, where the Python
/// here brings one.
/// @param folder has files/ and exported.txt
/// @param go_on is asked a few times a second where `process` can be stopped
/// @return false: it was stopped
/// @throws Error(infrastructure) or Error(invalid), as environments that cannot be made
bool fetch_packages(Process& process, const EnvironmentOrder& order, const PackageTarget& target,
                    const std::string& folder, const std::function<bool()>& go_on);

/// `uv export`: what uv.lock says, for pip; false: there is no uv here, or it cannot.
bool export_lock(Process& process, const EnvironmentOrder& order, const std::string& folder);

}  // namespace amp
