#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/store/frames.hpp"
#include "core/store/journal.hpp"

/// The parts of a journal or keeper log that its reader and its writer share.
namespace amp::segments {

/// The type of the record that begins a segment; it has sequence number 0.
inline constexpr std::string_view k_header_type = "segment";
/// The type of the records that say how far their log is durable; they too have sequence number 0.
inline constexpr std::string_view k_synced_type = "synced";
/// More than any such record takes.
inline constexpr std::uint64_t k_synced_room = 256;

/// What a segment's first record says.
struct Header {
    std::map<std::string, std::uint64_t> accepted;  ///< sound bytes of the older segments that count
    std::string previous_sha256;  ///< of the accepted bytes of the last of them; "" when there is none
    std::map<std::string, std::uint64_t> packs;  ///< bytes that count of packs whose writers are dead
    bool tells_synced = true;                    ///< its segment has k_synced_type records; not read in
};

std::string name(std::uint32_t epoch, std::uint32_t number);
std::string header_frame(std::string_view run, std::uint32_t epoch, const Header& header);
/// @throws Error(mismatch) for another run, Error(invalid) for a newer schema
Header parse_header(const frames::Frame& frame, std::string_view run, const std::string& key);

/// "The first `length` bytes of this log are on the disk."
std::string synced_frame(std::string_view run, std::uint32_t epoch, std::uint64_t length);
/// Does a sound record behind `offset` prove that the byte there had been on the disk? Pages reach the disk
/// in any order, so that a sound record alone proves nothing of what lies before it.
bool was_synced(std::string_view bytes, std::size_t offset, std::string_view run, std::uint32_t epoch);

[[noreturn]] void fail_damaged(const std::string& key, std::size_t offset, std::string_view why);

struct Scan {
    std::string_view run;
    std::uint32_t epoch = 0;     ///< every frame's
    std::uint64_t next_seq = 1;  ///< of the first frame, then of the one behind the last
    bool may_be_torn = true;     ///< else all bytes must be sound
    bool tells_synced = true;    ///< else any sound record behind a broken one proves damage
    bool forgiving = false;      ///< stop before a bad place, whatever it proves
};
/// Gives the records of `bytes` from `offset` on, and returns the offset behind the last one before the first
/// bad place. @throws Error(mismatch) when the bad place had been on the disk
std::size_t scan(std::string_view bytes, std::size_t offset, const std::string& key, Scan& state,
                 const std::function<void(const Record&)>& each);

}  // namespace amp::segments
