#include "cli/metrics.hpp"

#include <fmt/format.h>

#include "cli/csv.hpp"
#include "cli/run_text.hpp"
#include "cli/runs.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/metrics.hpp"

namespace amp {
namespace {

std::string step_text(const std::optional<std::int64_t>& step) {
    return step ? fmt::format("{}", *step) : "";
}

std::string csv_line(const MetricPoint& point, bool at_terminal) {
    return fmt::format("{},{},{},{},{},{}\n", csv_cell(point.task.text(), at_terminal), point.attempt,
                       csv_cell(point.name, at_terminal), step_text(point.step), point.value,
                       format_time(point.at));
}

Value point_document(const MetricPoint& point) {
    Object out{
        {"schema", "amp.metric/1"}, {"task", point.task.text()}, {"attempt", std::int64_t{point.attempt}},
        {"metric", point.name},     {"value", point.value},      {"at", format_time(point.at)}};
    Value& step = out["step"];  // null unless it was told
    if (point.step) {
        step = *point.step;
    }
    return out;
}

std::string rows_plain(const std::vector<MetricRow>& rows) {
    std::string out;
    for (const MetricRow& row : rows) {
        out += plain_line({row.task.text(), std::to_string(row.attempt), row.name,
                           fmt::format("{}", row.metric.last), step_text(row.metric.step),
                           fmt::format("{}", row.metric.min), fmt::format("{}", row.metric.max),
                           std::to_string(row.metric.count)});
    }
    return out;
}

std::string rows_table(const std::vector<MetricRow>& rows, const Presentation& presentation) {
    Table table({{"TASK"},
                 {"METRIC"},
                 {"LAST", Table::Align::right},
                 {"STEP", Table::Align::right, 1},
                 {"MIN", Table::Align::right, 3},
                 {"MAX", Table::Align::right, 2},
                 {"POINTS", Table::Align::right, 4}});
    for (const MetricRow& row : rows) {
        table.add({task_text(row.task), row.name, fmt::format("{:.6g}", row.metric.last),
                   step_text(row.metric.step), fmt::format("{:.6g}", row.metric.min),
                   fmt::format("{:.6g}", row.metric.max), fmt::format("{}", row.metric.count)});
    }
    return table.text(presentation);
}

std::string no_metrics_text(const RunView& view, MetricQuery query) {
    std::vector<std::string> asked;
    asked.swap(query.names);
    query.system = true;
    std::vector<std::string> known;
    for (const MetricRow& row : metric_rows(view, query)) {
        known.push_back(row.name);
    }
    std::string out = asked.empty() && !known.empty()
                          ? "no task told any; `amp metrics --system` has what was sampled of them"
                          : "no metrics";
    for (const std::string& name : asked) {
        const std::string hint = near_hint(name, known);
        out += fmt::format("; there is no '{}'{}{}", printable(name), hint.empty() ? "" : ": ", hint);
    }
    return out;
}

}  // namespace

ExitCode execute(Session& session, const MetricsCommand& command) {
    const Project project = session.project();
    const RunView view = view_run(session.services, project, command.target.run);
    check_task(view, command.target.step, command.target.index);
    const MetricQuery query{command.target.step, command.target.index, command.attempt, command.names,
                            command.system};
    const auto since = parse_when("--since", command.list.since, session.services.clock.now());
    Output& out = session.out;
    if (command.csv || session.common.json) {
        if (!session.common.json) {
            out.result("task,attempt,metric,step,value,at\n");
        }
        std::size_t told = 0;
        read_points(session.services, project, view, query, [&](const MetricPoint& point) {
            if (since && point.at < *since) {
                return true;
            }
            if (session.common.json) {
                out.line(point_document(point));
            } else {
                out.result(csv_line(point, out.presentation().out_is_tty));
            }
            return !out.gone() && ++told != command.list.limit;
        });
        return ExitCode::ok;
    }
    std::vector<MetricRow> rows =
        since ? metric_rows_since(session.services, project, view, query, *since) : metric_rows(view, query);
    if (command.list.limit > 0 && rows.size() > command.list.limit) {
        rows.resize(command.list.limit);
    }
    if (session.common.plain) {
        out.result(rows_plain(rows));
    } else if (rows.empty()) {
        out.say(no_metrics_text(view, query));
    } else {
        out.result(rows_table(rows, out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
