#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/run_text.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_most_spare_lines = 60;     // at once
constexpr double k_spare_lines_a_second = 6;  // in the long run
constexpr std::uint64_t k_most_tails = 20;    // logs of failures told whole
constexpr std::size_t k_tail_lines = 20;
constexpr double k_heartbeat_s = 30;

/// The last lines, indented.
std::string indented_tail(std::string_view text, bool complete_start) {
    std::vector<std::string_view> lines =
        split(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text, '\n');
    const std::size_t skip = lines.size() > k_tail_lines ? lines.size() - k_tail_lines : 0;
    std::string out = skip > 0 || !complete_start ? "\n    | ..." : "";
    for (std::size_t i = skip; i < lines.size(); ++i) {
        out += "\n    | " + safe_for_terminal(lines[i]);
    }
    return out;
}

}  // namespace

std::string progress_text(const Plan::Counts& totals) {
    const auto count = [&](TaskState state) { return totals[static_cast<std::size_t>(state)]; };
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < totals.size(); ++i) {
        done += is_terminal(static_cast<TaskState>(i)) ? totals[i] : 0;
    }
    std::string out = fmt::format("{} of {} tasks done, {} running", grouped(done),
                                  grouped(count_all(totals)), grouped(count(TaskState::running)));
    for (const TaskState state :
         {TaskState::retrying, TaskState::failed, TaskState::caught, TaskState::blocked}) {
        if (count(state) > 0) {
            out += fmt::format(", {} {}", grouped(count(state)), state_name(state));
        }
    }
    return out;
}

PlainProgress::PlainProgress(Output& out, Clock& clock, LogTail tail, Settings settings)
    : out_(out),
      clock_(clock),
      tail_(std::move(tail)),
      settings_(settings),
      budget_(k_most_spare_lines),
      budget_at_(clock.steady_seconds()),
      next_progress_(budget_at_ + settings.interval_s),
      ended_at_(budget_at_) {}

void PlainProgress::line(const std::string& text) {
    out_.say(fmt::format("{} {}", out_.err_style().faint(clock_text(clock_.now())), text));
}

void PlainProgress::spare_line(const std::string& text) {
    const double now = clock_.steady_seconds();
    budget_ = std::min(k_most_spare_lines, budget_ + (now - budget_at_) * k_spare_lines_a_second);
    budget_at_ = now;
    // Lines that are left out count, too: a flood is over when it really is, not when a line would fit in
    // again.
    flooded_ = budget_ < 1 || (flooded_ && budget_ < k_most_spare_lines / 2);
    budget_ = std::max(0.0, budget_ - 1);
    if (settings_.quiet) {
        return;
    }
    if (flooded_) {
        ++left_out_;
        return;
    }
    line(text);
}

void PlainProgress::run_started(const std::string& run, bool resumed) {
    run_ = run;
    if (settings_.print_id) {
        out_.result(run + "\n");
        out_.flush();
    }
    if (!settings_.quiet) {
        line(fmt::format("run {} {}", out_.err_style().bold(run), resumed ? "goes on" : "started"));
    }
}

void PlainProgress::note(const std::string& text) {
    if (!settings_.quiet) {
        line(fmt::format("note: {}", printable(text)));
    }
}

void PlainProgress::task_queued(const TaskName& task, const std::string& reason) {
    spare_line(fmt::format("{} queued: {}", printable(task.text()), printable(reason)));
}

void PlainProgress::task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) {
    const std::string again = attempt > 1 ? fmt::format(", attempt {}", attempt) : "";
    const std::string place = where.empty() ? "" : " on " + printable(where);
    spare_line(fmt::format("{} started{}{}", printable(task.text()), place, again));
}

void PlainProgress::task_ended(const AttemptResult& result, TaskState state,
                               std::optional<Timestamp> retry_at) {
    ++ended_;
    if (result.succeeded() && !is_terminal(state)) {
        state = TaskState::succeeded;  // a round: what comes of it is not decided yet
    }
    if (state != TaskState::succeeded && state != TaskState::cancelled) {
        failure(result, state, retry_at);
        return;
    }
    const std::string word(state_name(state));
    const bool ran = result.exit >= 0 || result.signal != 0;
    const std::string took = ran ? " after " + duration_text(result.ended.seconds_since(result.started)) : "";
    spare_line(
        fmt::format("{} {}{}", printable(result.task.text()), out_.err_style().state(word, word), took));
}

void PlainProgress::failure(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) {
    const std::string word = state == TaskState::retrying ? "failed" : std::string(state_name(state));
    std::string text = fmt::format("{} {}: {}", printable(result.task.text()),
                                   out_.err_style().state(word, word), printable(failure_text(result)));
    if (retry_at) {
        const double wait = std::max(0.0, retry_at->seconds_since(clock_.now()));
        text += fmt::format("; attempt {} {}", result.attempt + 1,
                            wait < 0.05 ? "follows" : "follows in " + duration_text(wait));
    }
    if (!result.log.empty() && tail_ && tails_told_ < k_most_tails) {
        ++tails_told_;
        const std::string tail = tail_(result);
        if (!tail.empty()) {
            text += indented_tail(tail, tail.size() >= result.log_bytes);
        }
    }
    line(text);
    if (state == TaskState::failed) {
        out_.say(fmt::format("    log: amp logs {}", printable(task_reference(run_, result.task))));
    }
}

void PlainProgress::task_skipped(const TaskName& task) {
    spare_line(printable(task.text()) + " skipped");
}

void PlainProgress::task_reused(const TaskName& task) {
    spare_line(printable(task.text()) + " reused from the earlier run");
}

void PlainProgress::progress(const Plan& plan) {
    const double now = clock_.steady_seconds();
    // While all is told line by line, a sign of life now and then is enough.
    const bool silent = left_out_ == left_out_before_ && now < ended_at_ + k_heartbeat_s;
    if (settings_.quiet || now < next_progress_ || silent) {
        return;
    }
    const double seconds = now - ended_at_;
    const double rate = seconds > 0 ? static_cast<double>(ended_) / seconds : 0;
    line(progress_text(plan.totals()) + (rate >= 1 ? fmt::format(", {:.0f} a second", rate) : ""));
    next_progress_ = now + settings_.interval_s;
    left_out_before_ = left_out_;
    ended_ = 0;
    ended_at_ = now;
}

void PlainProgress::run_ended(RunState state, bool interrupted) {
    if (settings_.quiet && (state == RunState::succeeded)) {
        return;
    }
    const std::string word = interrupted ? "interrupted" : std::string(state_name(state));
    if (left_out_ > 0 && !settings_.quiet) {
        line(fmt::format("({} lines left out; 'amp show {}' has them all)", grouped(left_out_), run_));
    }
    line(fmt::format("run {} {}", run_, out_.err_style().state(word, word)));
    if (interrupted) {
        out_.say(fmt::format("    go on with: amp resume {}", run_));
    }
}

}  // namespace amp
