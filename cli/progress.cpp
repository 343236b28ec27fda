#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/run_text.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_most_spare_lines = 60;     // at once
constexpr double k_spare_lines_a_second = 6;  // in the long run
constexpr std::uint64_t k_most_tails = 20;    // logs of failures told whole
constexpr std::size_t k_tail_lines = 20;
constexpr std::size_t k_retry_lines = 5;   // of an attempt that another one follows
constexpr std::size_t k_answers_told = 5;  // how to approve is known by then
constexpr std::size_t k_failures_named = 5;

std::uint64_t count(const Plan::Counts& counts, TaskState state) {
    return counts[static_cast<std::size_t>(state)];
}

}  // namespace

std::uint64_t count_done(const Plan::Counts& counts) {
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        done += is_terminal(static_cast<TaskState>(i)) ? counts[i] : 0;
    }
    return done;
}

std::string progress_text(const Plan::Counts& totals) {
    std::string out = fmt::format("{} of {} tasks done, {} running", grouped(count_done(totals)),
                                  grouped(count_all(totals)), grouped(count(totals, TaskState::running)));
    for (const TaskState state :
         {TaskState::retrying, TaskState::failed, TaskState::caught, TaskState::blocked}) {
        if (count(totals, state) > 0) {
            out += fmt::format(", {} {}", grouped(count(totals, state)), state_name(state));
        }
    }
    return out;
}

PlainProgress::PlainProgress(Output& out, Clock& clock, LogTail tail, Settings settings)
    : out_(out),
      clock_(clock),
      tail_(std::move(tail)),
      settings_(std::move(settings)),
      budget_(k_most_spare_lines),
      budget_at_(clock.steady_seconds()),
      next_progress_(budget_at_ + settings_.interval_s),
      said_at_(budget_at_),
      ended_at_(budget_at_) {}

void PlainProgress::line(const std::string& text) {
    said_at_ = clock_.steady_seconds();
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

void PlainProgress::name_run(const std::string& run) {
    if (run_ == run) {
        return;
    }
    run_ = run;
    if (settings_.print_id) {
        out_.result(run + "\n");
        out_.flush();
    }
}

void PlainProgress::run_waits(const std::string& run, const std::string& behind) {
    name_run(run);
    if (!settings_.quiet) {
        line(fmt::format("run {} waits until run {} has ended", out_.err_style().bold(run), behind));
    }
}

void PlainProgress::run_attached(const std::string& run, const Plan& plan) {
    name_run(run);
    if (!settings_.quiet) {
        line(fmt::format("run {}: {}", out_.err_style().bold(run), progress_text(plan.totals())));
    }
}

void PlainProgress::run_started(const std::string& run, bool resumed) {
    name_run(run);
    began_ = clock_.steady_seconds();
    if (!settings_.quiet) {
        line(fmt::format("run {} {}", out_.err_style().bold(run), resumed ? "goes on" : "started"));
    }
}

void PlainProgress::note(const std::string& text) {
    if (!settings_.quiet) {
        line((text.starts_with("warning") ? "" : "note: ") + printable(text));
    }
}

void PlainProgress::task_queued(const TaskName& task, const std::string& reason) {
    spare_line(fmt::format("{} queued: {}", printable(task_text(task)), printable(reason)));
}

void PlainProgress::task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) {
    const std::string again = attempt > 1 ? fmt::format(", attempt {}", attempt) : "";
    std::string place;
    if (!where.empty() && where != settings_.host) {
        place = " on " + printable(where);
        places_[task] = place;
    }
    spare_line(fmt::format("{} started{}{}", printable(task_text(task)), place, again));
}

void PlainProgress::task_ended(const AttemptResult& result, TaskState state,
                               std::optional<Timestamp> retry_at) {
    ++ended_;
    touched_.insert(result.task.step);
    if (result.succeeded() && !is_terminal(state)) {
        state = TaskState::succeeded;  // a round: what comes of it is not decided yet
    }
    if (state != TaskState::succeeded && state != TaskState::cancelled) {
        failure(result, state, retry_at);
        places_.erase(result.task);
        return;
    }
    places_.erase(result.task);
    const std::string word(state_name(state));
    const bool ran = result.exit >= 0 || result.signal != 0;
    const std::string took = ran ? " after " + duration_text(result.ended.seconds_since(result.started)) : "";
    spare_line(
        fmt::format("{} {}{}", printable(task_text(result.task)), out_.err_style().state(word, word), took));
}

void PlainProgress::failure(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) {
    const std::string word = state == TaskState::retrying ? "failed" : std::string(state_name(state));
    std::string text = fmt::format("{} {}: {}", printable(task_text(result.task)),
                                   out_.err_style().state(word, word), printable(failure_text(result)));
    if (const auto place = places_.find(result.task); place != places_.end()) {
        text += place->second;
    }
    if (retry_at) {
        const double wait = std::max(0.0, retry_at->seconds_since(clock_.now()));
        text += fmt::format("; attempt {} {}", result.attempt + 1,
                            wait < 0.05 ? "follows" : "follows in " + duration_text(wait));
    }
    said_at_ = clock_.steady_seconds();
    // One piece: what stands at the bottom of a terminal is drawn again once. The task's own words stay.
    std::string whole =
        out_.worded(fmt::format("{} {}", out_.err_style().faint(clock_text(clock_.now())), text));
    whole += tail_text(result, state == TaskState::retrying ? k_retry_lines : k_tail_lines);
    if (state == TaskState::failed) {
        whole += out_.worded(failure_commands(result));
    }
    out_.say_worded(whole);
}

