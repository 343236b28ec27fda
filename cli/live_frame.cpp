#include "cli/live_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/live_rows.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_roomy = 100;  // columns from which on words are written out

constexpr std::size_t k_roomy_rows = 20;  // from which on a line is left empty

bool is_done(const StepProgress& step) {
    return step.done == step.all && step.running == 0;
}

LiveCell mark_of(const StepProgress& step, bool unicode) {
    if (step.failed > 0) {
        return {unicode ? "✗" : "x", LiveTone::red};
    }
    if (is_done(step)) {
        return {unicode ? "✓" : "+", LiveTone::green};
    }
    return step.running > 0 ? LiveCell{unicode ? "▸" : ">", LiveTone::cyan} : LiveCell{" ", LiveTone::plain};
}

std::string rate_text(double rate) {
    if (rate <= 0) {
        return "";
    }
    struct Unit {
        double seconds;
        std::string_view name;
    };
    constexpr std::array<Unit, 3> k_units = {{{1, "s"}, {60, "min"}, {3600, "h"}}};
    const Unit* unit = k_units.data();
    while (rate * unit->seconds < 1 && unit != &k_units.back()) {
        ++unit;
    }
    const double number = rate * unit->seconds;
    const std::string text = number < 9.95 ? fmt::format("{:.1f}", number)
                                           : grouped(static_cast<std::uint64_t>(std::llround(number)));
    return text + "/" + std::string(unit->name);
}

std::string left_text(double seconds, bool words) {
    return seconds < 0 ? std::string()
                       : "~" + clock_duration(std::max(seconds, 1.0)) + (words ? " left" : "");
}

LiveRow step_row(const StepProgress& step, bool words, bool unicode) {
    LiveRow row;
    row.mark = mark_of(step, unicode);
    row.name = {step.name, LiveTone::plain};
    row.failed = step.failed > 0;
    const bool done = is_done(step);
    if (step.all > 0) {
        row.part = static_cast<double>(step.done) / static_cast<double>(step.all);
    }
    row.numbers[0] = {grouped(step.done) + "/" + grouped(step.all), LiveTone::plain};
    if (step.running > 0) {
        row.numbers[1] = {grouped(step.running) + " running", LiveTone::cyan};
    }
    if (step.failed > 0) {
        row.numbers[2] = {grouped(step.failed) + " failed", LiveTone::red};
    }
    row.numbers[3] = {done ? std::string() : rate_text(step.rate), LiveTone::faint};
    if (step.took_s >= 0) {
        row.numbers[4] = {clock_duration(step.took_s), LiveTone::faint};
    }
    row.numbers[5] = {done ? std::string() : left_text(step.left_s, words), LiveTone::plain};
    return row;
}

/// Of the lines below the total and above it: together at most two thirds of the terminal, a third of them
/// for tasks where there are that many.
struct Shares {
    std::size_t all = 0;
    std::size_t steps = 0;
};

Shares share(std::size_t tasks, std::size_t rows) {
    const std::size_t most = rows > 1 ? rows - 1 : 1;
    const std::size_t all = std::min(most, std::max<std::size_t>(3, rows * 2 / 3)) - 1;
    const std::size_t used = rows < k_roomy_rows ? 0 : 1;
    return {all, all - used - std::min(tasks, all / 3)};
}

/// Steps for `lines` lines. Those that are done and all right go into one line, when there are too many; then
/// those that wait, then from the end.
std::vector<LiveRow> step_rows(const RunProgress& run, std::size_t lines, bool words, bool unicode) {
    std::vector<LiveRow> rows;
    if (lines == 0) {
        return rows;
    }
    const auto rank = [](const StepProgress& step) {
        return step.failed > 0 || step.running > 0 ? 0 : is_done(step) ? 2 : 1;
    };
    std::array<std::size_t, 3> counts{};
    for (const StepProgress& step : run.steps) {
        ++counts.at(static_cast<std::size_t>(rank(step)));
    }
    const bool all_fit = run.steps.size() <= lines;
    const bool done_line = !all_fit && counts[2] > 0;
    std::size_t room = lines - (done_line ? 1 : 0);
    const std::size_t open = counts[0] + counts[1];
    const bool more_line = !all_fit && open > room && room > 0;
    room -= more_line ? 1 : 0;
    if (done_line) {
        rows.push_back({{unicode ? "✓" : "+", LiveTone::green},
                        {fmt::format("{} steps done", grouped(counts[2])), LiveTone::faint}});
    }
    std::size_t busy_room = std::min(room, counts[0]);
    std::size_t waiting_room = room - busy_room;
    std::size_t told = 0;
    for (const StepProgress& step : run.steps) {
        const int kind = rank(step);
        std::size_t& left = kind == 0 ? busy_room : waiting_room;
        if (all_fit || (kind < 2 && left > 0)) {
            left -= all_fit ? 0 : 1;
            ++told;
            rows.push_back(step_row(step, words, unicode));
        }
    }
    if (more_line) {
        rows.push_back({{" "},
                        {fmt::format("{} {} more steps", unicode ? "…" : "...", grouped(open - told)),
                         LiveTone::faint}});
    }
    return rows;
}

