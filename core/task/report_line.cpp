#include "core/task/report_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_metrics = 200;
constexpr std::size_t k_most_links = 50;
constexpr std::size_t k_most_notes = 50;
constexpr std::size_t k_longest_text = 1024;  // in the summary; the packs hold all of it
constexpr double k_latest_s = 253402300799;   // the end of the year 9999

/// Takes what is expected off the front of a text.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool skip(std::string_view word) {
        const bool there = text_.starts_with(word);
        text_.remove_prefix(there ? word.size() : 0);
        return there;
    }

    template <class T>
    bool number(T& into) {
        const std::size_t digits = text_.starts_with('-') ? 1 : 0;
        const bool plain = digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9' &&
                           !(text_[digits] == '0' && digits + 1 < text_.size() && text_[digits + 1] >= '0' &&
                             text_[digits + 1] <= '9');
        const auto [end, failed] = std::from_chars(text_.data(), text_.data() + text_.size(), into);
        if (!plain || failed != std::errc()) {
            return false;
        }
        text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        return true;
    }

    /// ASCII without escapes, up to the quote.
    bool plain_text(std::string_view& into) {
        std::size_t n = 0;
        while (n < text_.size() && text_[n] >= ' ' && text_[n] != '"' && text_[n] != '\\' &&
               text_[n] != '\x7f') {
            ++n;
        }
        if (n == text_.size() || text_[n] != '"') {
            return false;
        }
        into = text_.substr(0, n);
        text_.remove_prefix(n + 1);
        return true;
    }

    bool at_end() const { return text_.empty(); }

  private:
    std::string_view text_;
};

std::optional<Timestamp> time_from(double unix_s) {
    if (!(unix_s >= 0) || unix_s > k_latest_s) {
        return std::nullopt;
    }
    return Timestamp{static_cast<std::int64_t>(std::llround(unix_s * 1000))};
}

/// A metric as amp's own commands and library write it; false: read it as any JSON.
bool read_quickly(std::string_view text, ReportLine& line) {
    Reader reader(text);
    std::string_view name;
    double value = 0;
    if (!reader.skip(R"({"metric":")") || !reader.plain_text(name) || name.empty() ||
        name.size() > k_longest_metric_name || !reader.skip(R"(,"value":)") || !reader.number(value)) {
        return false;
    }
    line.step.reset();
    line.at.reset();
    if (std::int64_t step = 0; reader.skip(R"(,"step":)")) {
        if (!reader.number(step)) {
            return false;
        }
        line.step = step;
    }
    if (double at = 0; reader.skip(R"(,"at":)")) {
        if (!reader.number(at)) {
            return false;
        }
        line.at = time_from(at);
    }
    if (!reader.skip("}") || !reader.at_end()) {
        return false;
    }
    line.kind = ReportLine::Kind::metric;
    line.text.assign(name);
    line.url.clear();
    line.value = value;
    return true;
}

bool read_step(const Value& value, ReportLine& line) {
    const Value* step = value.find("step");
    if (step == nullptr || step->is_null()) {
        return true;
    }
    constexpr double k_exact = 9007199254740992;
    if (step->is_int()) {
        line.step = step->as_int();
    } else if (step->is_float() && step->as_float() == std::floor(step->as_float()) &&
               std::abs(step->as_float()) <= k_exact) {
        line.step = static_cast<std::int64_t>(step->as_float());
    }
    return line.step.has_value();
}

std::string_view read_metric(const Value& value, const Value& name, ReportLine& line) {
    line.kind = ReportLine::Kind::metric;
    if (!name.is_string() || name.as_string().empty()) {
        return "a metric has no name";
    }
    if (name.as_string().size() > k_longest_metric_name) {
        return "the name of a metric is longer than 256 bytes";
    }
    line.text = name.as_string();
    const Value* found = value.find("value");
    const auto number = found != nullptr ? number_from(*found) : std::nullopt;
    if (!number) {
        return "the value of a metric is no number";
    }
    line.value = *number;
    return read_step(value, line) ? "" : "the step of a metric is no whole number";
}

std::string_view read_text(const Value& text, ReportLine::Kind kind, ReportLine& line) {
    line.kind = kind;
    if (!text.is_string() || text.as_string().empty()) {
        return kind == ReportLine::Kind::link ? "a link has no title" : "a note has no text";
    }
    line.text = text.as_string();
    return {};
}

std::string_view read_link(const Value& value, const Value& title, ReportLine& line) {
    line.url = get_string(value, "url");
    return line.url.empty() ? "a link has no URL" : read_text(title, ReportLine::Kind::link, line);
}

