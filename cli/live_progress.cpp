#include "cli/live_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "cli/run_text.hpp"
#include "cli/table.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr double k_frame_s = 0.1;
constexpr double k_slow_frame_s = 0.5;  // where a frame costs more, or is sent through a notebook
constexpr std::size_t k_many_steps = 500;
constexpr double k_clock_s = 1;
constexpr double k_question_s = 1;        // between two looks at what tasks tell
constexpr double k_question_price = 200;  // and that many times what a look takes
constexpr std::size_t k_most_tasks = 50;  // of which a frame can tell

std::uint64_t in_state(const Plan::Counts& counts, TaskState state) {
    return counts[static_cast<std::size_t>(state)];
}

/// Has anything of it begun, or could? A step that never comes is not worth a line.
bool is_told(const Plan::Counts& counts) {
    return count_all(counts) > in_state(counts, TaskState::waiting) + in_state(counts, TaskState::skipped) +
                                   in_state(counts, TaskState::blocked);
}

StepProgress counted(const Plan::Counts& counts) {
    StepProgress out;
    out.done = count_done(counts);
    out.all = count_all(counts);
    out.running = in_state(counts, TaskState::running);
    out.failed = in_state(counts, TaskState::failed);
    return out;
}

}  // namespace

LiveProgress::LiveProgress(Output& out, Clock& clock, LogTail tail, Settings settings, View view,
                           std::unique_ptr<LiveTerminal> terminal, Told told)
    : PlainProgress(out, clock, std::move(tail), std::move(settings)),
      view_(view),
      terminal_(std::move(terminal)),
      told_(std::move(told)),
      screen_(view.single_line),
      next_frame_(clock.steady_seconds()),
      next_second_(next_frame_),
      next_question_(next_frame_) {
    out.set_overlay([this](std::string_view text) {
        forget_if_foreign();
        return text.empty() ? clear() : pass(text);
    });
}

std::string LiveProgress::pass(std::string_view text) {
    pending_ += text;
    const double now = steady();
    changed_ = true;  // so that a frame comes
    if (screen_.shows() && now < next_frame_) {
        return "";
    }
    if (view_.single_line || !screen_.shows()) {  // a notebook keeps each line that was drawn: none is stale
        return clear();
    }
    next_frame_ = now + k_frame_s;
    return screen_.above(std::exchange(pending_, {}));
}

std::string LiveProgress::clear() {
    return screen_.erase() + std::exchange(pending_, {});
}

LiveProgress::~LiveProgress() {
    forget_if_foreign();
    out().set_overlay({});
    out().draw(clear());
}

void LiveProgress::forget_if_foreign() {
    if (terminal_->was_stopped() || !terminal_->is_ours()) {
        screen_.forget();
    }
}

void LiveProgress::run_attached(const std::string& run, const Plan& plan) {
    PlainProgress::run_attached(run, plan);
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task) && plan.state(task) == TaskState::running) {
            const TaskName name{plan.graph().nodes[plan.step(task)].name, plan.index(task)};
            running_[name] = {-1, plan.attempt(task), {}};
        }
    }
}

void LiveProgress::run_started(const std::string& run, bool resumed) {
    PlainProgress::run_started(run, resumed);
    pace_.start(steady());
}

void LiveProgress::task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) {
    const double now = steady();
    running_[task] = {now, attempt, where == settings().host ? std::string() : where};
    Step& step = step_of(task.step);
    step.began = step.began < 0 ? now : step.began;
    step.pace.start(now);
    pace_.start(now);
    changed_ = true;
}

void LiveProgress::task_ended(const AttemptResult& result, TaskState state,
                              std::optional<Timestamp> retry_at) {
    const double now = steady();
    running_.erase(result.task);
    Step& step = step_of(result.task.step);
    step.ended = now;
    if (state != TaskState::retrying && state != TaskState::cancelled) {
        const double took_s = std::max(0.0, result.ended.seconds_since(result.started));
        step.pace.end(now, took_s);
        pace_.end(now, took_s);
    }
    if (state == TaskState::retrying && retry_at && retry_at->seconds_since(result.ended) >= k_clock_s) {
        waiting_[result.task] = {
            now, fmt::format("attempt {} follows at {}", result.attempt + 1, clock_text(*retry_at))};
    }
    changed_ = true;
    PlainProgress::task_ended(result, state, retry_at);
}

