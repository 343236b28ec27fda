#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/run/inspect.hpp"

namespace amp {

/// Of which tasks, and which metrics.
struct MetricQuery {
    std::string step = {};
    std::optional<TaskIndex> index = {};
    std::optional<std::uint32_t> attempt = {};  ///< default: the last of each task
    std::vector<std::string> names = {};        ///< empty: all that tasks told
    bool system = false;                        ///< with these also what was sampled of tasks
};

struct MetricPoint {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string name;
    std::optional<std::int64_t> step;
    double value = 0;
    Timestamp at;
};

/// The last value of each metric in short, in the order of the view's tasks.
struct MetricRow {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string name;
    MetricSummary metric;
};
std::vector<MetricRow> metric_rows(const RunView& view, const MetricQuery& query);

/// All points, in the order in which a task told them; also those of tasks that still run, and of last
/// attempts that were lost (not yet of lost ones that others followed). Stops when `each` returns false.
void read_points(Services& services, const Project& project, const RunView& view, const MetricQuery& query,
                 const std::function<bool(const MetricPoint&)>& each);

/// Points put together to rows, in the order in which these begin.
class MetricRows {
  public:
    void add(const MetricPoint& point);
    const std::vector<MetricRow>& rows() const { return rows_; }

  private:
    std::map<std::tuple<TaskName, std::uint32_t, std::string>, std::size_t> places_;
    std::vector<MetricRow> rows_;
};
/// In short what was told since then.
std::vector<MetricRow> metric_rows_since(Services& services, const Project& project, const RunView& view,
                                         const MetricQuery& query, Timestamp since);

/// What attempts told whose end did not say it: they run, or were lost. Read from the run's packs.
using AttemptKey = std::pair<TaskName, std::uint32_t>;
std::map<AttemptKey, std::shared_ptr<const TaskReport>> told_so_far(const OpenStore& store,
                                                                    const std::string& run,
                                                                    const std::set<AttemptKey>& attempts);

/// What tasks of other runs told in the attempt that made their results, by RUN/STEP/INDEX. Runs that are
/// gone or cannot be read tell nothing.
struct MakerReport {
    std::uint32_t attempt = 0;
    std::shared_ptr<const TaskReport> report;  ///< null: it told nothing
};
std::map<std::string, MakerReport> told_by_makers(const OpenStore& store,
                                                  const std::set<std::string>& makers);

}  // namespace amp
