#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/ports/append_files.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// Appends a run's packs: log pieces and values of up to 64 KiB. A pack is a sequence of frames
///
///     P1 <task> <attempt> <kind> <unix ms> <len> <crc32c>\n<bytes>\n
///
/// with kind `log`, `note` (amp's own remark in a log, such as a gap) or `value`, so that a follower who
/// reads a pack from its start sees all logs live. A piece is named by its pack, the offset of its frame and
/// the length of its bytes. Packs are at most 64 MiB each. One thread appends; `sync` may be called from
/// another.
class PackWriter {
  public:
    PackWriter(AppendFiles& files, std::string run, std::uint32_t epoch);
    ~PackWriter();
    PackWriter(const PackWriter&) = delete;
    PackWriter& operator=(const PackWriter&) = delete;

    /// Visible to readers on return, durable after sync. @throws Error(store_full), Error(infrastructure)
    LogPiece append(const TaskName& task, std::uint32_t attempt, std::string_view kind,
                    std::string_view bytes, Timestamp at);
    /// All that was appended before the call is on the disk on return.
    void sync();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

struct PackFrame {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string kind;
    Timestamp at;
    std::string bytes;
};

/// The bytes of one piece, verified. @throws Error(not_found), Error(mismatch)
std::string read_piece(AppendFiles& files, const LogPiece& piece);

/// Follows a run's packs from their start: each call of `poll` gives the frames that were appended since, in
/// order within a pack. A torn frame at the end of a pack waits.
class PackFollower {
  public:
    PackFollower(AppendFiles& files, std::string run);
    ~PackFollower();
    PackFollower(const PackFollower&) = delete;
    PackFollower& operator=(const PackFollower&) = delete;
    /// The number of frames given.
    std::size_t poll(const std::function<void(const PackFrame&)>& each);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp
