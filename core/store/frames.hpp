#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The framing of journal and keeper log: text, greppable, checksummed.
///
///     A1 <seq> <epoch> <type> <len> <crc32c>\n<payload>\n
///
/// The checksum covers the header up to it and the payload.
namespace amp::frames {

struct Frame {
    std::uint64_t seq = 0;
    std::uint32_t epoch = 0;
    std::string_view type;     ///< [a-z_]+
    std::string_view payload;  ///< canonical JSON
    std::size_t end = 0;       ///< offset behind the frame
};

void append(std::string& out, std::uint64_t seq, std::uint32_t epoch, std::string_view type,
            std::string_view payload);
/// The frame at `offset`; nullopt when there is no whole and sound one. The views point into `bytes`.
std::optional<Frame> read(std::string_view bytes, std::size_t offset);
/// The offset of the first sound frame at or after `offset`; nullopt when none follows.
std::optional<std::size_t> find_next(std::string_view bytes, std::size_t offset);

}  // namespace amp::frames