std::string_view read_progress(const Value& value, const Value& done, ReportLine& line) {
    line.kind = ReportLine::Kind::progress;
    if (!done.is_number() || std::isnan(done.as_float())) {
        return "progress is no number";
    }
    line.value = std::clamp(done.as_float(), 0.0, 1.0);
    line.text = get_string(value, "text");
    return {};
}

std::string_view read_json(const Value& value, ReportLine& line) {
    line = {};
    if (const Value* at = value.find("at"); at != nullptr && at->is_number()) {
        line.at = time_from(at->as_float());
    }
    if (const Value* name = value.find("metric")) {
        return read_metric(value, *name, line);
    }
    if (const Value* title = value.find("link")) {
        return read_link(value, *title, line);
    }
    if (const Value* text = value.find("note")) {
        return read_text(*text, ReportLine::Kind::note, line);
    }
    if (const Value* done = value.find("progress")) {
        return read_progress(value, *done, line);
    }
    return "it is neither metric, note, link nor progress";
}

/// At most k_longest_text bytes, cut between characters.
std::string shortened(const std::string& text) {
    if (text.size() <= k_longest_text) {
        return text;
    }
    std::size_t end = k_longest_text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end) + "…";
}

bool add_link(TaskReport& report, const ReportLine& line) {
    TaskLink link{shortened(line.text), shortened(line.url)};
    const auto same = std::find_if(report.links.begin(), report.links.end(),
                                   [&](const TaskLink& known) { return known.title == link.title; });
    if (same != report.links.end()) {
        same->url = std::move(link.url);
    } else if (report.links.size() < k_most_links) {
        report.links.push_back(std::move(link));
    } else {
        return false;
    }
    return true;
}

/// What a task tells and what amp samples of it do not take each other's room.
bool has_room(const TaskReport& report, bool system) {
    if (report.metrics.size() < k_most_metrics) {
        return true;
    }
    std::size_t ours = 0;
    for (auto metric = report.metrics.lower_bound(k_system_prefix);
         metric != report.metrics.end() && is_system_metric(metric->first); ++metric) {
        ++ours;
    }
    return (system ? ours : report.metrics.size() - ours) < k_most_metrics;
}

bool add_metric(TaskReport& report, const ReportLine& line) {
    ++report.points;
    auto metric = report.metrics.find(line.text);
    if (metric == report.metrics.end()) {
        if (!has_room(report, is_system_metric(line.text))) {
            return false;
        }
        metric = report.metrics.emplace(line.text, MetricSummary{}).first;
    }
    metric->second.add(line.value, line.step);
    return true;
}

}  // namespace

std::string_view read_report_line(std::string_view text, ReportLine& line) {
    if (read_quickly(text, line)) {
        return {};
    }
    try {
        return read_json(json::parse(text), line);
    } catch (const Error&) {
        return "it is no JSON";
    }
}

std::string report_line_text(const ReportLine& line) {
    std::string out = "{";
    const double value = line.value;
    switch (line.kind) {
        case ReportLine::Kind::metric:
            out += fmt::format(R"("metric":{},"value":{})", json::quote(line.text), json::dump(value));
            out += line.step ? fmt::format(R"(,"step":{})", *line.step) : "";
            break;
        case ReportLine::Kind::note:
            out += fmt::format(R"("note":{})", json::quote(line.text));
            break;
        case ReportLine::Kind::link:
            out += fmt::format(R"("link":{},"url":{})", json::quote(line.text), json::quote(line.url));
            break;
        case ReportLine::Kind::progress:
            out += fmt::format(R"("progress":{},"text":{})", json::dump(value), json::quote(line.text));
            break;
    }
    if (line.at) {
        out += fmt::format(R"(,"at":{}.{:03})", line.at->ms / 1000, line.at->ms % 1000);
    }
    return out + "}\n";
}

bool add_line(TaskReport& report, const ReportLine& line, Timestamp now) {
    const Timestamp at = line.at.value_or(now);
    switch (line.kind) {
        case ReportLine::Kind::metric:
            return add_metric(report, line);
        case ReportLine::Kind::note:
            if (report.notes.size() >= k_most_notes) {
                report.notes.erase(report.notes.begin());
            }
            report.notes.push_back({shortened(line.text), at});
            return true;
        case ReportLine::Kind::link:
            return add_link(report, line);
        case ReportLine::Kind::progress:
            report.progress = TaskProgress{line.value, shortened(line.text), at};
            return true;
    }
    return true;
}

}  // namespace amp
