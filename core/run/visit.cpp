#include "core/run/visit.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/run/task_text.hpp"

namespace amp {
namespace {

constexpr double k_beat_s = 10;   // how often who is inside says so
constexpr double k_stays_s = 30;  // how long that counts

}  // namespace

Visit::Visit(Services& services, const OpenStore& store, std::string run, std::string task)
    : services_(services), store_(store), run_(std::move(run)), task_(std::move(task)) {
    beat();
}

void Visit::beat() {
    const Timestamp now = services_.clock.now();
    const bool due = now.seconds_since(said_) >= k_beat_s;
    if (!read_hold(*store_.objects, run_, task_) ||
        (due && !stay_inside(*store_.objects, run_, task_, now.plus_seconds(k_stays_s)))) {
        throw Error(ExitCode::not_found,
                    fmt::format("the place of {} is held no longer", task_text(TaskName::parse(task_))), run_,
                    fmt::format("the run was cancelled, or its time is over; `amp show {}`", run_));
    }
    said_ = due ? now : said_;
}

bool Visit::leave() const {
    const auto hold = read_hold(*store_.objects, run_, task_);
    if (hold && services_.clock.now() < hold->until) {
        return false;
    }
    end_hold(*store_.objects, run_, task_);
    return true;
}

}  // namespace amp
