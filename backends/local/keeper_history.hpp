#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"

namespace amp {

/// What one keeper's log says.
struct KeeperHistory {
    std::uint32_t number = 0;
    std::int64_t pid = 0;
    std::string host;
    std::string socket;
    std::string secret;
    std::string scratch;
    std::string last_words;                                  ///< why it ended, where it could say so
    std::map<AttemptId, std::string> started;                ///< with the token; without an end so far
    std::map<std::string, std::set<std::string>> contained;  ///< tokens of what ran in containers, by engine
    std::vector<AttemptResult> ended;                        ///< in the order of their ends
};

/// So many numbers has each profile of a run for its keepers and their packs: those from BASE + 1 on.
inline constexpr std::uint32_t k_numbers_of_a_profile = 1'000'000;
constexpr std::uint32_t last_number(std::uint32_t base) {
    return base + k_numbers_of_a_profile - 1;
}

/// Numbers of the keeper logs of a run, ascending. The first keeper of a driver has the driver's epoch,
/// behind its profile's base, as its number if that is free, else, as every further one, the number behind
/// the highest of the profile.
std::vector<std::uint32_t> keeper_numbers(AppendFiles& files, std::string_view run);
/// Of one profile: those of others may lie beside them in the same store.
std::vector<std::uint32_t> keeper_numbers(AppendFiles& files, std::string_view run, std::uint32_t base);
KeeperHistory read_history(AppendFiles& files, std::string_view run, std::uint32_t number);
/// True while that keeper lives.
bool keeper_lives(AppendFiles& files, std::string_view run, std::uint32_t number);

}  // namespace amp
