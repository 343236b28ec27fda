#include "core/task/log_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::size_t k_piece = std::size_t{64} << 10;
constexpr double k_first_patience_s = 0.05;
constexpr double k_most_patience_s = 2;
constexpr double k_pieces_per_step = 256;

}  // namespace

LogRecorder::LogRecorder(PackWriter& packs, TaskName task, std::uint32_t attempt, std::uint64_t head_bytes,
                         std::uint64_t tail_bytes)
    : packs_(packs),
      task_(std::move(task)),
      attempt_(attempt),
      head_left_(head_bytes),
      tail_bytes_(tail_bytes) {}

void LogRecorder::add(std::string_view bytes, Timestamp now) {
    total_ += bytes.size();
    const std::string_view head = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), head_left_));
    head_left_ -= head.size();
    if (!head.empty()) {
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
                    k_first_patience_s * (1 + static_cast<double>(pieces_.size()) / k_pieces_per_step));
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
        pieces_.push_back(packs_.append(task_, attempt_, kind, bytes, now));
    } catch (const Error&) {
        if (kind == "log") {
            dropped_ += bytes.size();
        }
    }
}

}  // namespace amp
