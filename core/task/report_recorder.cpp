#include "core/task/report_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::size_t k_longest_line = std::size_t{64} << 10;
constexpr std::size_t k_piece = std::size_t{256} << 10;
constexpr std::size_t k_most_pieces = 100;  // some 15 KB of a result; readers look for more in the packs
constexpr std::uint64_t k_most_stored = std::uint64_t{512} << 20;
constexpr std::uint64_t k_most_read = std::uint64_t{4} << 30;
constexpr double k_first_patience_s = 0.2;
constexpr double k_most_patience_s = 2;
constexpr double k_pieces_per_step = 100;

ReportLine point_line(const std::string& name, double value, Timestamp now) {
    ReportLine line;
    line.kind = ReportLine::Kind::metric;
    line.text = name;
    line.value = value;
    line.at = now;
    return line;
}

}  // namespace

ReportRecorder::ReportRecorder(PackWriter& packs, TaskName task, std::uint32_t attempt)
    : packs_(packs), task_(std::move(task)), attempt_(attempt) {}

void ReportRecorder::add(std::string_view bytes, Timestamp now) {
    read_bytes_ += bytes.size();
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (end != std::string_view::npos && torn_.empty() && !too_long_) {
            take(part, now);
            continue;
        }
        if (!too_long_ && torn_.size() + part.size() <= k_longest_line) {
            torn_ += part;
        } else {
            too_long_ = true;
            torn_.clear();
        }
        if (end != std::string_view::npos) {
            add_text(torn_, now);
            torn_.clear();
            too_long_ = false;
        }
    }
}

void ReportRecorder::add_text(std::string_view text, Timestamp now) {
    if (too_long_) {
        ++lines_;
        drop("it is longer than 64 KiB");
    } else {
        take(text, now);
    }
}

void ReportRecorder::take(std::string_view text, Timestamp now) {
    ++lines_;
    if (text.size() > k_longest_line) {
        drop("it is longer than 64 KiB");
    } else if (const std::string_view why = read_report_line(text, line_); !why.empty()) {
        drop(why);
    } else if (line_.kind == ReportLine::Kind::metric && is_system_metric(line_.text)) {
        drop("metrics whose names begin with system/ are amp's own");
    } else {
        over_limit_ = !add_line(report_, line_, now) || over_limit_;
        keep(text, now);
    }
}

void ReportRecorder::drop(std::string_view why) {
    if (dropped_++ == 0) {
        first_drop_ = fmt::format("line {}: {}", lines_, why);
    }
}

void ReportRecorder::keep(std::string_view text, Timestamp now) {
    if (line_.kind == ReportLine::Kind::progress) {
        progress_ = text;
        return;
    }
    if (stored_bytes_ + pending_.size() + text.size() > k_most_stored) {
        ++not_stored_;
        return;
    }
    pending_.append(text).push_back('\n');
    if (pending_.size() >= k_piece) {
        write_pending(now);
    }
}

void ReportRecorder::begin_again() {
    torn_.clear();
    too_long_ = false;
}

bool ReportRecorder::wants_more() const {
    return read_bytes_ < k_most_read;
}

double ReportRecorder::patience() const {
    return std::min(k_most_patience_s,
                    k_first_patience_s * (1 + static_cast<double>(written_) / k_pieces_per_step));
}

void ReportRecorder::write_pending(Timestamp now) {
    if (!progress_.empty()) {
        pending_.append(progress_).push_back('\n');
        progress_.clear();
    }
    if (pending_.empty()) {
        return;
    }
    try {
        LogPiece piece = packs_.append(task_, attempt_, "report", pending_, now);
        stored_bytes_ += pending_.size();
        ++written_;
        unnamed_ = unnamed_ || report_.pieces.size() >= k_most_pieces;
        if (unnamed_) {
            report_.pieces.clear();
        } else {
            report_.pieces.push_back(std::move(piece));
        }
    } catch (const Error&) {
        not_stored_ += static_cast<std::uint64_t>(std::count(pending_.begin(), pending_.end(), '\n'));
    }
    pending_.clear();
}

void ReportRecorder::finish(Timestamp now) {
    if (too_long_ || !torn_.empty()) {
        add_text(torn_, now);
    }
    begin_again();
    write_pending(now);
}

void ReportRecorder::add_point(const std::string& name, double value, Timestamp now) {
    const auto known = report_.metrics.find(name);
    if (known != report_.metrics.end() && known->second.last == value) {
        return;  // told already
    }
    const std::string text = report_line_text(point_line(name, value, now));
    take(std::string_view(text).substr(0, text.size() - 1), now);
    write_pending(now);
}

void ReportRecorder::add_sample(const std::string& name, double value, Timestamp now) {
    line_ = point_line(name, value, now);
    over_limit_ = !add_line(report_, line_, now) || over_limit_;
    const std::string text = report_line_text(line_);
    keep(std::string_view(text).substr(0, text.size() - 1), now);
}

std::shared_ptr<const TaskReport> ReportRecorder::report() const {
    return report_.empty() ? nullptr : std::make_shared<const TaskReport>(report_);
}

std::vector<std::string> ReportRecorder::remarks() const {
    std::vector<std::string> remarks;
    if (dropped_ != 0) {
        remarks.push_back(fmt::format("{} of {} lines of $AMP_TASK_DIR/report were left out; the first is {}",
                                      dropped_, lines_, first_drop_));
    }
    if (over_limit_) {
        remarks.push_back(
            "it told more metrics or links than a summary holds (200 and 50): `amp metrics` has all points");
    }
    if (not_stored_ != 0) {
        remarks.push_back(
            fmt::format("{} points of metrics count in the summary, but are not kept", not_stored_));
    }
    if (!wants_more()) {
        remarks.push_back("$AMP_TASK_DIR/report is longer than 4 GiB: what follows was left out");
    }
    return remarks;
}

}  // namespace amp
