#include "core/run/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include "core/base/error.hpp"
#include "core/flow/project_config.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/changes.hpp"
#include "core/run/decisions.hpp"
#include "core/run/given.hpp"
#include "core/run/parameters.hpp"
#include "core/run/reference.hpp"
#include "core/run/result_cache.hpp"
#include "core/run/reuse.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/task_text.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr std::size_t k_at_once = 4096;
/// A list that hangs on parameters alone is foreseen item by item, up to so many.
constexpr std::size_t k_items_told = 100'000;

/// Plays a run as far as it can be known: questions are answered, what is reused is done, and what would run
/// stays where it is.
class Play {
  public:
    Play(RunData& data, const RunData* origin, ArtifactLoader load, Timestamp now)
        : data_(data),
          origin_(origin),
          given_(data, origin),
          load_(std::move(load)),
          now_(now),
          builder_(data, load_) {
        if (origin_) {
            their_builder_ = std::make_unique<SpecBuilder>(*origin_, load_);
        }
    }

    /// Where steps with `cache` find results of other runs.
    void use_cache(const ResultCache& results) { results_ = &results; }

    /// What is done already stays.
    void keep_what_is_done() {
        for (TaskId task = 0; task < data_.plan().task_count(); ++task) {
            if (data_.plan().is_task(task) && is_terminal(data_.plan().state(task))) {
                told_[task] = {
                    "", "keep", fmt::format("{} in this run", state_name(data_.plan().state(task))), {}};
            }
        }
    }

    void play() {
        bool moved = true;
        while (moved) {
            moved = false;
            for (const Question& question : data_.plan().take_questions(k_at_once)) {
                moved = data_.apply(answer(question)) || moved;
            }
            for (const TaskId task : data_.plan().take_ready(k_at_once)) {
                moved = place(task) || moved;
            }
        }
    }

    /// One, or of a foreach whose list is known before it is its turn, one an item.
    std::vector<ForecastTask> told(TaskId task) const {
        const StepId step = data_.plan().step(task);
        const TaskIndex index = data_.plan().index(task);
        const bool open = !told_.contains(task) && !is_terminal(data_.plan().state(task));
        if (open && index.path.size() < data_.graph().nodes[step].stack.size()) {
            return told_below(step, index);
        }
        return {told_one(task)};
    }

    /// Of a step within a foreach that has not been expanded, where the plan knows no task of it.
    std::vector<ForecastTask> told_unseen(StepId step) const {
        if (!indices_below(step, {})) {
            return {{data_.graph().nodes[step].name, "unknown", "how many is not known yet", {}}};
        }
        return told_below(step, {});
    }

  private:
    std::vector<ForecastTask> told_below(StepId step, const TaskIndex& around) const {
        std::vector<ForecastTask> out;
        const auto indices = indices_below(step, around);
        for (const TaskIndex& index : indices.value_or(std::vector<TaskIndex>{around})) {
            ForecastTask& task = out.emplace_back();
            tell_waiting(task, step, index);
            task.task = TaskName{data_.graph().nodes[step].name, index}.text();
        }
        return out;
    }

    ForecastTask told_one(TaskId task) const {
        const StepId step = data_.plan().step(task);
        ForecastTask out;
        if (const auto it = told_.find(task); it != told_.end()) {
            out = it->second;
        } else if (data_.plan().state(task) == TaskState::skipped) {
            out.what = "skip";
            out.why = data_.step(step).when ? "`" + data_.step(step).when->text() + "` is false"
                                            : "what it needs is skipped";
        } else if (is_terminal(data_.plan().state(task))) {
            out.what = "run";
            out.why = "it would fail: " + failed_;
        } else {
            tell_waiting(out, step, data_.plan().index(task));
        }
        out.task = TaskName{data_.graph().nodes[step].name, data_.plan().index(task)}.text();
        return out;
    }

