#include "backends/agent/messages.hpp"

#include <fmt/format.h>

#include "backends/agent/payload.hpp"

namespace amp::agent {
namespace {

constexpr std::string_view k_specs_head = "{\"specs\":[";
constexpr std::string_view k_events_head = "{\"events\":[";
constexpr std::string_view k_list_tail = "]}";
constexpr std::size_t k_frame_margin = 64;

Object id_object(const AttemptId& id) {
    return {{"task", id.task.text()}, {"attempt", static_cast<std::int64_t>(id.attempt)}};
}

AttemptId id_from(const Value& value) {
    const std::int64_t attempt = get_int(value, "attempt");
    if (attempt < 1 || attempt > UINT32_MAX) {
        throw Error(ExitCode::mismatch, "a message names no attempt");
    }
    return {TaskName::parse(get_string(value, "task")), static_cast<std::uint32_t>(attempt)};
}

/// For an attempt of which we can read nothing but its name; nullopt when not even that.
std::optional<AttemptResult> unreadable_end(const Value& value, std::string message) {
    AttemptResult result;
    try {
        const AttemptId id = id_from(value);
        result.task = id.task;
        result.attempt = id.attempt;
    } catch (const Error&) {
        return std::nullopt;
    }
    result.cause = Cause::infra;
    result.exit = -1;
    result.message = std::move(message);
    return result;
}

AttemptStarted started_from(const Value& value) {
    const auto at = parse_time(get_string(value, "at"));
    return {id_from(value), get_string(value, "where"), at ? *at : Timestamp{}};
}

/// Sends `items` as lists between `head` and the tail, several frames when there is much.
void send_lists(Channel& channel, Kind kind, std::string_view head, const std::vector<std::string>& items) {
    std::string frame;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (frame.empty()) {
            frame.append(head);
        } else {
            frame.push_back(',');
        }
        frame.append(items[i]);
        const bool last = i + 1 == items.size();
        if (last || frame.size() + items[i + 1].size() > k_good_frame) {
            frame.append(k_list_tail);
            channel.send(kind, frame);
            frame.clear();
        }
    }
}

/// Of the codes of failures store_full matters to who is told; all else, and what says nothing, is
/// infrastructure.
ExitCode told_code(const Value& value) {
    const bool full = get_int(value, "code") == static_cast<int>(ExitCode::store_full);
    return full ? ExitCode::store_full : ExitCode::infrastructure;
}

}  // namespace

