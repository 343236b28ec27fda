#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/value.hpp"

namespace amp {

/// A stretch of bytes of one attempt in a pack: of its log, or of what it told. Or a range of such: all
/// frames of that attempt from this one on up to `last_offset` of `last_pack`, of the packs of one writer.
struct LogPiece {
    std::string pack;  ///< key of the pack file
    std::uint64_t offset = 0;
    std::uint64_t length = 0;                ///< of all of a range together
    std::string sha256 = {};                 ///< of the bytes; empty in old records, and of a range
    std::uint64_t frames = 1;                ///< more than one: a range
    std::string last_pack = {};              ///< of a range
    std::uint64_t last_offset = 0;           ///< of a range: where its last frame begins
    std::optional<std::uint32_t> rank = {};  ///< of a gang: whose; a range then holds its frames alone

    bool is_range() const { return frames > 1; }
    bool operator==(const LogPiece&) const = default;
};

/// All points of one metric of one attempt, in short.
struct MetricSummary {
    std::uint64_t count = 0;
    double last = 0;
    std::optional<std::int64_t> step;  ///< of the last point
    double min = 0;                    ///< NaN aside, unless there is nothing else
    double max = 0;

    void add(double value, std::optional<std::int64_t> at_step);
    bool operator==(const MetricSummary&) const = default;
};

struct TaskNote {
    std::string text;
    Timestamp at;
    bool operator==(const TaskNote&) const = default;
};

struct TaskLink {
    std::string title;
    std::string url;
    bool operator==(const TaskLink&) const = default;
};

struct TaskProgress {
    double done = 0;  ///< of 1
    std::string text;
    Timestamp at;
    bool operator==(const TaskProgress&) const = default;
};

/// What one attempt has told of itself (`amp metric`, `note`, `link`, `progress`), in short and bounded. All
/// points lie in the run's packs, in frames of kind `report`.
struct TaskReport {
    std::map<std::string, MetricSummary, std::less<>> metrics;
    std::vector<TaskNote> notes;  ///< the latest ones
    std::vector<TaskLink> links;
    std::optional<TaskProgress> progress;
    std::uint64_t points = 0;      ///< of all metrics
    std::vector<LogPiece> pieces;  ///< where they lie, in order; empty when there were too many to name

    bool empty() const { return metrics.empty() && notes.empty() && links.empty() && !progress; }
    bool operator==(const TaskReport&) const = default;
};

Value to_value(const TaskReport& report);
/// What is not there or of another type is left out.
TaskReport task_report_from(const Value& value);

Value to_value(const std::vector<LogPiece>& pieces);
std::vector<LogPiece> log_pieces_from(const List& list);

/// A number of a record: JSON has no NaN and infinities, which stand there as texts ("NaN", "Infinity",
/// "-Infinity"; "nan", "inf", "-inf"). nullopt: it is none.
std::optional<double> number_from(const Value& value);

}  // namespace amp