void LiveProgress::task_waits(const TaskName& task, const std::string& what) {
    waiting_[task] = {steady(), "waits for " + what};
    changed_ = true;
    PlainProgress::task_waits(task, what);
}

void LiveProgress::progress(const Plan& plan) {
    const double now = steady();
    if ((changed_ && now >= next_frame_) || now >= next_second_) {
        draw(plan, now);
    }
}

double LiveProgress::patience_s() {
    const double left_s = (changed_ ? std::min(next_frame_, next_second_) : next_second_) - steady();
    return left_s > 0 ? left_s : k_clock_s;  // overdue where nobody asks for progress: before the run begins
}

void LiveProgress::draw(const Plan& plan, double now) {
    const bool slow = view_.single_line || plan.graph().nodes.size() > k_many_steps;
    next_frame_ = now + (slow ? k_slow_frame_s : k_frame_s);
    next_second_ = now + k_clock_s;
    changed_ = false;
    out().flush();
    forget_if_foreign();
    const std::string lines = pending_.empty() ? "" : clear();
    if (!terminal_->is_ours() || !terminal_->takes_more()) {
        out().draw(lines);
        return;
    }
    ask_tasks(now);
    const FrameSize size = terminal_->size();
    const RunProgress frame = snapshot(plan, now);
    const Style style = out().err_style();
    out().draw(lines +
               (view_.single_line
                    ? screen_.draw({style.cyan(live_line(frame, size.columns, view_.unicode))}, size.columns)
                    : screen_.draw(live_frame(frame, size, style, view_.unicode, widths_), size.columns)));
}

LiveProgress::SpentByStep LiveProgress::spent_by_step(double now) const {
    SpentByStep out;
    for (const auto& [task, running] : running_) {
        const auto step = steps_.find(task.step);
        if (step != steps_.end() && running.since >= 0) {
            out[task.step] += std::min(now - running.since, step->second.pace.each_s());
        }
    }
    return out;
}

StepProgress LiveProgress::step_progress(const Plan& plan, StepId step, double now, double spent_s) const {
    StepProgress out = counted(plan.counts(step));
    const std::string& name = plan.graph().nodes[step].name;
    out.name = printable(name);
    const auto known = steps_.find(name);
    if (known == steps_.end()) {
        return out;
    }
    const Step& seen = known->second;
    const bool done = out.done == out.all;
    out.rate = seen.pace.rate();
    if (seen.began >= 0) {
        out.took_s = (done ? seen.ended : now) - seen.began;
    }
    const std::uint64_t left = out.all - out.done;
    const double work_s = static_cast<double>(left) * seen.pace.each_s() - spent_s;
    out.left_s = out.running > 0 ? seen.pace.left_s(work_s, left, out.running) : -1;
    return out;
}

/// From the steps that have data; below 0 when most of what is left is of others.
double LiveProgress::total_left_s(const Plan& plan, const SpentByStep& spent, std::uint64_t running) const {
    double work_s = 0;
    std::uint64_t known = 0;
    std::uint64_t unknown = 0;
    for (StepId step = 0; step < plan.graph().nodes.size(); ++step) {
        const Plan::Counts& counts = plan.counts(step);
        const std::uint64_t left = count_all(counts) - count_done(counts);
        if (left == 0) {
            continue;
        }
        const std::string& name = plan.graph().nodes[step].name;
        const auto seen = steps_.find(name);
        if (seen == steps_.end() || !seen->second.pace.known()) {
            unknown += left;
            continue;
        }
        known += left;
        const auto past = spent.find(name);
        work_s +=
            static_cast<double>(left) * seen->second.pace.each_s() - (past == spent.end() ? 0 : past->second);
    }
    if (running == 0 || unknown > known) {
        return -1;
    }
    work_s += static_cast<double>(unknown) * pace_.each_s();
    return pace_.left_s(work_s, known + unknown, running);
}

