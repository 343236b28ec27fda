// Places of tasks that have failed: kept for people, while the rest of the run goes on.

#include <fmt/format.h>

#include "core/run/driver.hpp"
#include "core/run/task_text.hpp"

namespace amp {
namespace {

std::string clock_of(Timestamp time) {
    return format_time(time).substr(11, 8) + " UTC";
}

}  // namespace

/// Of an attempt that has ended: its backend keeps the place of each that has failed, until it hears that the
/// task is tried again, or that its time is over.
void Driver::keep_place(const AttemptResult& result, TaskState state, const InFlight& flight) {
    if (result.succeeded() || !flight.started || flight.child) {
        return;
    }
    const AttemptId id{result.task, result.attempt};
    const bool there = flight.holds && result.cause != Cause::cancelled && result.cause != Cause::lost;
    if (!there || state != TaskState::failed || stop_ != Stop::none || cancelled_) {
        freed_.push_back(id);
        return;
    }
    const Hold hold{id.task.text(), id.attempt, flight.profile, now().plus_seconds(hold_s_), {}};
    holds_.add(hold);
    news_.emplace_back([this, hold] {
        const std::string task = task_text(TaskName::parse(hold.task));
        observer_.note(fmt::format("the place of {} is held until {}: amp shell {}/{}", task,
                                   clock_of(hold.until), data_.record().run, task));
    });
}

void Driver::watch_holds() {
    for (AttemptId& id : holds_.look()) {
        news_.emplace_back([this, task = id.task] {
            observer_.note(fmt::format("the place of {} is free again", task_text(task)));
        });
        freed_.push_back(std::move(id));
    }
}

void Driver::end_holds() {
    for (AttemptId& id : holds_.end_all()) {
        freed_.push_back(std::move(id));
    }
    send_freed();
}

void Driver::send_freed() {
    if (!freed_.empty()) {
        backend_.cancel(freed_);
        freed_.clear();
    }
}

/// When nothing else is left of the run, whoever interrupts it has no use for them any more.
bool Driver::interrupts_holds() {
    if (holds_.empty() || !data_.plan().ended() || !in_flight_.empty()) {
        return false;
    }
    news_.emplace_back([this] { observer_.note("interrupted: what was held is free again"); });
    end_holds();
    return true;
}

}  // namespace amp
