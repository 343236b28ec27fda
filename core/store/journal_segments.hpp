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

/// What a segment's first record says.
struct Header {
    std::map<std::string, std::uint64_t> accepted;  ///< sound bytes of the older segments that count
    std::string previous_sha256;  ///< of the accepted bytes of the last of them; "" when there is none
};

std::string name(std::uint32_t epoch, std::uint32_t number);
std::string header_frame(std::string_view run, std::uint32_t epoch, const Header& header);
/// @throws Error(mismatch) for another run, Error(invalid) for a newer schema
Header parse_header(const frames::Frame& frame, std::string_view run, const std::string& key);

[[noreturn]] void fail_damaged(const std::string& key, std::size_t offset, std::string_view why);

struct Scan {
    std::uint32_t epoch = 0;     ///< every frame's
    std::uint64_t next_seq = 1;  ///< of the first frame, then of the one behind the last
    bool may_be_torn = true;     ///< else all bytes must be sound
};
/// Gives the records of `bytes` from `offset` on, and returns the offset behind the last sound one.
/// @throws Error(mismatch) for anything else than a torn tail
std::size_t scan(std::string_view bytes, std::size_t offset, const std::string& key, Scan& state,
                 const std::function<void(const Record&)>& each);

}  // namespace amp::segments
