#include "cli/usage_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/text.hpp"
#include "core/task/report_line.hpp"

namespace amp {
namespace {

constexpr std::size_t k_devices_told = 4;

std::string bytes_text(double bytes) {
    return format_size(static_cast<std::uint64_t>(std::max(0.0, bytes)));
}

const MetricSummary* find(const TaskReport& report, std::string_view name) {
    const auto metric = report.metrics.find(name);
    return metric == report.metrics.end() ? nullptr : &metric->second;
}

/// While it runs the last sample; afterwards, of what it took in all, the most at a time.
double told_value(const MetricSummary& metric, bool running) {
    return running ? metric.last : metric.max;
}

std::string cpu_text(const TaskView& task, const MetricSummary& cpu) {
    if (task.running_since || task.attempts.empty()) {
        return fmt::format("cpu {:.1f}", cpu.last);
    }
    const AttemptResult& last = task.attempts.back();
    const double took_s = last.ended.seconds_since(last.started);
    return took_s > 0 ? fmt::format("cpu {:.1f} (peak {:.1f})", last.cpu_s / took_s, cpu.max)
                      : fmt::format("cpu peak {:.1f}", cpu.max);
}

/// "gpu 0 87 %, gpu 1 85 %"; of many: "gpu 0 to 7 60 to 99 %".
void add_devices(std::vector<std::string>& parts, const TaskReport& report, std::string_view kind,
                 bool running) {
    constexpr std::string_view k_use = "/utilization";
    const std::string prefix = fmt::format("{}{}/", k_system_prefix, kind);
    std::vector<std::pair<int, double>> devices;
    for (auto metric = report.metrics.lower_bound(prefix);
         metric != report.metrics.end() && metric->first.starts_with(prefix); ++metric) {
        const std::string_view name = std::string_view(metric->first).substr(prefix.size());
        if (name.ends_with(k_use)) {
            devices.emplace_back(std::atoi(std::string(name).c_str()), told_value(metric->second, running));
        }
    }
    std::sort(devices.begin(), devices.end());
    if (devices.size() <= k_devices_told) {
        for (const auto& [number, percent] : devices) {
            parts.push_back(fmt::format("{} {} {:.0f} %", kind, number, percent));
        }
        return;
    }
    const auto by_use = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto [least, most] = std::minmax_element(devices.begin(), devices.end(), by_use);
    parts.push_back(fmt::format("{} {} to {} {:.0f} to {:.0f} %", kind, devices.front().first,
                                devices.back().first, least->second, most->second));
}

void add_bytes(std::vector<std::string>& parts, const TaskReport& report, std::string_view metric,
               std::string_view word, bool running) {
    const MetricSummary* bytes = find(report, metric);
    if (bytes != nullptr && bytes->max > 0) {
        parts.push_back(fmt::format("{} {}", word, bytes_text(told_value(*bytes, running))));
    }
}

}  // namespace

bool has_told(const TaskReport& report) {
    return !report.notes.empty() || !report.links.empty() || report.progress ||
           std::any_of(report.metrics.begin(), report.metrics.end(),
                       [](const auto& metric) { return !is_system_metric(metric.first); });
}

std::string usage_text(const TaskView& task) {
    std::vector<std::string> parts;
    const TaskReport& report = *task.report;
    const bool running = task.running_since.has_value();
    if (const MetricSummary* cpu = find(report, "system/cpu")) {
        parts.push_back(cpu_text(task, *cpu));
    }
    add_bytes(parts, report, "system/memory", "memory", running);
    add_devices(parts, report, "gpu", running);
    add_devices(parts, report, "neuron", running);
    add_bytes(parts, report, "system/read", "read", running);
    add_bytes(parts, report, "system/write", "written", running);
    return parts.empty() ? "" : (running ? "uses: " : "used: ") + join(parts, ", ");
}

}  // namespace amp
