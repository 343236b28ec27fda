#include "cli/told_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/run_text.hpp"
#include "cli/usage_text.hpp"
#include "core/base/text.hpp"
#include "core/task/report_line.hpp"

namespace amp {
namespace {

constexpr std::size_t k_reports_told = 10;
constexpr std::size_t k_metrics_told = 8;
constexpr std::size_t k_links_told = 5;
constexpr std::size_t k_notes_told = 3;
constexpr std::size_t k_line_bytes = 200;

/// The first line of it, and not too much of that.
std::string first_line(const std::string& text) {
    const std::size_t end = std::min(text.find('\n'), k_line_bytes);
    return end < text.size() ? to_utf8(text.substr(0, end)) + " …" : text;
}

std::string metrics_text(const TaskReport& report) {
    std::string out;
    std::size_t all = 0;
    for (const auto& [name, metric] : report.metrics) {
        if (is_system_metric(name) || ++all > k_metrics_told) {
            continue;
        }
        out += fmt::format("{}{} {:.6g}", out.empty() ? "" : "  ", name, metric.last);
        out += metric.step ? fmt::format(" (step {})", *metric.step) : "";
    }
    return all > k_metrics_told ? out + fmt::format("  and {} more", all - k_metrics_told) : out;
}

std::string told_of(const TaskView& task) {
    const TaskReport& report = *task.report;
    const std::string metrics = metrics_text(report);
    std::string out = "\n" + printable(task_text(task.name));
    if (report.progress && (task.running_since || metrics.empty())) {
        out += fmt::format("  {:.0f} %{}{}", report.progress->done * 100,
                           report.progress->text.empty() ? "" : "  ", printable(report.progress->text));
    }
    out += "\n";
    const auto line = [&](const std::string& text) {
        out += text.empty() ? "" : "  " + first_line(printable(text)) + "\n";
    };
    line(metrics);
    for (std::size_t i = 0; i < report.links.size() && i < k_links_told; ++i) {
        line(report.links[i].title + ": " + report.links[i].url);
    }
    const std::size_t notes = report.notes.size();
    for (std::size_t i = notes > k_notes_told ? notes - k_notes_told : 0; i < notes; ++i) {
        line(clock_text(report.notes[i].at) + "  " + report.notes[i].text);
    }
    line(task.made_by.empty() ? usage_text(task) : "");  // another run has used that
    return out;
}

/// Those of whom only samples are known: a line each.
std::string used_of(const TaskView& task) {
    return fmt::format("{}  {}\n", printable(task_text(task.name)), usage_text(task));
}

}  // namespace

std::string told_text(const RunView& view) {
    std::string words;
    std::string samples;
    std::size_t all = 0;
    std::size_t all_sampled = 0;
    for (const bool running : {true, false}) {
        for (const TaskView& task : view.tasks) {
            if (!task.report || task.running_since.has_value() != running) {
                continue;
            }
            if (has_told(*task.report)) {
                words += ++all <= k_reports_told ? told_of(task) : "";
            } else if (task.made_by.empty()) {
                samples += ++all_sampled <= k_reports_told ? used_of(task) : "";
            }
        }
    }
    if (all > k_reports_told) {
        words += fmt::format("\nand {} more tasks: amp metrics {}\n", all - k_reports_told, view.run);
    }
    if (all_sampled > k_reports_told) {
        samples += fmt::format("and {} more tasks: amp metrics {} --system\n", all_sampled - k_reports_told,
                               view.run);
    }
    return words + (samples.empty() ? "" : "\n" + samples);
}

}  // namespace amp
