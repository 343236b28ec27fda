#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/packs.hpp"
#include "core/task/report_line.hpp"

namespace amp {

/// Records what one attempt tells of itself, from the bytes of its report file as that grows: each line into
/// the summary, and as it is into the run's packs (frames of kind `report`, some times a second). What is no
/// line is left out, and told in remarks(). Bounded in memory and store, whatever comes; a store that cannot
/// be written costs the report, never the task.
class ReportRecorder {
  public:
    ReportRecorder(PackWriter& packs, TaskName task, std::uint32_t attempt);

    /// The next bytes of the file.
    void add(std::string_view bytes, Timestamp now);
    /// The file begins anew: it was cut or replaced.
    void begin_again();
    /// False when nothing more of the file counts: it is too long.
    bool wants_more() const;

    bool has_pending() const { return !pending_.empty() || !progress_.empty(); }
    /// For how many seconds it may wait.
    double patience() const;
    void write_pending(Timestamp now);

    /// No more bytes come: a last line without a line feed counts when it is one.
    void finish(Timestamp now);
    /// A point that the task told in another way: by a declared output of type `metrics`. After finish.
    void add_point(const std::string& name, double value, Timestamp now);
    /// A point that we tell of the task: `name` begins with k_system_prefix.
    void add_sample(const std::string& name, double value, Timestamp now);

    /// nullptr: it told nothing.
    std::shared_ptr<const TaskReport> report() const;
    const TaskReport& summary() const { return report_; }
    /// For the task's log: what was left out, and why.
    std::vector<std::string> remarks() const;

  private:
    void add_text(std::string_view text, Timestamp now);
    void take(std::string_view text, Timestamp now);
    void keep(std::string_view text, Timestamp now);
    void drop(std::string_view why);

    PackWriter& packs_;
    TaskName task_;
    std::uint32_t attempt_;
    TaskReport report_;
    ReportLine line_;        ///< reused
    std::string torn_;       ///< the beginning of a line
    bool too_long_ = false;  ///< the rest of a line that is
    std::string pending_;
    std::string progress_;  ///< the last line of progress that waits, which overtakes those before it
    bool unnamed_ = false;  ///< there are too many pieces to name
    std::size_t written_ = 0;
    std::uint64_t read_bytes_ = 0;
    std::uint64_t stored_bytes_ = 0;
    std::uint64_t lines_ = 0;
    std::uint64_t dropped_ = 0;
    std::string first_drop_;
    std::uint64_t not_stored_ = 0;
    bool over_limit_ = false;  ///< more metrics or links than a summary has
};

}  // namespace amp
