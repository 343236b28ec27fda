#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/agent/messages.hpp"

/// What a driver and an agent on another machine say beside what a driver and a keeper say (messages.hpp).
/// Reading functions throw Error(mismatch).
namespace amp::agent {

inline constexpr int k_far_protocol = 1;
/// Kind::events without one: says that the agent lives.
inline constexpr std::string_view k_no_events = R"({"events":[]})";

struct FarGreeting {
    std::string binary;  ///< SHA-256 of the program
};
struct FarHello {
    std::string run;
    std::uint32_t epoch = 0;
    std::uint32_t number_base = 0;               ///< LocalBackendOptions::number_base
    std::size_t workers = 0;                     ///< 0: as many as there are processors
    std::optional<std::vector<AttemptId>> held;  ///< of others nothing need be told; nullopt: of all
    std::map<std::string, std::uint64_t> packs;  ///< how much of each is here
    std::string code;                            ///< hash of the code that is needed; empty: none
};
struct FarWelcome {
    std::string host;
    std::string root;  ///< absolute
    Capacity capacity;
    std::size_t workers = 0;
    std::vector<AttemptStarted> running;
    std::vector<AttemptId> lost;
    bool code_ready = false;
    std::string store;  ///< its id
};

std::string encode(const FarGreeting& greeting);
FarGreeting far_greeting_from(std::string_view payload);
std::string encode(const FarHello& hello);
FarHello far_hello_from(std::string_view payload);
std::string encode(const FarWelcome& welcome);
FarWelcome far_welcome_from(std::string_view payload);

/// Of the manifest of a folder, whose artifact tells the folder's own.
inline constexpr std::uint64_t k_unknown_size = INT64_MAX;

struct SizedObject {
    std::string sha256;
    std::uint64_t size_bytes = k_unknown_size;  ///< of the plain content
    auto operator<=>(const SizedObject&) const =
        default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it
};
std::string encode_objects(std::span<const SizedObject> objects);
/// Sends them in as many frames as needed.
void send_objects(Channel& channel, Kind kind, std::span<const SizedObject> objects);
std::vector<SizedObject> objects_from(std::string_view payload);

/// Lists of hashes by name: {there: [...], missing: [...]}.
std::string encode_hashes(const std::map<std::string, std::vector<std::string>>& lists);
std::vector<std::string> hashes_from(std::string_view payload, std::string_view name);

/// Something that went wrong with an object.
struct ObjectTrouble {
    std::string sha256;
    std::string error;
    ExitCode code = ExitCode::infrastructure;
    bool ours = false;  ///< of the store on this side, which says nothing about the object; not sent
};
std::string encode(const ObjectTrouble& trouble);
ObjectTrouble object_trouble_from(std::string_view payload);

/// Ends of before, in as many frames as needed; the last one says so.
void send_adopted(Channel& channel, std::span<const AttemptResult> results);
struct ReadAdopted {
    std::vector<AttemptResult> results;
    bool last = false;
};
ReadAdopted adopted_from(std::string_view payload);

/// Bytes of a pack from `offset` on.
struct PackBytes {
    std::string key;
    std::uint64_t offset = 0;
    std::string_view bytes;
};
std::string encode(const PackBytes& pack);
PackBytes pack_bytes_from(std::string_view payload);

/// Two texts: {first: a, second: b}.
std::string encode_texts(std::string_view first, std::string_view a, std::string_view second,
                         std::string_view b);

}  // namespace amp::agent