    /// How many items a foreach has, where that hangs on parameters alone.
    std::optional<std::size_t> items_known(StepId level) const {
        const auto& list = data_.step(level).foreach;
        const auto uses = list ? list->uses() : std::vector<Expression::Use>();
        const bool known = list && std::all_of(uses.begin(), uses.end(), [](const Expression::Use& use) {
                               return use.reference.root == "params";
                           });
        if (!known) {
            return std::nullopt;
        }
        try {
            return decide(data_, {Question::Kind::items, level, {}}, load_, now_).items.size();
        } catch (const Error&) {
            return std::nullopt;  // it will fail when it is its turn, if that comes
        }
    }

    /// All indices of a step's tasks below `around`; nullopt: not known yet, or very many.
    std::optional<std::vector<TaskIndex>> indices_below(StepId step, const TaskIndex& around) const {
        const auto& stack = data_.graph().nodes[step].stack;
        std::vector<TaskIndex> out{around};
        for (std::size_t depth = around.path.size(); depth < stack.size(); ++depth) {
            const auto known = items_known(stack[depth]);
            std::vector<TaskIndex> deeper;
            for (const TaskIndex& index : out) {
                const auto expanded = data_.plan().item_count(stack[depth], index);
                const auto count = expanded ? std::optional<std::size_t>(*expanded) : known;
                if (!count || deeper.size() + *count > k_items_told) {
                    return std::nullopt;
                }
                for (std::uint32_t i = 0; i < *count; ++i) {
                    deeper.push_back(index);
                    deeper.back().path.push_back(i);
                }
            }
            out = std::move(deeper);
        }
        return out;
    }

    RunEvent answer(const Question& question) {
        try {
            return given_.is_given(question.step) ? given_.answer(question, now_)
                                                  : decide(data_, question, load_, now_);
        } catch (const Error& error) {
            failed_ = error.advice();
            return {.event = DecisionFailed{question}, .at = now_, .message = error.advice()};
        }
    }

    /// True when its end is known.
    bool place(TaskId task) {
        ForecastTask& out = told_[task];
        if (given_.is_given(data_.plan().step(task))) {
            out = {"", "reuse", "--only does not name it: that of run " + data_.record().origin, {}};
            return data_.apply(given_.result(task, now_));
        }
        out.what = "run";
        BuiltTask built;
        try {
            built = builder_.build(task, now_);
        } catch (const Error& error) {
            out.why = "it would fail: " + error.advice();
            return false;
        }
        if (!origin_) {
            return reuse_cached(task, built, out);
        }
        const Reuse found = find_reuse(data_, task, built.definition, *origin_);
        switch (found.verdict) {
            case Reuse::Verdict::reused:
                return reuse(task, *found.old, built.definition, out);
            case Reuse::Verdict::unknown_there:
                out.why = "it is new";
                break;
            case Reuse::Verdict::not_succeeded:
                out.why = fmt::format("{} in run {}", state_name(origin_->plan().state(*found.old)),
                                      origin_->record().run);
                break;
            case Reuse::Verdict::changed:
                add_differences(task, *found.old, built, out);
                break;
            case Reuse::Verdict::again:
                out.why = data_.graph().nodes[data_.plan().step(task)].cleanup
                              ? "a clean-up step runs at each end"
                              : "it was asked for";
                break;
            case Reuse::Verdict::needs_ran:
                out.why = data_.graph().nodes[*found.ran].name + " runs again";
                break;
        }
        return reuse_cached(task, built, out);
    }

    bool reuse_cached(TaskId task, const BuiltTask& built, ForecastTask& out) {
        const StepId step = data_.plan().step(task);
        const TaskIndex index = data_.plan().index(task);
        const auto& policy = data_.step(step).cache;
        const auto found = policy && results_ != nullptr
                               ? results_->find(built.definition, index.round, policy->ttl_s, now_)
                               : std::nullopt;
        if (!found) {
            return false;
        }
        out = {"", "reuse", fmt::format("cached: {} made the same", task_text(found->made_by)), {}};
        return data_.apply({.event = TaskReused{step, index},
                            .at = now_,
                            .definition = built.definition,
                            .artifacts = found->artifacts});
    }

