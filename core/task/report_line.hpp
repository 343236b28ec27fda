#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/task_report.hpp"

namespace amp {

constexpr std::size_t k_longest_metric_name = 256;

/// What amp itself samples of a task (core/task/usage_sample) has names that begin so; tasks cannot tell
/// them.
constexpr std::string_view k_system_prefix = "system/";
inline bool is_system_metric(std::string_view name) {
    return name.starts_with(k_system_prefix);
}

/// A line of `$AMP_TASK_DIR/report`, the file to which a task appends what it tells of itself. Each is a JSON
/// object:
///
///     {"metric":"loss","value":0.31,"step":100,"at":1795681530.25}
///     {"note":"the rate was halved","at":1795681530.25}
///     {"link":"W&B","url":"https://wandb.example.com/r/7","at":1795681530.25}
///     {"progress":0.4,"text":"epoch 2 of 5","at":1795681530.25}
///
/// `at` is Unix time in seconds; `step`, `text` and `at` may be missing. NaN and infinities are texts
/// (number_from).
struct ReportLine {
    enum class Kind { metric, note, link, progress };
    Kind kind = Kind::note;
    std::string text;  ///< name of the metric, title of the link, text of note or progress
    std::string url;
    double value = 0;  ///< of the metric; progress: of 1
    std::optional<std::int64_t> step;
    std::optional<Timestamp> at;
};

/// Reads one line, without its line feed. `line` is reused from call to call: metric points as amp writes
/// them cost no allocation. Gives why it is none; empty: it is one.
std::string_view read_report_line(std::string_view text, ReportLine& line);

/// As it is appended, with its line feed.
std::string report_line_text(const ReportLine& line);

/// Takes a line into the summary; `now` for what has no time of its own. False when the summary has no room
/// for it (more than 200 metrics, and as many of amp's own; 50 links; of notes the latest 50 stay).
bool add_line(TaskReport& report, const ReportLine& line, Timestamp now);

}  // namespace amp
