#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace amp {

/// What a keeper leaves in the folder of a failed attempt whose place it keeps, for `amp shell`: what belongs
/// to the attempt and is not in its spec. No values of variables: those are in the keeper's memory.
struct HeldPlace {
    std::int64_t keeper = 0;  ///< its process
    std::string task;         ///< STEP/INDEX, by which people find it
    std::string project;
    std::string checkpoint;  ///< $AMP_CHECKPOINT; empty: none
    std::vector<std::string> gpus;
    std::vector<std::uint16_t> ports;
};

/// @throws Error when it cannot be written
void write_place(const std::string& folder, const HeldPlace& place);
/// nullopt: none is kept there (any more).
std::optional<HeldPlace> read_place(const std::string& folder);
/// What its tasks inherit, as "NAME=value", and of that what tells of a terminal as it is here.
/// @throws Error(not_found) when it is gone
std::vector<std::string> environment_of_keeper(const HeldPlace& place);
/// What tells of our own terminal, as "NAME=value".
std::vector<std::string> entries_of_terminal();

}  // namespace amp
