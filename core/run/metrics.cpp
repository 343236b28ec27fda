#include "core/run/metrics.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/store/journal.hpp"
#include "core/store/packs.hpp"
#include "core/store/store.hpp"
#include "core/task/report_line.hpp"

namespace amp {
namespace {

/// The lines of a frame, those that are sound.
void each_line(const PackFrame& frame, const std::function<void(const ReportLine&)>& each) {
    ReportLine line;
    for (const std::string_view text : split(frame.bytes, '\n')) {
        if (!text.empty() && read_report_line(text, line).empty()) {
            each(line);
        }
    }
}

bool is_wanted(const MetricQuery& query, const TaskName& task) {
    return (query.step.empty() || task.step == query.step) &&
           (!query.index || (task.index.path == query.index->path &&
                             (query.index->round == 0 || task.index.round == query.index->round)));
}

bool is_named(const MetricQuery& query, const std::string& name) {
    return query.names.empty() ? query.system || !is_system_metric(name)
                               : std::find(query.names.begin(), query.names.end(), name) != query.names.end();
}

/// One attempt that is asked for.
struct Source {
    TaskName task;
    std::uint32_t attempt;
    std::shared_ptr<const TaskReport> report;
    std::string run = {};   ///< of another run, whose result was taken over
    std::string made = {};  ///< the task there, STEP/INDEX
};

/// Of a result that was taken over.
Source taken_over(const TaskView& task) {
    const std::size_t slash = task.made_by.find('/');
    return {task.name, task.made_attempt, task.report, task.made_by.substr(0, slash),
            task.made_by.substr(slash + 1)};
}

std::vector<Source> sources(const RunView& view, const MetricQuery& query) {
    std::vector<Source> out;
    for (const TaskView& task : view.tasks) {
        std::map<TaskName, Source> rounds;  // of a repetition each, with its last attempt
        for (const AttemptResult& attempt : task.attempts) {
            if (is_wanted(query, attempt.task) && (!query.attempt || attempt.attempt == *query.attempt)) {
                rounds[attempt.task] = Source{attempt.task, attempt.attempt, attempt.report};
            }
        }
        if (task.report && is_wanted(query, task.name) &&
            (!query.attempt || std::max(task.attempt, task.made_attempt) == *query.attempt)) {
            const TaskName name =
                task.attempts.empty() || task.running_since ? task.name : task.attempts.back().task;
            rounds[name] = task.made_attempt > 0 ? taken_over(task) : Source{name, task.attempt, task.report};
        }
        for (auto& [name, source] : rounds) {
            if (source.report) {
                out.push_back(std::move(source));
            }
        }
    }
    return out;
}

}  // namespace

std::vector<MetricRow> metric_rows(const RunView& view, const MetricQuery& query) {
    std::vector<MetricRow> rows;
    for (const Source& source : sources(view, query)) {
        for (const auto& [name, metric] : source.report->metrics) {
            if (is_named(query, name)) {
                rows.push_back({source.task, source.attempt, name, metric});
            }
        }
    }
    return rows;
}

void read_points(Services& services, const Project& project, const RunView& view, const MetricQuery& query,
                 const std::function<bool(const MetricPoint&)>& each) {
    const OpenStore store = services.open_store(project.store_folder, false);
    std::map<std::string, PackLengths> accepted;
    bool more = true;
    std::map<std::string, std::map<std::pair<std::string, std::uint32_t>, std::vector<TaskName>>> unnamed;
    const auto give = [&](const TaskName& task, const PackFrame& frame) {
        each_line(frame, [&](const ReportLine& line) {
            if (more && line.kind == ReportLine::Kind::metric && is_named(query, line.text)) {
                more =
                    each({task, frame.attempt, line.text, line.step, line.value, line.at.value_or(frame.at)});
            }
        });
    };
    for (const Source& source : sources(view, query)) {
        const std::string& run = source.run.empty() ? view.run : source.run;
        if (source.report->pieces.empty()) {
            const std::string made = source.made.empty() ? source.task.text() : source.made;
            unnamed[run][{made, source.attempt}].push_back(source.task);
        } else if (!accepted.contains(run)) {
            accepted.emplace(run, accepted_packs(*store.files, run));
        }
        for (const LogPiece& piece : source.report->pieces) {
            if (more) {
                give(source.task, {source.task,
                                   source.attempt,
                                   "report",
                                   {},
                                   read_piece(*store.files, piece, accepted.at(run))});
            }
        }
    }
    for (const auto& [run, attempts] : unnamed) {
        PackFollower follower(*store.files, run, "report");
        follower.poll([&, &attempts = attempts](const PackFrame& frame) {
            const auto found = attempts.find({frame.task.text(), frame.attempt});
            for (const TaskName& task : found == attempts.end() ? std::vector<TaskName>() : found->second) {
                give(task, frame);
            }
        });
    }
}

void MetricRows::add(const MetricPoint& point) {
    const auto [place, fresh] = places_.try_emplace({point.task, point.attempt, point.name}, rows_.size());
    if (fresh) {
        rows_.push_back({point.task, point.attempt, point.name, {}});
    }
    rows_[place->second].metric.add(point.value, point.step);
}

std::vector<MetricRow> metric_rows_since(Services& services, const Project& project, const RunView& view,
                                         const MetricQuery& query, Timestamp since) {
    MetricRows rows;
    read_points(services, project, view, query, [&](const MetricPoint& point) {
        if (point.at >= since) {
            rows.add(point);
        }
        return true;
    });
    return rows.rows();
}

std::map<AttemptKey, std::shared_ptr<const TaskReport>> told_so_far(const OpenStore& store,
                                                                    const std::string& run,
                                                                    const std::set<AttemptKey>& attempts) {
    std::map<AttemptKey, TaskReport> reports;
    if (!attempts.empty()) {
        PackFollower follower(*store.files, run, "report");
        follower.poll([&](const PackFrame& frame) {
            const AttemptKey key{frame.task, frame.attempt};
            if (attempts.contains(key)) {
                each_line(frame, [&](const ReportLine& line) { add_line(reports[key], line, frame.at); });
            }
        });
    }
    std::map<AttemptKey, std::shared_ptr<const TaskReport>> out;
    for (auto& [key, report] : reports) {
        out.emplace(key, std::make_shared<const TaskReport>(std::move(report)));
    }
    return out;
}

std::map<std::string, MakerReport> told_by_makers(const OpenStore& store,
                                                  const std::set<std::string>& makers) {
    std::map<std::string, std::set<std::string>> runs;
    for (const std::string& maker : makers) {
        const std::size_t slash = maker.find('/');
        if (slash != std::string::npos) {
            runs[maker.substr(0, slash)].insert(maker.substr(slash + 1));
        }
    }
    std::map<std::string, MakerReport> out;
    for (const auto& [run, tasks] : runs) {
        const auto take = [&out, &run = run, &tasks = tasks](const Record& record) {
            if (record.type == "end" && tasks.contains(get_string(record.payload, "task"))) {
                const AttemptResult result = attempt_result_from(record.payload);
                if (result.succeeded()) {
                    out[run + "/" + result.task.text()] = {result.attempt, result.report};
                }
            }
        };
        try {
            read_journal(*store.files, run, take);
        } catch (const Error&) {  // NOLINT(bugprone-empty-catch): `amp fsck` tells of it
        }
    }
    return out;
}

}  // namespace amp