    bool reuse(TaskId task, TaskId old, const std::string& definition, ForecastTask& out) {
        out.what = "reuse";
        out.why = "the same as in run " + origin_->record().run;
        const auto* made = origin_->artifacts(old);
        return data_.apply({.event = TaskReused{data_.plan().step(task), data_.plan().index(task)},
                            .at = now_,
                            .definition = definition,
                            .artifacts = made ? *made : std::map<std::string, Artifact>{}});
    }

    void add_differences(TaskId task, TaskId old, const BuiltTask& built, ForecastTask& out) {
        out.why = "its definition has changed";
        try {
            const BuiltTask before = their_builder_->build(old, now_);
            out.differences = definition_differences({*origin_, before.parts}, {data_, built.parts},
                                                     data_.step(data_.plan().step(task)).name);
        } catch (const Error&) {  // its inputs are gone: then what differs cannot be told
        }
    }

    /// Something that it needs runs first.
    void tell_waiting(ForecastTask& out, StepId id, const TaskIndex& index) const {
        const Step& step = data_.step(id);
        const Graph::Node& node = data_.graph().nodes[id];
        out.what = "run";
        for (const Graph::Edge& edge : node.needs) {
            out.why = out.why.empty() ? "after " + data_.graph().nodes[edge.from].name : out.why;
        }
        bool conditional = step.when.has_value();
        for (const Need& need : step.needs) {
            conditional = conditional || need.when.has_value();
        }
        if (index.path.size() < node.stack.size()) {
            const Step& level = data_.step(node.stack[index.path.size()]);
            out.what = "unknown";
            out.why = fmt::format("the list of {}, `{}`, is not known yet", level.name,
                                  level.foreach ? level.foreach->text() : "");
        } else if (conditional) {
            out.what = "skip?";
            out.why = step.when ? fmt::format("if `{}` is true", step.when->text())
                                : "if the conditions on what it needs are true";
        }
    }

    RunData& data_;
    const RunData* origin_;
    Given given_;
    const ResultCache* results_ = nullptr;
    ArtifactLoader load_;
    Timestamp now_;
    SpecBuilder builder_;
    std::unique_ptr<SpecBuilder> their_builder_;
    std::map<TaskId, ForecastTask> told_;
    std::string failed_;
};

Value resources_of(const Step& step) {
    Object out;
    for (const auto& [name, setting] : step.resources) {
        out.emplace(name, setting.value);
    }
    out.emplace("cpu", 1);
    const auto add = [&](const char* name, const Boxed<Setting>& setting) {
        if (setting) {
            out.emplace(name, setting->value);
        }
    };
    add("nodes", step.nodes);
    add("tasks_per_node", step.tasks_per_node);
    add("launcher", step.launcher);
    return out;
}

void tell_steps(Forecast& out, const RunData& data, const Play& play) {
    std::map<StepId, std::vector<TaskId>> tasks;
    for (TaskId task = 0; task < data.plan().task_count(); ++task) {
        if (data.plan().is_task(task)) {
            tasks[data.plan().step(task)].push_back(task);
        }
    }
    for (const StepId id : data.graph().order) {
        ForecastStep step{data.graph().nodes[id].name, {}, resources_of(data.step(id))};
        for (const TaskId task : tasks[id]) {
            auto told = play.told(task);
            std::move(told.begin(), told.end(), std::back_inserter(step.tasks));
        }
        if (step.tasks.empty()) {  // below a foreach that is not expanded
            step.tasks = play.told_unseen(id);
        }
        out.steps.push_back(std::move(step));
    }
}

