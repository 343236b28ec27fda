#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backends/system/gpus.hpp"

namespace amp {

/// How a keeper is started.
struct KeeperOptions {
    std::string store_dir;  ///< absolute
    std::string run;
    std::uint32_t number = 1;  ///< of its log and packs: the driver's epoch, or the next that is free
    int channel_fd = 3;        ///< connected to the driver that starts it
    std::size_t workers = 1;   ///< tasks at once
    double cpu = 1;
    std::uint64_t memory_bytes = 0;  ///< 0: not limited
    std::vector<Gpu> gpus;
    std::string project_dir;  ///< for people who look at the list of processes
    double linger_s = 30;     ///< how long it waits for a driver when nothing runs any more
};

/// What `amp keeper` is started with, behind the word `keeper`; and back. parse_keeper_arguments throws
/// Error(usage).
std::vector<std::string> keeper_arguments(const KeeperOptions& options);
KeeperOptions parse_keeper_arguments(std::span<const std::string> arguments);

/// The life of a keeper: makes this process one, and returns with its exit status when its work is done.
/// Takes over the process: all descriptors but 0 to 2 and the channel are closed, signals are blocked, the
/// session is left.
int keeper_main(const KeeperOptions& options);

}  // namespace amp