RunProgress LiveProgress::snapshot(const Plan& plan, double now) {
    RunProgress out;
    const auto spent = spent_by_step(now);
    for (const StepId step : plan.graph().order) {
        if (!is_told(plan.counts(step))) {
            continue;
        }
        const auto past = spent.find(plan.graph().nodes[step].name);
        out.steps.push_back(step_progress(plan, step, now, past == spent.end() ? 0 : past->second));
    }
    out.total = counted(plan.totals());
    out.total.name = "total";
    out.total.rate = pace_.rate();
    out.total.took_s = began() < 0 ? -1 : now - began();
    out.total.left_s = total_left_s(plan, spent, out.total.running);
    for (StepProgress& step : out.steps) {  // it gets those workers, too, that other steps have now
        step.left_s = out.total.left_s < 0 ? step.left_s : std::min(step.left_s, out.total.left_s);
    }
    add_running(out, now);
    add_waiting(out, plan, now);
    return out;
}

std::vector<const LiveProgress::RunningTask*> LiveProgress::longest_running() const {
    std::vector<const RunningTask*> all;
    all.reserve(running_.size());
    for (const RunningTask& entry : running_) {
        all.push_back(&entry);
    }
    const std::size_t told = std::min(all.size(), k_most_tasks);
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(told), all.end(),
                      [](const RunningTask* a, const RunningTask* b) {
                          return std::tie(a->second.since, a->first) < std::tie(b->second.since, b->first);
                      });
    all.resize(told);
    return all;
}

void LiveProgress::add_running(RunProgress& out, double now) const {
    for (const RunningTask* task : longest_running()) {
        const Running& running = task->second;
        TaskProgressLine line;
        line.name = one_line(task_text(task->first));
        line.took_s = running.since < 0 ? -1 : now - running.since;
        line.attempt = running.attempt;
        line.where = one_line(running.where);
        if (running.report && running.report->progress) {
            line.done = running.report->progress->done;
            line.text = one_line(running.report->progress->text);
        }
        out.tasks.push_back(std::move(line));
    }
}

/// Nobody tells when a wait is over: the plan knows.
void LiveProgress::add_waiting(RunProgress& out, const Plan& plan, double now) {
    std::erase_if(waiting_, [&](const auto& entry) {
        const StepId step = plan.graph().id(entry.first.step);
        const auto task =
            step < plan.graph().nodes.size() ? plan.find(step, entry.first.index) : std::nullopt;
        const TaskState state = task ? plan.state(*task) : TaskState::succeeded;
        return state != TaskState::waiting && state != TaskState::retrying;
    });
    out.waiting = waiting_.size();
    for (const auto& [task, wait] : waiting_) {
        if (out.tasks.size() == k_most_tasks) {
            break;
        }
        TaskProgressLine line;
        line.name = one_line(task_text(task));
        line.took_s = now - wait.since;
        line.text = one_line(wait.what);
        out.tasks.push_back(std::move(line));
    }
}

void LiveProgress::ask_tasks(double now) {
    if (!told_ || view_.single_line || now < next_question_) {
        return;
    }
    std::set<AttemptKey> asked;
    for (const RunningTask* task : longest_running()) {
        if (now - task->second.since > k_question_s) {
            asked.emplace(task->first, task->second.attempt);
        }
    }
    if (!asked.empty()) {
        for (auto& [attempt, report] : told_(run(), asked)) {
            running_[attempt.first].report = report;
        }
    }
    const double cost_s = steady() - now;
    next_question_ = now + k_question_s + k_question_price * cost_s;
}

void LiveProgress::run_ended(RunState state, bool interrupted, const Plan* plan) {
    forget_if_foreign();
    out().set_overlay({});
    out().draw(clear());
    if (plan != nullptr && view_.single_line && !settings().quiet) {
        Table table({{"STEP"}, {"TASKS", Table::Align::right}, {"STATES"}});
        for (const StepId step : plan->graph().order) {
            const Plan::Counts& counts = plan->counts(step);
            table.add({plan->graph().nodes[step].name, grouped(count_all(counts)), counts_text(counts)});
        }
        std::string text = table.text(out().presentation());
        text.pop_back();
        out().say(text);
    }
    PlainProgress::run_ended(state, interrupted, plan);
    if (!interrupted && state == RunState::succeeded) {
        out().say("    see what it did: amp show " + run());
    }
}

}  // namespace amp