std::string task_line(const TaskProgressLine& task, std::size_t name_width, std::size_t took_width,
                      const FrameSize& size, const Style& style, bool unicode) {
    std::string name = cut_middle(task.name, name_width, unicode);
    name.append(name_width - std::min(name_width, display_width(name)), ' ');
    const std::string took = task.took_s < 0 ? "" : clock_duration(task.took_s);
    std::string more;
    const auto add = [&](const std::string& text) { more += (more.empty() ? "" : "  ") + text; };
    if (task.attempt > 1) {
        add(fmt::format("attempt {}", task.attempt));
    }
    if (!task.where.empty()) {
        add("on " + task.where);
    }
    if (task.done >= 0) {
        add(fmt::format("{:.0f} %", std::min(task.done, 1.0) * 100));
    }
    if (!task.text.empty()) {
        add(task.text);
    }
    const std::size_t used = 4 + name_width + 2 + took_width + 2;
    std::string out = "    " + name + "  " + std::string(took_width - std::min(took_width, took.size()), ' ');
    out += style.faint(took);
    if (!more.empty() && size.columns > used + 8) {
        out += "  " + cut(more, size.columns - 1 - used, unicode);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

void append_tasks(std::vector<std::string>& out, const RunProgress& run, std::size_t lines,
                  const FrameSize& size, const Style& style, bool unicode) {
    if (lines == 0) {
        return;
    }
    const std::size_t all = std::max<std::size_t>(run.total.running + run.waiting, run.tasks.size());
    const std::size_t told = std::min(run.tasks.size(), all > lines ? lines - 1 : lines);
    std::size_t name = 0;
    std::size_t took = 0;
    for (std::size_t i = 0; i < told; ++i) {
        name = std::max(name, display_width(run.tasks[i].name));
        took = std::max(took, run.tasks[i].took_s < 0 ? 0 : clock_duration(run.tasks[i].took_s).size());
    }
    const std::size_t room = size.columns - std::min<std::size_t>(size.columns, 4 + 2 + took + 1);
    name = std::min(name, std::min(room, std::max<std::size_t>(16, size.columns / 2)));
    for (std::size_t i = 0; i < told; ++i) {
        out.push_back(task_line(run.tasks[i], name, took, size, style, unicode));
    }
    if (all > told) {
        const std::string_view mark = unicode ? "…" : "...";
        const std::string text = told == 0
                                     ? grouped(all) + (run.waiting > 0 ? " running or waiting" : " running")
                                     : fmt::format("{} and {} more", mark, grouped(all - told));
        out.push_back("    " + style.faint(cut(text, room, unicode)));
    }
}

}  // namespace

std::string clock_duration(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0));
    struct Unit {
        std::uint64_t seconds;
        char big;
        char small;
    };
    constexpr std::array<Unit, 3> k_units = {{{86400, 'd', 'h'}, {3600, 'h', 'm'}, {60, 'm', 's'}}};
    constexpr std::array<std::uint64_t, 3> k_smaller = {3600, 60, 1};
    for (std::size_t i = 0; i < k_units.size(); ++i) {
        const Unit& unit = k_units.at(i);
        if (whole >= unit.seconds) {
            return fmt::format("{}{}{:02}{}", whole / unit.seconds, unit.big,
                               whole % unit.seconds / k_smaller.at(i), unit.small);
        }
    }
    return fmt::format("{}s", whole);
}

std::vector<std::string> live_frame(const RunProgress& run, const FrameSize& size, const Style& style,
                                    bool unicode, FrameWidths& widths) {
    constexpr std::size_t k_least_columns = 20;
    if (size.columns < k_least_columns) {
        return {live_line(run, size.columns, unicode)};
    }
    const FrameSize& real = size;
    const bool words = real.columns >= k_roomy;
    const Shares shares =
        share(std::max<std::size_t>(run.tasks.size(), run.total.running + run.waiting), real.rows);
    std::vector<LiveRow> rows = step_rows(run, shares.steps, words, unicode);
    rows.push_back(step_row(run.total, words, unicode));
    rows.back().mark = {" ", LiveTone::plain};
    rows.back().name.tone = LiveTone::bold;
    const LiveRows layout(rows, real.columns - 1, style, unicode, widths);
    std::vector<std::string> out;
    out.reserve(shares.all + 1);
    if (real.rows >= k_roomy_rows) {
        out.emplace_back();  // apart from what went by above
    }
    for (const LiveRow& row : rows) {
        out.push_back(layout.line(row));
    }
    append_tasks(out, run, shares.all + 1 - out.size(), real, style, unicode);
    return out;
}

std::string live_line(const RunProgress& run, std::size_t columns, bool unicode) {
    const StepProgress& total = run.total;
    std::string out = fmt::format("{} of {} tasks done, {} running", grouped(total.done), grouped(total.all),
                                  grouped(total.running));
    if (total.failed > 0) {
        out += fmt::format(", {} failed", grouped(total.failed));
    }
    if (total.took_s >= 0) {
        out += ", " + clock_duration(total.took_s);
    }
    if (total.left_s >= 0) {
        out += ", " + left_text(total.left_s, true);
    }
    return cut(out, columns > 1 ? columns - 1 : 1, unicode);
}

}  // namespace amp
