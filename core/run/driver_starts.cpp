// What is handed out, reused, or must be ended.

#include <fmt/format.h>

#include <utility>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/driver.hpp"
#include "core/run/requests.hpp"
#include "core/run/reuse.hpp"
#include "core/run/task_text.hpp"
#include "core/task/checkpoint.hpp"

namespace amp {
namespace {

/// What the store cannot do is no fault of a task: it would fail for good. As it is, a resume goes on with
/// it.
bool is_of_store(const Error& error) {
    return error.code() == ExitCode::store_full || error.code() == ExitCode::infrastructure;
}

}  // namespace

/// True when a task ended without being handed out, so that others may be ready now.
bool Driver::submit_ready() {
    const std::size_t window = backend_.window();
    if (in_flight_.size() >= window) {
        return false;
    }
    bool moved = false;
    std::vector<TaskSpec> specs;
    std::vector<std::pair<TaskSpec, ChildFlow>> children;
    for (const TaskId task : data_.plan().take_ready(window - in_flight_.size())) {
        const bool cleanup = data_.graph().nodes[data_.plan().step(task)].cleanup;
        try {
            if (given_.is_given(data_.plan().step(task))) {
                take_given(task);
                moved = true;
                continue;
            }
            BuiltTask built = builder_.build(task, now(), cleanup ? failures_of(data_) : Value());
            if (end_again(task, built.definition) || reuse(task, built.definition) ||
                reuse_cached(task, built.definition)) {
                moved = true;
                continue;
            }
            if (data_.step(data_.plan().step(task)).only_waits()) {
                end_wait_only(task, built.definition);
                moved = true;
                continue;
            }
            check_inputs(built.spec);
            tell_cuts(built);
            if (built.spec.checkpoint_s > 0 && origin_ != nullptr) {
                take_over_checkpoint(task, built.definition);
            }
            built.spec.hold_s = hold_s_;
            in_flight_[task] = InFlight{std::move(built.definition), false, built.child.has_value(),
                                        hold_s_ > 0, built.spec.profile};
            if (built.child) {
                children.emplace_back(std::move(built.spec), std::move(*built.child));
            } else {
                specs.push_back(std::move(built.spec));
            }
        } catch (const Error& error) {
            if (is_of_store(error)) {
                throw;
            }
            const bool gone = error.code() == ExitCode::not_found;
            fail_before_start(task, gone ? Cause::infra : Cause::user, error.advice());
            moved = true;
        }
    }
    if (!specs.empty()) {
        flush_journal();
        backend_.submit(specs);
    }
    for (const auto& [spec, child] : children) {
        runs_.start(spec, child);
    }
    return moved;
}

void Driver::tell_cuts(const BuiltTask& built) {
    for (const std::string& cut : built.cuts) {
        const std::string text = cut_text(built.spec.task.step, cut);
        if (told_cuts_.insert(text).second) {
            news_.emplace_back([this, text] { observer_.note(text); });
        }
    }
}

/// Where an attempt has failed its inputs may be gone, and others would fail for the same reason.
void Driver::check_inputs(const TaskSpec& spec) const {
    if (spec.attempt <= 1) {
        return;
    }
    for (const TaskInput& input : spec.inputs) {
        if (!artifact_present(store_, input.artifact)) {
            throw Error(ExitCode::not_found, fmt::format("its input '{}' is nowhere any more", input.path),
                        "", "`amp resume` makes it again");
        }
    }
}

void Driver::fail_before_start(TaskId task, Cause cause, const std::string& message) {
    AttemptResult result = failed_result(attempt_id(task), cause, message);
    result.exit = 202;  // it would fail again
    end_attempt(result, {});
}

/// Of a step that --only does not name.
void Driver::take_given(TaskId task) {
    RunEvent event = given_.result(task, now());
    objects_made_ = take_out_of_packs(store_, event.artifacts) || objects_made_;
    const auto& reused = std::get<TaskReused>(event.event);
    const TaskName name{data_.graph().nodes[reused.step].name, reused.index};
    news_.emplace_back([this, name, made_by = event.from] { observer_.task_reused(name, made_by); });
    record(std::move(event));
}

/// Takes over the result of an equal definition in the run that this one goes on from.
bool Driver::reuse(TaskId task, const std::string& definition) {
    if (!origin_) {
        return false;
    }
    const Reuse found = find_reuse(data_, task, definition, *origin_);
    if (found.verdict != Reuse::Verdict::reused) {
        return false;
    }
    const auto* made = origin_->artifacts(*found.old);
    std::map<std::string, Artifact> artifacts = made ? *made : std::map<std::string, Artifact>{};
    try {
        objects_made_ = take_out_of_packs(store_, artifacts) || objects_made_;
    } catch (const Error& error) {
        if (error.code() == ExitCode::not_found || error.code() == ExitCode::mismatch) {
            return false;  // it is gone, or damaged: made again
        }
        throw;
    }
    record_reused(task, definition, maker_of(*origin_, *found.old), std::move(artifacts));
    return true;
}

/// Of a step with `cache`: takes over the result of an equal definition in any run of the store.
bool Driver::reuse_cached(TaskId task, const std::string& definition) {
    const Step& step = data_.step(data_.plan().step(task));
    if (!step.cache || no_cache_) {
        return false;
    }
    auto found = results_.find(definition, data_.plan().index(task).round, step.cache->ttl_s, now());
    if (!found) {
        return false;
    }
    record_reused(task, definition, std::move(found->made_by), std::move(found->artifacts));
    return true;
}

void Driver::record_reused(TaskId task, const std::string& definition, std::string made_by,
                           std::map<std::string, Artifact> artifacts) {
    const StepId step = data_.plan().step(task);
    const TaskIndex index = data_.plan().index(task);
    const TaskName name{data_.graph().nodes[step].name, index};
    news_.emplace_back([this, name, made_by] { observer_.task_reused(name, made_by); });
    record(RunEvent{.event = TaskReused{step, index},
                    .at = now(),
                    .definition = definition,
                    .artifacts = std::move(artifacts),
                    .from = std::move(made_by)});
}

/// For later runs, where the step says so. A cache that cannot be written fails nothing.
void Driver::keep_result(const AttemptResult& result, StepId step, const std::string& definition) {
    if (!data_.step(step).cache || !result.succeeded() || definition.empty()) {
        return;
    }
    try {
        results_.keep(
            definition, result.task.index.round,
            {data_.record().run + "/" + result.task.text(), result.attempt, result.ended, result.artifacts});
        results_kept_ = true;
    } catch (const Error& error) {
        if (!std::exchange(results_refused_, true)) {
            news_.emplace_back([this, text = error.message()] {
                observer_.note("results cannot be kept for later runs: " + text);
            });
        }
    }
}

/// What an equal task had saved in the run that this one goes on from: code that is no `sources` may have
/// been mended since.
void Driver::take_over_checkpoint(TaskId task, const std::string& definition) {
    const TaskName name{data_.step(data_.plan().step(task)).name, data_.plan().index(task)};
    const StepId theirs = origin_->graph().id(name.step);
    const auto old =
        theirs < origin_->graph().nodes.size() ? origin_->plan().find(theirs, name.index) : std::nullopt;
    if (!old || data_.plan().attempt(task) > 1) {
        return;
    }
    try {
        if (!origin_builder_) {
            origin_builder_ = std::make_unique<SpecBuilder>(*origin_, load_);
        }
        if (origin_builder_->build(*old, now(), {}, 1).definition == definition) {
            amp::take_over_checkpoint(*store_.objects, origin_->record().run, data_.record().run, name);
        }
    } catch (const Error& error) {
        news_.emplace_back([this, name, text = error.message()] {
            observer_.note(task_text(name) + ": begins without its checkpoint: " + text);
        });
    }
}

/// A step that only waits has nothing to run.
void Driver::end_wait_only(TaskId task, const std::string& definition) {
    AttemptResult result = failed_result(attempt_id(task), Cause::none, {});
    result.exit = 0;
    end_attempt(result, definition);
}

void Driver::send_cancels() {
    std::vector<AttemptId> attempts;
    for (const TaskId task : data_.plan().take_cancels()) {
        attempts.push_back(attempt_id(task));
    }
    if (!attempts.empty()) {
        backend_.cancel(attempts);
    }
    if (failures_seen_) {
        failures_seen_ = false;
        backend_.go_on();
    }
}

}  // namespace amp