/// As the run's driver does: what it has not done yet may be taken over all the same.
std::optional<ReadRun> read_origin(OpenStore& store, const RunRecord& record) {
    if (record.origin.empty()) {
        return std::nullopt;
    }
    try {
        return read_whole_run(store, record.origin);
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found || !record.only.empty()) {
            throw;
        }
        return std::nullopt;  // it was removed: nothing more of it can be reused
    }
}

Forecast forecast_resume(Services& services, const Project& project, const ForecastQuery& query) {
    OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, query.resume);
    ReadRun before = read_whole_run(store, run);
    Changes changes = find_changes(services, store, project, *before.record, query.params, false);
    apply_parts(changes, query.from, query.until);
    const ArtifactLoader load = [&store](const Artifact& artifact) {
        return read_artifact_value(store, artifact);
    };
    Forecast out;
    out.run = run;
    out.why = changes.why;
    out.flow_path = changes.record.flow_path;
    out.profile = changes.record.profile;
    const Timestamp now = services.clock.now();
    const ResultCache results(store);
    if (changes.why.empty()) {
        out.kind = Forecast::Kind::same_run;
        const auto caught = before.data->plan().totals()[static_cast<std::size_t>(TaskState::caught)];
        const bool done = before.end && before.end->state == RunState::succeeded;
        if (!done || (query.retry_caught && caught > 0)) {
            before.data->apply({.event = RunReopened{query.retry_caught}, .at = now});
        }
        const std::optional<ReadRun> origin = read_origin(store, *before.record);
        Play play(*before.data, origin ? origin->data.get() : nullptr, load, now);
        play.use_cache(results);
        play.keep_what_is_done();
        play.play();
        tell_steps(out, *before.data, play);
        return out;
    }
    out.kind = Forecast::Kind::run_from_origin;
    const auto flow = load_recorded_flow(changes.record);
    check_from(changes.record, flow->graph);
    RunData data(changes.record, flow->flow, flow->graph);
    Play play(data, before.data.get(), load, now);
    play.use_cache(results);
    play.play();
    tell_steps(out, data, play);
    return out;
}

/// Before the first run there is none.
std::optional<OpenStore> store_if_any(Services& services, const Project& project) {
    try {
        return services.open_store(project.store_folder, false);
    } catch (const Error&) {
        return std::nullopt;
    }
}

Forecast forecast_run(Services& services, const Project& project, const ForecastQuery& query) {
    StartOptions options;
    options.flow = query.flow;
    options.like = query.like;
    options.params = query.params;
    options.until = query.until;
    options.only = query.only;
    options.origin = query.origin;
    options.fit = query.fit;
    LoadedFlow loaded;
    RunRecord record = prospective_record(services, project, options, loaded);
    const auto store = store_if_any(services, project);
    Forecast out;
    std::optional<ReadRun> origin;
    if (!options.origin.empty() && store) {
        record.origin = out.run = resolve_run(*store->objects, options.origin);
        origin = read_whole_run(*store, record.origin);
    }
    out.flow_path = record.flow_path;
    out.profile = record.profile;
    const auto flow = recorded_flow(std::move(loaded.flow), std::move(loaded.graph), record);
    RunData data(record, flow->flow, flow->graph);
    if (origin) {
        check_given(data, *origin->data);
    }
    const ArtifactLoader load = [&store](const Artifact& artifact) {
        return store ? read_artifact_value(*store, artifact) : Value();
    };
    Play play(data, origin ? origin->data.get() : nullptr, load, services.clock.now());
    std::optional<ResultCache> results;
    if (store) {
        play.use_cache(results.emplace(*store));
    }
    play.play();
    tell_steps(out, data, play);
    return out;
}

}  // namespace

Forecast forecast(Services& services, const Project& project, const ForecastQuery& query) {
    Forecast out = query.resume.empty() ? forecast_run(services, project, query)
                                        : forecast_resume(services, project, query);
    out.backend = backend_of(project.settings, out.profile);
    return out;
}

}  // namespace amp
