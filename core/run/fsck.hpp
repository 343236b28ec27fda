#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct FsckOptions {
    std::vector<std::string> runs;  ///< only these, and what they name; empty: the whole store
    bool repair = false;
};

/// Something that is not as it should be.
struct Finding {
    std::string where;  ///< a key of the store
    std::string what;
    std::string means;   ///< for the user
    std::string remedy;  ///< what --repair does, or the user can do
    bool damage = true;  ///< false: what a process that died leaves behind, and no loss
    bool repaired = false;
};

struct FsckReport {
    std::vector<Finding> findings;
    std::uint64_t runs = 0;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;          ///< of objects, as stored
    std::vector<std::string> driven;  ///< runs that were passed over, since somebody drives them
    std::string quarantine;           ///< where the repair kept what it changed: a prefix of keys
    /// No damage is left.
    bool sound() const;
};

/// `amp fsck`: reads everything, and compares it with its checksums and with what else names it. A repair
/// copies what it changes to quarantine/TIME/ first; then it cuts off what is torn or broken, moves damaged
/// objects away (their tasks run again on resume), and drops caches. It never touches a run that is driven or
/// at work.
/// @param progress hears of objects done, and of how many
FsckReport check_store(Services& services, const Project& project, const FsckOptions& options,
                       const std::function<void(std::uint64_t, std::uint64_t)>& progress = {});

}  // namespace amp
