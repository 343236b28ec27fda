#pragma once

#include <cstdint>
#include <string>

namespace amp {

/// A process, told apart from all that had or will have its number.
struct ProcessIdentity {
    std::string host;
    std::string boot;       ///< of the kernel: another one after each start of the machine
    std::string pid_space;  ///< in which the number counts: containers of one machine have their own
    std::int64_t pid = 0;
    std::uint64_t began = 0;  ///< in clock ticks since the boot

    bool operator==(const ProcessIdentity&) const = default;
    /// Can whoever is `other` look at it?
    bool is_near(const ProcessIdentity& other) const {
        return host == other.host && boot == other.boot && pid_space == other.pid_space;
    }
};

}  // namespace amp
