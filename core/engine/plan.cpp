#include "core/engine/plan.hpp"

#include "core/engine/plan_impl.hpp"

namespace amp {

std::string_view state_name(TaskState state) {
    static constexpr std::array<std::string_view, k_task_states> k_names = {
        "waiting", "ready",  "queued",  "running", "retrying", "succeeded",
        "failed",  "caught", "skipped", "cached",  "blocked",  "cancelled"};
    return k_names.at(static_cast<std::size_t>(state));
}

bool is_terminal(TaskState state) {
    return state >= TaskState::succeeded;
}

std::string_view state_name(RunState state) {
    static constexpr std::array<std::string_view, 5> k_names = {"pending", "running", "succeeded", "failed",
                                                                "cancelled"};
    return k_names.at(static_cast<std::size_t>(state));
}

Plan::Plan(const Graph& graph, PlanOptions options) : impl_(std::make_unique<Impl>(graph, options)) {}
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;

bool Plan::apply(const PlanEvent& event, Timestamp at) {
    const bool fits = std::visit([&](const auto& e) { return impl_->on(e, at); }, event);
    if (fits) {
        impl_->note_event();
        impl_->drain();
    }
    return fits;
}

void Plan::advance(Timestamp now) {
    impl_->advance(now);
}
std::optional<Timestamp> Plan::next_due() const {
    return impl_->next_due();
}
std::optional<Timestamp> Plan::due(TaskId task) const {
    return impl_->due(task);
}
std::vector<Question> Plan::take_questions(std::size_t max) {
    return impl_->take_questions(max);
}
std::vector<TaskId> Plan::take_ready(std::size_t max) {
    return impl_->take_ready(max);
}
std::vector<TaskId> Plan::take_cancels() {
    return impl_->take_cancels();
}

RunState Plan::state() const {
    return impl_->state();
}
bool Plan::stopping() const {
    return impl_->stopping();
}
bool Plan::cleaning_up() const {
    return impl_->cleaning_up();
}

std::size_t Plan::task_count() const {
    return impl_->frames().size();
}
bool Plan::is_task(TaskId task) const {
    return !impl_->frames().cell(task).expanded;
}
StepId Plan::step(TaskId task) const {
    return impl_->step_of(task);
}
TaskIndex Plan::index(TaskId task) const {
    return impl_->index(task);
}
TaskState Plan::state(TaskId task) const {
    return impl_->frames().cell(task).state;
}
std::uint32_t Plan::attempt(TaskId task) const {
    return impl_->next_attempt(task);
}
std::uint32_t Plan::oom_count(TaskId task) const {
    return impl_->frames().cell(task).ooms;
}
Cause Plan::cause(TaskId task) const {
    return static_cast<Cause>(impl_->frames().cell(task).cause);
}

std::optional<TaskId> Plan::find(StepId step, const TaskIndex& index) const {
    const auto task = impl_->frames().locate(step, index.path);
    return task && is_task(*task) ? task : std::nullopt;
}

std::optional<std::uint32_t> Plan::item_count(StepId step, const TaskIndex& around) const {
    return impl_->item_count(step, around);
}

const Plan::Counts& Plan::counts(StepId step) const {
    return impl_->counts(step);
}
const Graph& Plan::graph() const {
    return impl_->graph();
}

Plan::Counts Plan::totals() const {
    return impl_->totals();
}

bool Plan::has_failed(StepId step, const TaskIndex& index, std::optional<StepId> of) const {
    return impl_->has_failed(step, index, of);
}

}  // namespace amp
