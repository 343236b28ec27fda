#include "core/store/journal_segments.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace amp::segments {
namespace {

constexpr int k_schema = 2;
constexpr int k_schema_before_synced = 1;

Value lengths_to_value(const std::map<std::string, std::uint64_t>& lengths) {
    Object out;
    for (const auto& [name, length] : lengths) {
        out.emplace(name, length);
    }
    return out;
}

std::map<std::string, std::uint64_t> lengths_from(const Value& payload, std::string_view member) {
    std::map<std::string, std::uint64_t> out;
    for (const auto& [name, length] : get_object(payload, member)) {
        out[name] = length.is_int() ? static_cast<std::uint64_t>(length.as_int()) : 0;
    }
    return out;
}

/// The length that a frame says is durable; 0 when it says nothing.
std::uint64_t synced_length(const frames::Frame& frame, std::string_view run) {
    const Value payload = json::parse(frame.payload, "a synced record");
    const std::int64_t length = get_string(payload, "run") == run ? get_int(payload, "bytes") : 0;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(length, 0));
}

}  // namespace

std::string name(std::uint32_t epoch, std::uint32_t number) {
    return fmt::format("{:08}-{:08}", epoch, number);
}

std::string header_frame(std::string_view run, std::uint32_t epoch, const Header& header) {
    Object payload{{"schema", k_schema},
                   {"run", run},
                   {"accepted", lengths_to_value(header.accepted)},
                   {"previous_sha256", header.previous_sha256}};
    if (!header.packs.empty()) {
        payload["packs"] = lengths_to_value(header.packs);
    }
    std::string out;
    frames::append(out, 0, epoch, k_header_type, json::dump_record(payload));
    return out;
}

std::string synced_frame(std::string_view run, std::uint32_t epoch, std::uint64_t length) {
    std::string out;
    frames::append(out, 0, epoch, k_synced_type, json::dump(Object{{"bytes", length}, {"run", run}}));
    return out;
}

bool was_synced(std::string_view bytes, std::size_t offset, std::string_view run, std::uint32_t epoch) {
    for (auto at = frames::find_next(bytes, offset + 1); at; at = frames::find_next(bytes, *at)) {
        const std::optional<frames::Frame> frame = frames::read(bytes, *at);
        if (frame->epoch == epoch && frame->type == k_synced_type && synced_length(*frame, run) > offset) {
            return true;
        }
        at = frame->end;
    }
    return false;
}

Header parse_header(const frames::Frame& frame, std::string_view run, const std::string& key) {
    const Value payload = json::parse_record(frame.payload, key);
    const std::int64_t schema = get_int(payload, "schema");
    if (schema > k_schema) {
        throw Error(ExitCode::invalid, fmt::format("'{}' was written by a newer amp", key), key,
                    "use that amp");
    }
    if (get_string(payload, "run") != run) {
        fail_damaged(key, 0, fmt::format("it belongs to run '{}'", get_string(payload, "run")));
    }
    Header header;
    header.previous_sha256 = get_string(payload, "previous_sha256");
    header.accepted = lengths_from(payload, "accepted");
    header.packs = lengths_from(payload, "packs");
    header.tells_synced = schema > k_schema_before_synced;
    return header;
}

void fail_damaged(const std::string& key, std::size_t offset, std::string_view why) {
    throw Error(ExitCode::mismatch, fmt::format("'{}' is damaged at byte {}: {}", key, offset, why), key,
                "run `amp fsck` to see what can be saved");
}

namespace {

/// What is wrong with the frame where a record is due; "" for nothing.
std::string problem_of(const std::optional<frames::Frame>& frame, const Scan& state) {
    if (!frame) {
        return "a broken record, of what had been on the disk";
    }
    const bool mark = frame->type == k_synced_type && frame->seq == 0;
    if (frame->epoch != state.epoch || (!mark && frame->seq != state.next_seq)) {
        return fmt::format("record {} of epoch {} where {} of {} is due", frame->seq, frame->epoch,
                           state.next_seq, state.epoch);
    }
    return {};
}

bool is_damage(std::string_view bytes, std::size_t offset, const Scan& state) {
    return !state.may_be_torn || (state.tells_synced ? was_synced(bytes, offset, state.run, state.epoch)
                                                     : frames::find_next(bytes, offset).has_value());
}

}  // namespace

std::size_t scan(std::string_view bytes, std::size_t offset, const std::string& key, Scan& state,
                 const std::function<void(const Record&)>& each) {
    Record record;
    while (offset < bytes.size()) {
        const std::optional<frames::Frame> frame = frames::read(bytes, offset);
        if (const std::string problem = problem_of(frame, state); !problem.empty()) {
            if (!state.forgiving && is_damage(bytes, offset, state)) {
                fail_damaged(key, offset, problem);
            }
            return offset;
        }
        offset = frame->end;
        if (frame->seq == 0) {
            continue;
        }
        record.seq = frame->seq;
        record.epoch = frame->epoch;
        record.type = frame->type;
        record.payload = json::parse_record(frame->payload, key);
        ++state.next_seq;
        each(record);
    }
    return offset;
}

}  // namespace amp::segments
