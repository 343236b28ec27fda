#include "backends/agent/far_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "backends/agent/payload.hpp"

namespace amp::agent {
namespace {

constexpr std::size_t k_objects_at_once = 10'000;  // less than 1 MiB
constexpr std::int64_t k_most_count = 1'000'000;

/// How many of something there are: within reason, whatever the other side says.
std::uint32_t count_of(const Value& value, std::string_view name) {
    const std::int64_t count = get_int(value, name, 0);
    if (count < 0 || count > k_most_count) {
        throw Error(ExitCode::mismatch, fmt::format("a message says {} {}", count, name));
    }
    return static_cast<std::uint32_t>(count);
}

List ids_list(std::span<const AttemptId> ids) {
    List list;
    for (const AttemptId& id : ids) {
        list.emplace_back(List{id.task.text(), std::uint64_t{id.attempt}});
    }
    return list;
}

std::string text_at(const List& list, std::size_t place) {
    if (place >= list.size() || !list[place].is_string()) {
        throw Error(ExitCode::mismatch, "a message lacks a text");
    }
    return list[place].as_string();
}

std::uint64_t number_at(const List& list, std::size_t place) {
    if (place >= list.size() || !list[place].is_int() || list[place].as_int() < 0) {
        throw Error(ExitCode::mismatch, "a message lacks a number");
    }
    return static_cast<std::uint64_t>(list[place].as_int());
}

const List& as_list(const Value& value) {
    if (!value.is_list()) {
        throw Error(ExitCode::mismatch, "a message lacks a list");
    }
    return value.as_list();
}

std::vector<AttemptId> ids_from(const List& list) {
    std::vector<AttemptId> ids;
    for (const Value& item : list) {
        const List& pair = as_list(item);
        ids.push_back({TaskName::parse(text_at(pair, 0)), static_cast<std::uint32_t>(number_at(pair, 1))});
    }
    return ids;
}

}  // namespace

std::string encode(const FarGreeting& greeting) {
    return json::dump_record(Object{{"protocol", k_far_protocol}, {"binary", greeting.binary}});
}

FarGreeting far_greeting_from(std::string_view payload) {
    const Value value = parse_object(payload);
    check_protocol(value, k_far_protocol);
    return {get_string(value, "binary")};
}

std::string encode(const FarHello& hello) {
    Object packs;
    for (const auto& [key, length] : hello.packs) {
        packs[key] = length;
    }
    Object out{{"protocol", k_far_protocol},
               {"run", hello.run},
               {"epoch", std::uint64_t{hello.epoch}},
               {"number_base", std::uint64_t{hello.number_base}},
               {"workers", std::uint64_t{hello.workers}},
               {"packs", std::move(packs)},
               {"code", hello.code}};
    if (hello.held) {
        out["held"] = ids_list(*hello.held);
    }
    return json::dump_record(out);
}

FarHello far_hello_from(std::string_view payload) {
    const Value value = parse_object(payload);
    check_protocol(value, k_far_protocol);
    FarHello hello;
    hello.run = get_string(value, "run");
    hello.epoch = static_cast<std::uint32_t>(get_int(value, "epoch"));
    hello.number_base = static_cast<std::uint32_t>(get_int(value, "number_base"));
    hello.workers = count_of(value, "workers");
    hello.code = get_string(value, "code");
    for (const auto& [key, length] : get_object(value, "packs")) {
        hello.packs[key] = length.is_int() ? static_cast<std::uint64_t>(length.as_int()) : 0;
    }
    if (value.find("held") != nullptr) {
        hello.held = ids_from(get_list(value, "held"));
    }
    return hello;
}

std::string encode(const FarWelcome& welcome) {
    List running;
    for (const AttemptStarted& started : welcome.running) {
        running.emplace_back(List{started.id.task.text(), std::uint64_t{started.id.attempt}, started.where,
                                  format_time(started.at)});
    }
    return json::dump_record(Object{{"host", welcome.host},
                                    {"root", welcome.root},
                                    {"cpu", welcome.capacity.cpu},
                                    {"memory", welcome.capacity.memory_bytes},
                                    {"gpu", std::uint64_t{welcome.capacity.gpu}},
                                    {"workers", std::uint64_t{welcome.workers}},
                                    {"running", std::move(running)},
                                    {"lost", ids_list(welcome.lost)},
                                    {"code_ready", welcome.code_ready},
                                    {"store", welcome.store}});
}

FarWelcome far_welcome_from(std::string_view payload) {
    const Value value = parse_object(payload);
    FarWelcome welcome;
    welcome.host = get_string(value, "host");
    welcome.root = get_string(value, "root");
    const Value* cpu = value.find("cpu");
    welcome.capacity.cpu = cpu != nullptr && cpu->is_number() ? cpu->as_float() : 0;
    welcome.capacity.memory_bytes =
        static_cast<std::uint64_t>(std::max(std::int64_t{0}, get_int(value, "memory", 0)));
    welcome.capacity.gpu = count_of(value, "gpu");
    welcome.workers = count_of(value, "workers");
    welcome.lost = ids_from(get_list(value, "lost"));
    welcome.code_ready = get_bool(value, "code_ready");
    welcome.store = get_string(value, "store");
    for (const Value& item : get_list(value, "running")) {
        const List& parts = as_list(item);
        const auto at = parse_time(text_at(parts, 3));
        welcome.running.push_back(
            {{TaskName::parse(text_at(parts, 0)), static_cast<std::uint32_t>(number_at(parts, 1))},
             text_at(parts, 2),
             at ? *at : Timestamp{}});
    }
    return welcome;
}

std::string encode_objects(std::span<const SizedObject> objects) {
    List list;
    for (const SizedObject& object : objects) {
        list.emplace_back(List{object.sha256, object.size_bytes});
    }
    return json::dump_record(Object{{"objects", std::move(list)}});
}

void send_objects(Channel& channel, Kind kind, std::span<const SizedObject> objects) {
    for (; !objects.empty(); objects = objects.subspan(std::min(objects.size(), k_objects_at_once))) {
        channel.send(kind, encode_objects(objects.first(std::min(objects.size(), k_objects_at_once))));
    }
}

std::vector<SizedObject> objects_from(std::string_view payload) {
    std::vector<SizedObject> objects;
    const Value value = parse_object(payload);
    for (const Value& item : get_list(value, "objects")) {
        objects.push_back({text_at(as_list(item), 0), number_at(as_list(item), 1)});
    }
    return objects;
}

std::string encode_hashes(const std::map<std::string, std::vector<std::string>>& lists) {
    Object out;
    for (const auto& [name, hashes] : lists) {
        out[name] = List(hashes.begin(), hashes.end());
    }
    return json::dump_record(out);
}

std::vector<std::string> hashes_from(std::string_view payload, std::string_view name) {
    std::vector<std::string> hashes;
    const Value value = parse_object(payload);
    const List& list = get_list(value, name);
    for (std::size_t i = 0; i < list.size(); ++i) {
        hashes.push_back(text_at(list, i));
    }
    return hashes;
}

std::string encode(const ObjectTrouble& trouble) {
    return json::dump_record(Object{
        {"sha256", trouble.sha256}, {"error", trouble.error}, {"code", static_cast<int>(trouble.code)}});
}

ObjectTrouble object_trouble_from(std::string_view payload) {
    const Value value = parse_object(payload);
    const auto said = static_cast<ExitCode>(get_int(value, "code"));
    const bool known = said == ExitCode::store_full || said == ExitCode::not_found;
    return {get_string(value, "sha256"), get_string(value, "error"), known ? said : ExitCode::infrastructure,
            false};
}

void send_adopted(Channel& channel, std::span<const AttemptResult> results) {
    std::string frame = "{\"results\":[";
    bool empty = true;
    for (const AttemptResult& result : results) {
        frame += empty ? "" : ",";
        json::dump_record_to(frame, to_value(result));
        empty = false;
        if (frame.size() > k_good_frame) {
            channel.send(Kind::adopted, frame + "],\"last\":false}");
            frame = "{\"results\":[";
            empty = true;
        }
    }
    channel.send(Kind::adopted, frame + "],\"last\":true}");
}

ReadAdopted adopted_from(std::string_view payload) {
    const Value value = parse_object(payload);
    ReadAdopted read;
    for (const Value& item : get_list(value, "results")) {
        read.results.push_back(result_from(item));
    }
    read.last = get_bool(value, "last");
    return read;
}

std::string encode(const PackBytes& pack) {
    std::string out = fmt::format("{} {}\n", pack.key, pack.offset);
    out += pack.bytes;
    return out;
}

PackBytes pack_bytes_from(std::string_view payload) {
    const std::size_t end = payload.find('\n');
    const std::string_view head = payload.substr(0, end);
    const std::size_t middle = head.find(' ');
    PackBytes pack;
    const char* last = head.data() + head.size();
    if (end != std::string_view::npos && middle != std::string_view::npos) {
        const auto parsed = std::from_chars(head.data() + middle + 1, last, pack.offset);
        if (parsed.ec == std::errc() && parsed.ptr == last) {
            pack.key = std::string(head.substr(0, middle));
            pack.bytes = payload.substr(end + 1);
            return pack;
        }
    }
    throw Error(ExitCode::mismatch, "a message holds no bytes of a pack");
}

std::string encode_texts(std::string_view first, std::string_view a, std::string_view second,
                         std::string_view b) {
    return json::dump_record(Object{{std::string(first), a}, {std::string(second), b}});
}

}  // namespace amp::agent
