#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The names of all keys in a store (design: "The store"). Nobody else builds a key.
namespace amp::layout {

inline constexpr int k_version = 1;

std::string store_record();                                    // store.json
std::string object(std::string_view sha256, bool compressed);  // objects/ab/<62 hex>[.zst]
std::string run_prefix(std::string_view run);                  // runs/RUN/
std::string run_record(std::string_view run);                  // runs/RUN/run.json
std::string lease(std::string_view run);                       // runs/RUN/lease
/// The lock file of one holder of the lease; shows on its host whether it lives.
std::string lease_lock(std::string_view run, std::string_view token);  // runs/RUN/lease-TOKEN.lock
std::string journal_prefix(std::string_view run);                      // runs/RUN/journal/
std::string journal(std::string_view run, std::uint32_t epoch,
                    std::uint32_t seq);         // …/journal/00000001-00000001
std::string pack_prefix(std::string_view run);  // runs/RUN/packs/
std::string pack(std::string_view run, std::uint32_t epoch, std::uint32_t seq);  // …/packs/00000001-00000001
std::string keeper_prefix(std::string_view run);                                 // runs/RUN/keeper/
std::string keeper_log(std::string_view run, std::uint32_t epoch);               // …/keeper/00000001
std::string tag(std::string_view run, std::string_view name);  // …/tags/<sha256(tag)[:32]>.json
std::string tag_prefix(std::string_view run);
std::string summary(std::string_view run);  // …/summary.json
/// A copy of what a dead driver left unfinished at the end of a journal segment (a key).
std::string torn_copy(std::string_view run, std::string_view segment);  // quarantine/RUN/EPOCH-SEQ.torn

}  // namespace amp::layout
