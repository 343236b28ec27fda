#include "core/task/log_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::size_t k_piece = std::size_t{64} << 10;
constexpr double k_first_patience_s = 0.02;
constexpr double k_most_patience_s = 2;
constexpr double k_pieces_per_step = 256;
constexpr std::size_t k_most_named = 256;
constexpr std::size_t k_least_named = 4;

/// One range in the place of these.
LogPiece range_of(const std::vector<LogPiece>& pieces, std::size_t count) {
    const LogPiece& first = pieces.front();
    const LogPiece& last = pieces[count - 1];
    LogPiece range{first.pack, first.offset};
    range.rank = first.rank;
    range.frames = 0;
    for (std::size_t i = 0; i < count; ++i) {
        range.length += pieces[i].length;
        range.frames += pieces[i].frames;
    }
    range.last_pack = last.is_range() ? last.last_pack : last.pack;
    range.last_offset = last.is_range() ? last.last_offset : last.offset;
    return range;
}

}  // namespace

LogRecorder::LogRecorder(PackWriter& packs, TaskName task, std::uint32_t attempt, std::uint64_t head_bytes,
                         std::uint64_t tail_bytes)
    : packs_(packs),
      task_(std::move(task)),
      attempt_(attempt),
      most_named_(k_most_named),
      head_left_(head_bytes),
      tail_bytes_(tail_bytes) {}

void LogRecorder::set_rank(std::uint32_t rank, std::uint32_t world) {
    rank_ = rank;
    most_named_ = std::max(k_least_named, k_most_named / std::max(1U, world));
}

void LogRecorder::add(std::string_view bytes, Timestamp now) {
    total_ += bytes.size();
    const std::string_view head = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), head_left_));
    head_left_ -= head.size();
    if (pending_.empty() && head.size() >= k_piece) {
        write("log", head, now);
    } else if (!head.empty()) {
        pending_.append(head);
        if (pending_.size() >= k_piece || head_left_ == 0) {
            write_pending(now);
        }
    }
    keep_tail(bytes.substr(head.size()));
}

void LogRecorder::keep_tail(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    if (bytes.size() >= tail_bytes_) {
        dropped_ += tail_.size() + bytes.size() - tail_bytes_;
        tail_.assign(bytes.substr(bytes.size() - tail_bytes_));
        return;
    }
    tail_.append(bytes);
    if (tail_.size() > 2 * tail_bytes_) {  // seldom, so that a flood is moved once on average
        dropped_ += tail_.size() - tail_bytes_;
        tail_.erase(0, tail_.size() - tail_bytes_);
    }
}

double LogRecorder::patience() const {
    return std::min(k_most_patience_s,
                    k_first_patience_s * (1 + static_cast<double>(written_) / k_pieces_per_step));
}

void LogRecorder::write_pending(Timestamp now) {
    if (!pending_.empty()) {
        write("log", pending_, now);
        pending_.clear();
    }
}

void LogRecorder::note(std::string_view text, Timestamp now) {
    write_pending(now);
    write("note", text, now);
}

void LogRecorder::finish(Timestamp now) {
    write_pending(now);
    if (tail_.size() > tail_bytes_) {
        dropped_ += tail_.size() - tail_bytes_;
        tail_.erase(0, tail_.size() - tail_bytes_);
    }
    if (dropped_ != 0) {
        write("note", fmt::format("… {} bytes dropped …\n", dropped_), now);
    }
    if (!tail_.empty()) {
        write("log", tail_, now);
        tail_.clear();
    }
}

void LogRecorder::write(std::string_view kind, std::string_view bytes, Timestamp now) {
    try {
        const std::string own_kind = rank_ ? fmt::format("{}@{}", kind, *rank_) : std::string(kind);
        LogPiece piece = packs_.append(task_, attempt_, own_kind, bytes, now);
        piece.rank = rank_;
        name(std::move(piece));
    } catch (const Error& error) {
        if (failure_.empty()) {
            failure_ = error.message();
        }
        if (kind == "log") {
            dropped_ += bytes.size();
        }
    }
}

// A task may print for weeks: its result must stay small.
void LogRecorder::name(LogPiece piece) {
    ++written_;
    if (pieces_.size() >= most_named_) {
        const std::size_t merged = pieces_.size() - most_named_ / 2;
        pieces_.front() = range_of(pieces_, merged);
        pieces_.erase(pieces_.begin() + 1, pieces_.begin() + static_cast<std::ptrdiff_t>(merged));
    }
    pieces_.push_back(std::move(piece));
}

}  // namespace amp