/// Lines, each behind a newline. Of a sub-flow: of the task below that failed, or its run.
std::string PlainProgress::failure_commands(const AttemptResult& result) {
    const bool named = failures_.size() < k_failures_named;  // later on it is known how to replay
    if (named) {
        failures_.push_back({task_text(result.task), failure_text(result)});
    }
    const Style style = out_.err_style();
    const std::string below = settings_.failed_below ? settings_.failed_below(run_, result.task) : "";
    const std::string name = printable(below.empty() ? task_reference(run_, result.task) : task_text(below));
    if (!below.empty() && below.find('/') == std::string::npos) {
        return "\n    " + style.faint("run:    ") + "amp show " + name;
    }
    return "\n    " + style.faint("log:    ") + "amp logs " + name +
           (named ? "\n    " + style.faint("replay: ") + "amp replay " + name : "");
}

void PlainProgress::task_had_failed(const AttemptResult& result) {
    if (told_before_++ < k_most_tails) {
        failure(result, TaskState::failed, std::nullopt);
    }
}

/// The last lines that it printed, behind a newline.
std::string PlainProgress::tail_text(const AttemptResult& result, std::size_t most) {
    if (tails_told_ == k_most_tails) {
        return "";
    }
    std::string text = indented_tail(tail_, result, most, out_.err_style());
    if (text.empty()) {
        return "";
    }
    ++tails_told_;
    const std::string title = "log of " + printable(task_text(result.task));
    if (settings_.folds == Folds::github) {
        text = fmt::format("::group::{}\n{}\n::endgroup::", title, text);
    } else if (settings_.folds == Folds::gitlab) {
        const std::int64_t now = clock_.now().ms / 1000;
        const std::string name = fmt::format("amp_{}", tails_told_);
        text = fmt::format(
            "\x1b[0Ksection_start:{0}:{1}[collapsed=true]\r\x1b[0K{2}\n{3}\n\x1b[0Ksection_end:{0}:{1}\r\x1b["
            "0K",
            now, name, title, text);
    }
    return "\n" + text;
}

void PlainProgress::task_skipped(const TaskName& task) {
    spare_line(printable(task_text(task)) + " skipped");
}

void PlainProgress::task_reused(const TaskName& task, const std::string& made_by) {
    const std::string run = made_by.substr(0, made_by.find('/'));
    spare_line(printable(task_text(task)) + " reused from " +
               (run.empty() ? "the earlier run" : "run " + run));
}

void PlainProgress::task_waits(const TaskName& task, const std::string& what) {
    if (settings_.quiet) {
        return;
    }
    const bool asks = what == "approval" && answers_told_++ < k_answers_told;
    const std::string text = fmt::format("{} waits for {}", printable(task_text(task)), printable(what));
    if (!asks) {
        spare_line(text);
        return;
    }
    line(text);
    more("answer with: amp approve " + printable(task_reference(run_, task)));
}

/// That a step of several tasks is done: of one task alone its end has said so.
void PlainProgress::tell_steps(const Plan& plan) {
    for (const std::string& name : std::exchange(touched_, {})) {
        const StepId step = plan.graph().id(name);
        if (step >= plan.graph().nodes.size()) {
            continue;
        }
        const Plan::Counts& counts = plan.counts(step);
        const std::uint64_t all = count_all(counts);
        if (all > 1 && count_done(counts) == all && steps_told_.insert(step).second) {
            line(fmt::format("step {} done: {}", printable(name), counts_text(counts)));
        }
    }
}

void PlainProgress::progress(const Plan& plan) {
    if (settings_.quiet) {
        return;
    }
    tell_steps(plan);
    const double now = clock_.steady_seconds();
    // While all is told line by line, a sign of life now and then is enough.
    const bool all_told = left_out_ == left_out_before_;
    if (now < (all_told ? said_at_ + settings_.heartbeat_s : next_progress_)) {
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

double PlainProgress::patience_s() {
    const double left_s = said_at_ + settings_.heartbeat_s - clock_.steady_seconds();
    // Overdue where nobody asks for progress: before the run begins.
    return settings_.quiet || left_s <= 0 ? settings_.interval_s : std::min(settings_.interval_s, left_s);
}

void PlainProgress::tell_failures(std::uint64_t failed) {
    if (failures_.empty()) {
        return;
    }
    failed = std::max<std::uint64_t>(failed, failures_.size());
    const Style style = out_.err_style();
    more(style.red(fmt::format("{} task{} failed:", grouped(failed), failed == 1 ? "" : "s")));
    for (const Failure& failure : failures_) {
        more(fmt::format("  {}: {}", printable(failure.task), printable(failure.why)));
    }
    if (failed > failures_.size()) {
        more(fmt::format("  and {} more: amp show {}", grouped(failed - failures_.size()), run_));
    }
}

void PlainProgress::run_ended(RunState state, bool interrupted, const Plan* plan) {
    if (settings_.quiet && (state == RunState::succeeded)) {
        return;
    }
    const std::string word = interrupted ? "interrupted" : std::string(state_name(state));
    if (left_out_ > 0 && !settings_.quiet) {
        line(fmt::format("({} lines left out; 'amp show {}' has them all)", grouped(left_out_), run_));
    }
    std::string text = fmt::format("run {} {}", run_, out_.err_style().state(word, word));
    if (plan != nullptr) {
        text += began_ < 0 ? "" : " after " + duration_text(clock_.steady_seconds() - began_);
        text += ": " + counts_text(plan->totals());
    }
    line(text);
    tell_failures(plan == nullptr ? 0 : count(plan->totals(), TaskState::failed));
    if (interrupted || state == RunState::failed) {
        more("go on with: amp resume " + run_);
    }
}

}  // namespace amp