bool is_hash(std::string_view text) {
    constexpr std::size_t k_digits = 64;
    return text.size() == k_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

AttemptResult result_from(const Value& value) {
    try {
        AttemptResult result = attempt_result_from(value);
        for (const auto& [name, artifact] : result.artifacts) {
            if (!is_hash(artifact.sha256)) {
                throw Error(ExitCode::mismatch, fmt::format("its output '{}' names no object", name));
            }
        }
        return result;
    } catch (const Error& error) {
        if (auto end = unreadable_end(value, fmt::format("its result cannot be read: {}", error.message()))) {
            return std::move(*end);
        }
        throw;
    }
}

std::string encode(const Hello& hello) {
    return json::dump_record(Object{{"protocol", k_protocol},
                                    {"run", hello.run},
                                    {"epoch", static_cast<std::int64_t>(hello.epoch)},
                                    {"secret", hello.secret}});
}

Hello hello_from(std::string_view payload) {
    const Value value = parse_object(payload);
    check_protocol(value, k_protocol);
    return {get_string(value, "run"), static_cast<std::uint32_t>(get_int(value, "epoch")),
            get_string(value, "secret")};
}

std::string encode(const Welcome& welcome) {
    List running;
    for (const AttemptStarted& started : welcome.running) {
        Object item = id_object(started.id);
        item["where"] = started.where;
        item["at"] = format_time(started.at);
        running.emplace_back(std::move(item));
    }
    return json::dump_record(
        Object{{"protocol", k_protocol}, {"pid", welcome.pid}, {"running", std::move(running)}});
}

Welcome welcome_from(std::string_view payload) {
    const Value value = parse_object(payload);
    check_protocol(value, k_protocol);
    Welcome welcome{get_int(value, "pid"), {}};
    for (const Value& item : get_list(value, "running")) {
        welcome.running.push_back(started_from(item));
    }
    return welcome;
}

std::string encode(const CancelRun& ask) {
    return json::dump_record(Object{{"run", ask.run}, {"who", ask.who}});
}

CancelRun cancel_run_from(std::string_view payload) {
    const Value value = parse_object(payload);
    return {get_string(value, "run"), get_string(value, "who")};
}

std::string encode(const EnterPlace& ask) {
    Object out = id_object(ask.id);
    out["run"] = ask.run;
    out["secret"] = ask.secret;
    return json::dump_record(out);
}

EnterPlace enter_place_from(std::string_view payload) {
    const Value value = parse_object(payload);
    return {get_string(value, "run"), get_string(value, "secret"), id_from(value)};
}

std::string encode(const OpenPlace& place) {
    return json::dump_record(Object{{"folder", place.folder},
                                    {"spec", to_value(place.spec)},
                                    {"secrets", to_value(std::span<const Secret>(place.secrets))}});
}

OpenPlace open_place_from(std::string_view payload) {
    const Value value = parse_object(payload);
    const Value* spec = value.find("spec");
    return {get_string(value, "folder"), task_spec_from(spec != nullptr ? *spec : Value{}),
            to_secrets(Value(get_list(value, "secrets")))};
}

std::string encode(std::span<const Secret> secrets) {
    return json::dump_record(Object{{"secrets", to_value(secrets)}});
}

std::vector<Secret> secrets_from(std::string_view payload) {
    const Value message = parse_object(payload);
    return to_secrets(Value(get_list(message, "secrets")));
}

std::string encode(const SpawnAnswer& answer) {
    Object out;
    out["ticket"] = static_cast<std::int64_t>(answer.ticket);
    out["run"] = answer.run;
    out["error"] = answer.error;
    out["state"] = answer.state;
    if (answer.exit) {
        out["exit"] = std::int64_t{*answer.exit};
    }
    return json::dump_record(out);
}

SpawnAnswer spawn_answer_from(std::string_view payload) {
    const Value value = parse_object(payload);
    SpawnAnswer answer{static_cast<std::uint64_t>(get_int(value, "ticket")), get_string(value, "run"),
                       get_string(value, "error"), std::nullopt, get_string(value, "state")};
    if (const Value* exit = value.find("exit"); exit != nullptr && exit->is_int()) {
        answer.exit = static_cast<int>(exit->as_int());
    }
    return answer;
}

Value spawn_from(std::string_view payload) {
    return parse_object(payload);
}

std::vector<const TaskSpec*> send_specs(Channel& channel, std::span<const TaskSpec> specs) {
    std::vector<const TaskSpec*> too_large;
    std::vector<std::string> items;
    items.reserve(specs.size());
    for (const TaskSpec& spec : specs) {
        std::string text = json::dump_record(to_value(spec));
        if (text.size() + k_frame_margin > k_max_frame) {
            too_large.push_back(&spec);
        } else {
            items.push_back(std::move(text));
        }
    }
    send_lists(channel, Kind::submit, k_specs_head, items);
    return too_large;
}

ReadSpecs specs_from(std::string_view payload) {
    const Value value = parse_object(payload);
    ReadSpecs read;
    for (const Value& item : get_list(value, "specs")) {
        try {
            read.specs.push_back(task_spec_from(item));
        } catch (const Error& error) {
            if (auto end = unreadable_end(
                    item, fmt::format("its description cannot be read: {}", error.message()))) {
                read.unreadable.push_back(std::move(*end));
            } else {
                read.notes.push_back(error.message());
            }
        }
    }
    return read;
}

std::string encode_attempts(std::span<const AttemptId> attempts) {
    List list;
    for (const AttemptId& id : attempts) {
        list.emplace_back(id_object(id));
    }
    return json::dump_record(Object{{"attempts", std::move(list)}});
}

std::vector<AttemptId> attempts_from(std::string_view payload) {
    const Value value = parse_object(payload);
    std::vector<AttemptId> attempts;
    for (const Value& item : get_list(value, "attempts")) {
        attempts.push_back(id_from(item));
    }
    return attempts;
}

std::string encode_number(std::string_view name, std::uint64_t n) {
    return fmt::format(R"({{"{}":{}}})", name, n);
}

std::string encode_text(std::string_view name, std::string_view text) {
    return fmt::format("{{\"{}\":{}}}", name, json::quote(text));
}

std::string encode_refusal(std::string_view message, ExitCode code) {
    return fmt::format(R"({{"message":{},"code":{}}})", json::quote(message), static_cast<int>(code));
}

ExitCode refusal_code(std::string_view payload) {
    return told_code(parse_object(payload));
}

std::uint64_t number_from(std::string_view payload, std::string_view name) {
    return static_cast<std::uint64_t>(get_int(parse_object(payload), name));
}

std::string text_from(std::string_view payload, std::string_view name) {
    return get_string(parse_object(payload), name);
}

void EventBatch::queued(const AttemptId& id, std::string_view reason) {
    Object item = id_object(id);
    item["event"] = "queued";
    item["reason"] = reason;
    items_.push_back(json::dump_record(item));
}

void EventBatch::started(const AttemptId& id, std::string_view where, Timestamp at) {
    items_.push_back(fmt::format(R"({{"at":"{}","attempt":{},"event":"started","task":{},"where":{}}})",
                                 format_time(at), id.attempt, json::quote(id.task.text()),
                                 json::quote(where)));
}

void EventBatch::ended(std::string_view result) {
    items_.push_back(fmt::format(R"({{"event":"ended","result":{}}})", result));
}

void EventBatch::note(std::string_view text) {
    items_.push_back(fmt::format(R"({{"event":"note","text":{}}})", json::quote(text)));
}

void EventBatch::spawn_asked(const SpawnAsked& asked) {
    Object item = id_object(asked.id);
    item["event"] = "spawn";
    item["ticket"] = static_cast<std::int64_t>(asked.ticket);
    item["request"] = asked.request;
    items_.push_back(json::dump_record(item));
}

void EventBatch::send_to(Channel& channel) {
    send_lists(channel, Kind::events, k_events_head, items_);
    items_.clear();
}

std::vector<BackendEvent> events_from(std::string_view payload, std::vector<std::string>& bad) {
    std::vector<BackendEvent> events;
    const Value value = parse_object(payload);
    for (const Value& item : get_list(value, "events")) {
        try {
            const std::string name = get_string(item, "event");
            if (name == "ended") {
                const Value* result = item.find("result");
                events.emplace_back(AttemptEnded{result_from(result ? *result : Value{})});
            } else if (name == "started") {
                events.emplace_back(started_from(item));
            } else if (name == "queued") {
                events.emplace_back(AttemptQueued{id_from(item), get_string(item, "reason")});
            } else if (name == "spawn") {
                events.emplace_back(SpawnAsked{id_from(item),
                                               static_cast<std::uint64_t>(get_int(item, "ticket")),
                                               get_object(item, "request")});
            } else {
                bad.push_back(name == "note" ? get_string(item, "text")
                                             : fmt::format("unknown event '{}'", name));
            }
        } catch (const Error& error) {
            bad.push_back(error.message());
        }
    }
    return events;
}

}  // namespace amp::agent
