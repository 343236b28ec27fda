#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/packs.hpp"

namespace amp {

/// Records what one attempt prints: live and in pieces of a sensible size; of a flood only the head, and the
/// tail at the end. Uses at most twice the tail's size of memory. A store that cannot be written costs the
/// log, never the task.
class LogRecorder {
  public:
    LogRecorder(PackWriter& packs, TaskName task, std::uint32_t attempt, std::uint64_t head_bytes,
                std::uint64_t tail_bytes);

    /// It is what one rank of a gang prints: say so before anything is added.
    /// @param world ranks, which share what of an attempt's pieces may be named
    void set_rank(std::uint32_t rank, std::uint32_t world);

    /// Takes what has come; writes it once there is enough of it.
    void add(std::string_view bytes, Timestamp now);
    /// True while something waits to be written.
    bool has_pending() const { return !pending_.empty(); }
    /// For how many seconds it may wait: longer the more pieces there are, so that an endless log stays
    /// readable.
    double patience() const;
    void write_pending(Timestamp now);
    /// Writes the rest: of a flood what was kept of its end, behind a note of what is missing.
    void finish(Timestamp now);
    /// A remark of ours within the log.
    void note(std::string_view text, Timestamp now);

    /// What was written, in order: however much it is, at most 256 pieces, for all but the newest of which
    /// one range stands.
    const std::vector<LogPiece>& pieces() const { return pieces_; }
    std::uint64_t total_bytes() const { return total_; }
    std::uint64_t dropped_bytes() const { return dropped_; }
    /// Why some of it could not be written; empty: all could.
    const std::string& failure() const { return failure_; }

  private:
    void keep_tail(std::string_view bytes);
    void write(std::string_view kind, std::string_view bytes, Timestamp now);
    void name(LogPiece piece);

    PackWriter& packs_;
    TaskName task_;
    std::uint32_t attempt_;
    std::optional<std::uint32_t> rank_;
    std::size_t most_named_;
    std::uint64_t head_left_;
    std::uint64_t tail_bytes_;
    std::string pending_;
    std::string tail_;
    std::vector<LogPiece> pieces_;
    std::uint64_t written_ = 0;  ///< pieces
    std::uint64_t total_ = 0;
    std::uint64_t dropped_ = 0;
    std::string failure_;
};

}  // namespace amp
