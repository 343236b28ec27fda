#include "core/run/task_router.hpp"

#include <utility>

namespace amp {
namespace {

constexpr int k_first = 2'000'000;  // who goes on, before those who begin
constexpr std::size_t k_window_a_worker = 4;
constexpr std::size_t k_window_more = 16;
/// No step has it in its name.
constexpr char k_run_end = '\n';

}  // namespace

void TreeSlots::hand_out(double now) {
    while (auto key = queue_.take(now)) {
        const std::size_t at = key->task.step.find(k_run_end);
        const auto router = routers_.find(key->task.step.substr(0, at));
        key->task.step.erase(0, at + 1);
        TaskRouter& owner = *router->second;
        if (owner.lent_.contains(*key)) {
            owner.returned(*key);
            continue;
        }
        const auto found = owner.waiting_.find(*key);
        owner.occupied_[*key] = total_resources(found->second);
        owner.taken_.push_back(std::move(found->second));
        owner.waiting_.erase(found);
    }
}

TaskRouter::TaskRouter(std::string run, std::unique_ptr<Backend> real, TreeSlots* slots, Clock& clock,
                       Questions questions)
    : run_(std::move(run)),
      real_(std::move(real)),
      slots_(nullptr),
      clock_(clock),
      questions_(std::move(questions)) {
    if (slots != nullptr) {
        share(*slots);
    }
}

TaskRouter::~TaskRouter() {
    release_all();
    if (slots_ != nullptr) {
        slots_->routers_.erase(run_);
    }
}

void TaskRouter::share(TreeSlots& slots) {
    if (slots_ != nullptr) {
        return;
    }
    slots_ = &slots;
    slots_->routers_[run_] = this;
    for (const auto& [id, need] : occupied_) {
        slots_->queue_.occupy(need);
    }
}

/// Of shared slots all runs have their part: some more than can be taken at once are enough.
std::size_t TaskRouter::window() {
    return slots_ == nullptr ? real_->window() : k_window_a_worker * slots_->workers_ + k_window_more;
}

AttemptId TaskRouter::key_of(AttemptId id) const {
    id.task.step = run_ + k_run_end + id.task.step;
    return id;
}

/// What runs already counts too.
Adoption TaskRouter::adopt() {
    Adoption found = real_->adopt();
    for (const AttemptStarted& running : found.running) {
        if (const auto need = questions_.need_of(running.id)) {
            occupy(running.id, *need);
        }
    }
    return found;
}

void TaskRouter::submit(std::span<const TaskSpec> specs) {
    if (slots_ == nullptr) {
        for (const TaskSpec& spec : specs) {
            if (spec.profile.empty()) {
                occupy({spec.task, spec.attempt}, total_resources(spec));
            }
        }
        real_->submit(specs);
        return;
    }
    for (const TaskSpec& spec : specs) {
        const AttemptId id{spec.task, spec.attempt};
        if (!spec.profile.empty()) {  // no slot of this machine's
            taken_.push_back(spec);
            continue;
        }
        if (occupied_.contains(id) || waiting_.contains(id)) {
            continue;
        }
        const Resources need = total_resources(spec);
        if (const std::string problem = slots_->queue_.impossible(need); !problem.empty()) {
            AttemptResult result;
            result.task = id.task;
            result.attempt = id.attempt;
            result.cause = Cause::quota;
            result.exit = -1;
            result.message = problem;
            result.started = result.ended = clock_.now();
            told_.emplace_back(AttemptEnded{std::move(result)});
            continue;
        }
        slots_->queue_.push(key_of(id), need, spec.priority, clock_.steady_seconds());
        waiting_.emplace(id, spec);
    }
    flush_taken();
}

void TaskRouter::flush_taken() {
    if (!taken_.empty()) {
        real_->submit(std::exchange(taken_, {}));
    }
}

std::vector<AttemptId> TaskRouter::own(std::span<const AttemptId> attempts) {
    std::vector<AttemptId> rest;
    for (const AttemptId& id : attempts) {
        if (children_.contains(id)) {
            questions_.end_child(id);
        } else if (waiting_.erase(id) != 0) {
            slots_->queue_.remove(key_of(id));
            AttemptResult result;
            result.task = id.task;
            result.attempt = id.attempt;
            result.cause = Cause::cancelled;
            result.exit = -1;
            result.message = "cancelled before it started";
            result.started = result.ended = clock_.now();
            told_.emplace_back(AttemptEnded{std::move(result)});
        } else {
            rest.push_back(id);
        }
    }
    return rest;
}

void TaskRouter::cancel(std::span<const AttemptId> attempts) {
    real_->cancel(own(attempts));
}

void TaskRouter::kill(std::span<const AttemptId> attempts) {
    real_->kill(own(attempts));
}

std::vector<BackendEvent> TaskRouter::events() {
    std::vector<BackendEvent> out = real_->events();
    for (const BackendEvent& event : out) {
        note(event);
    }
    for (BackendEvent& event : std::exchange(told_, {})) {
        if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
            children_.erase({ended->result.task, ended->result.attempt});
        }
        out.push_back(std::move(event));
    }
    return out;
}

void TaskRouter::note(const BackendEvent& event) {
    if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
        release({ended->result.task, ended->result.attempt});
    } else if (const auto* lost = std::get_if<BackendLost>(&event)) {
        if (!lost->held) {
            release_all();  // the driver submits again what had not started
            return;
        }
        for (const AttemptId& id : *lost->held) {
            release(id);
        }
    }
}

void TaskRouter::occupy(const AttemptId& id, const Resources& need) {
    if (occupied_.emplace(id, need).second && slots_ != nullptr) {
        slots_->queue_.occupy(need);
    }
}

void TaskRouter::lend(const AttemptId& id) {
    const auto found = occupied_.find(id);
    if (found == occupied_.end() || slots_ == nullptr) {
        return;
    }
    const auto [lent, first] = lent_.try_emplace(id);
    ++lent->second.waits;
    if (first) {
        slots_->queue_.release({found->second.cpu, 0, 0});
    }
}

void TaskRouter::take_back(const AttemptId& id, std::function<void()> then) {
    const auto found = lent_.find(id);
    if (found == lent_.end() || --found->second.waits > 0) {
        then();
        return;
    }
    if (found->second.on_return.empty()) {
        slots_->queue_.push(key_of(id), {occupied_.at(id).cpu, 0, 0}, k_first, clock_.steady_seconds());
    }
    found->second.on_return.push_back(std::move(then));
}

void TaskRouter::returned(const AttemptId& id) {
    const auto lent = lent_.find(id);
    const auto waited = std::exchange(lent->second.on_return, {});
    if (lent->second.waits > 0) {  // begun meanwhile by another of its processes
        slots_->queue_.release({occupied_.at(id).cpu, 0, 0});
    } else {
        lent_.erase(lent);
    }
    for (const auto& then : waited) {
        then();
    }
}

void TaskRouter::release(const AttemptId& id) {
    if (const auto found = occupied_.find(id); found != occupied_.end()) {
        if (lent_.erase(id) != 0) {
            slots_->queue_.remove(key_of(id));
            slots_->queue_.occupy({found->second.cpu, 0, 0});
        }
        if (slots_ != nullptr) {
            slots_->queue_.release(found->second);
        }
        occupied_.erase(found);
    }
}

void TaskRouter::release_all() {
    while (!occupied_.empty()) {
        release(AttemptId(occupied_.begin()->first));
    }
    for (const auto& [id, spec] : std::exchange(waiting_, {})) {
        slots_->queue_.remove(key_of(id));
    }
    taken_.clear();
}

}  // namespace amp
