#include "core/run/run_events.hpp"

#include <type_traits>

namespace amp {
namespace {

template <class T>
constexpr std::string_view k_type = "";
template <>
constexpr std::string_view k_type<EdgesDecided> = "edges";
template <>
constexpr std::string_view k_type<WhenDecided> = "when";
template <>
constexpr std::string_view k_type<ItemsDecided> = "items";
template <>
constexpr std::string_view k_type<UntilDecided> = "until";
template <>
constexpr std::string_view k_type<WaitBegan> = "waits";
template <>
constexpr std::string_view k_type<WaitEnded> = "wait_over";
template <>
constexpr std::string_view k_type<DecisionFailed> = "decision_failed";
template <>
constexpr std::string_view k_type<TaskStarted> = "start";
template <>
constexpr std::string_view k_type<TaskEnded> = "end";
template <>
constexpr std::string_view k_type<TaskReused> = "reused";
template <>
constexpr std::string_view k_type<TaskReturned> = "returned";
template <>
constexpr std::string_view k_type<RunCancelled> = "cancelled";
template <>
constexpr std::string_view k_type<RunTimedOut> = "timed_out";
template <>
constexpr std::string_view k_type<RunReopened> = "reopened";

constexpr std::array<std::string_view, 5> k_question_kinds = {"edges", "when", "items", "until", "wait"};

template <class T>
constexpr bool k_of_task = requires(T e) {
    e.step;
};

Value artifacts_value(const std::map<std::string, Artifact>& artifacts) {
    Object out;
    for (const auto& [name, artifact] : artifacts) {
        out.emplace(name, to_value(artifact));
    }
    return out;
}

std::map<std::string, Artifact> artifacts_from(const Object& object) {
    std::map<std::string, Artifact> out;
    for (const auto& [name, value] : object) {
        out.emplace(name, artifact_from(value));
    }
    return out;
}

/// What is particular to each kind of event, beside step and index.
void write_details(Object& out, const RunEvent& e) {
    if (const auto* edges = std::get_if<EdgesDecided>(&e.event)) {
        List open(edges->open.begin(), edges->open.end());
        out.emplace("open", std::move(open));
    } else if (const auto* when = std::get_if<WhenDecided>(&e.event)) {
        out.emplace("open", when->open);
    } else if (std::holds_alternative<ItemsDecided>(e.event)) {
        out.emplace("items", e.items);
    } else if (const auto* until = std::get_if<UntilDecided>(&e.event)) {
        out.emplace("done", until->done);
    } else if (const auto* failed = std::get_if<DecisionFailed>(&e.event)) {
        out.emplace("kind", k_question_kinds[static_cast<std::size_t>(failed->question.kind)]);
        out.emplace("message", e.message);
        if (failed->cause != Cause::user) {
            out.emplace("cause", cause_name(failed->cause));
        }
    } else if (std::holds_alternative<WaitBegan>(e.event)) {
        out.emplace("for", e.message);
    } else if (std::holds_alternative<WaitEnded>(e.event)) {
        out.emplace("by", e.from);
    } else if (const auto* started = std::get_if<TaskStarted>(&e.event)) {
        out.emplace("attempt", static_cast<std::int64_t>(started->attempt));
    } else if (std::holds_alternative<TaskReused>(e.event)) {
        out.emplace("artifacts", artifacts_value(e.artifacts));
        out.emplace("definition", e.definition);
        if (!e.from.empty()) {
            out.emplace("from", e.from);
        }
    } else if (const auto* reopened = std::get_if<RunReopened>(&e.event)) {
        out.emplace("retry_caught", reopened->retry_caught);
    }
}

JournalEntry end_entry(const RunEvent& e) {
    Object out = to_value(*e.result).as_object();
    if (!e.log_tail.empty()) {
        out.emplace("log_tail", e.log_tail);
    }
    if (!e.definition.empty()) {
        out.emplace("definition", e.definition);
    }
    return {"end", std::move(out)};
}

void read_end(RunEvent& e, TaskEnded& ended, const Value& payload) {
    e.result = attempt_result_from(payload);
    e.log_tail = get_string(payload, "log_tail");
    e.definition = get_string(payload, "definition");
    ended.attempt = e.result->attempt;
    ended.cause = e.result->cause;
    ended.never_retry = e.result->exit == 202;
    ended.index = e.result->task.index;
}

void read_details(RunEvent& e, const Value& payload) {
    if (auto* edges = std::get_if<EdgesDecided>(&e.event)) {
        for (const Value& open : get_list(payload, "open")) {
            edges->open.push_back(open.is_bool() && open.as_bool());
        }
    } else if (auto* when = std::get_if<WhenDecided>(&e.event)) {
        when->open = get_bool(payload, "open");
    } else if (auto* items = std::get_if<ItemsDecided>(&e.event)) {
        e.items = get_list(payload, "items");
        items->count = static_cast<std::uint32_t>(e.items.size());
    } else if (auto* until = std::get_if<UntilDecided>(&e.event)) {
        until->done = get_bool(payload, "done");
    } else if (auto* failed = std::get_if<DecisionFailed>(&e.event)) {
        const std::string kind = get_string(payload, "kind");
        for (std::size_t i = 0; i < k_question_kinds.size(); ++i) {
            if (k_question_kinds[i] == kind) {
                failed->question.kind = static_cast<Question::Kind>(i);
            }
        }
        e.message = get_string(payload, "message");
        failed->cause = parse_cause(get_string(payload, "cause", "user")).value_or(Cause::user);
    } else if (std::holds_alternative<WaitBegan>(e.event)) {
        e.message = get_string(payload, "for");
    } else if (std::holds_alternative<WaitEnded>(e.event)) {
        e.from = get_string(payload, "by");
    } else if (auto* started = std::get_if<TaskStarted>(&e.event)) {
        started->attempt = static_cast<std::uint32_t>(get_int(payload, "attempt", 1));
    } else if (std::holds_alternative<TaskReused>(e.event)) {
        e.artifacts = artifacts_from(get_object(payload, "artifacts"));
        e.definition = get_string(payload, "definition");
        e.from = get_string(payload, "from");
    } else if (auto* reopened = std::get_if<RunReopened>(&e.event)) {
        reopened->retry_caught = get_bool(payload, "retry_caught");
    }
}

/// Step and index of the payload's "task"; false when the graph has no such step.
template <class T>
bool read_task(T& event, const Value& payload, const Graph& graph) {
    const TaskName name = TaskName::parse(get_string(payload, "task"));
    event.step = graph.id(name.step);
    event.index = name.index;
    return event.step < graph.nodes.size();
}

template <class T>
bool read_as(RunEvent& e, const Record& record, const Graph& graph) {
    if (record.type != k_type<T>) {
        return false;
    }
    T event{};
    bool known = true;
    if constexpr (k_of_task<T>) {
        known = read_task(event, record.payload, graph);
    } else if constexpr (std::is_same_v<T, DecisionFailed>) {
        known = read_task(event.question, record.payload, graph);
    }
    if constexpr (std::is_same_v<T, TaskEnded>) {
        read_end(e, event, record.payload);
    }
    e.event = std::move(event);
    if constexpr (!std::is_same_v<T, TaskEnded>) {
        read_details(e, record.payload);
    }
    return known;
}

template <class... T>
bool read_any(std::variant<T...>* /*tag*/, RunEvent& e, const Record& record, const Graph& graph) {
    return (read_as<T>(e, record, graph) || ...);
}

std::optional<RunState> run_state_from(std::string_view name) {
    for (const RunState state :
         {RunState::pending, RunState::running, RunState::succeeded, RunState::failed, RunState::cancelled}) {
        if (state_name(state) == name) {
            return state;
        }
    }
    return std::nullopt;
}

}  // namespace

JournalEntry journal_entry(const RunEvent& e, const Graph& graph) {
    if (std::holds_alternative<TaskEnded>(e.event) && e.result) {
        return end_entry(e);
    }
    Object out;
    out.emplace("at", format_time(e.at));
    std::string_view type;
    std::visit(
        [&]<class T>(const T& event) {
            type = k_type<T>;
            const auto name = [&](StepId step, const TaskIndex& index) {
                out.emplace("task", TaskName{graph.nodes[step].name, index}.text());
            };
            if constexpr (k_of_task<T>) {
                name(event.step, event.index);
            } else if constexpr (std::is_same_v<T, DecisionFailed>) {
                name(event.question.step, event.question.index);
            }
        },
        e.event);
    write_details(out, e);
    return {std::string(type), std::move(out)};
}

std::optional<RunEvent> run_event_from(const Record& record, const Graph& graph) {
    RunEvent e;
    if (!read_any(static_cast<PlanEvent*>(nullptr), e, record, graph)) {
        return std::nullopt;
    }
    e.at = e.result ? e.result->ended : parse_time(get_string(record.payload, "at")).value_or(Timestamp{});
    return e;
}

JournalEntry journal_entry(const RunEndRecord& end) {
    return {"run_ended", Object{{"state", state_name(end.state)},
                                {"code_changed", end.code_changed},
                                {"at", format_time(end.at)}}};
}

std::optional<RunEndRecord> run_end_from(const Record& record) {
    if (record.type != "run_ended") {
        return std::nullopt;
    }
    const auto state = run_state_from(get_string(record.payload, "state"));
    if (!state) {
        return std::nullopt;
    }
    return RunEndRecord{*state, get_bool(record.payload, "code_changed"),
                        parse_time(get_string(record.payload, "at")).value_or(Timestamp{})};
}

}  // namespace amp
