#include "core/store/journal_segments.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace amp::segments {
namespace {

constexpr int k_schema = 1;

}  // namespace

std::string name(std::uint32_t epoch, std::uint32_t number) {
    return fmt::format("{:08}-{:08}", epoch, number);
}

std::string header_frame(std::string_view run, std::uint32_t epoch, const Header& header) {
    Object accepted;
    for (const auto& [segment, length] : header.accepted) {
        accepted.emplace(segment, length);
    }
    const Value payload = Object{{"schema", k_schema},
                                 {"run", run},
                                 {"accepted", std::move(accepted)},
                                 {"previous_sha256", header.previous_sha256}};
    std::string out;
    frames::append(out, 0, epoch, k_header_type, json::dump(payload));
    return out;
}

Header parse_header(const frames::Frame& frame, std::string_view run, const std::string& key) {
    const Value payload = json::parse(frame.payload, key);
    if (get_int(payload, "schema") > k_schema) {
        throw Error(ExitCode::invalid, fmt::format("'{}' was written by a newer amp", key), key,
                    "use that amp");
    }
    if (get_string(payload, "run") != run) {
        fail_damaged(key, 0, fmt::format("it belongs to run '{}'", get_string(payload, "run")));
    }
    Header header;
    header.previous_sha256 = get_string(payload, "previous_sha256");
    for (const auto& [segment, length] : get_object(payload, "accepted")) {
        header.accepted[segment] = length.is_int() ? static_cast<std::uint64_t>(length.as_int()) : 0;
    }
    return header;
}

void fail_damaged(const std::string& key, std::size_t offset, std::string_view why) {
    throw Error(ExitCode::mismatch, fmt::format("'{}' is damaged at byte {}: {}", key, offset, why), key,
                "run `amp fsck` to see what can be saved");
}

std::size_t scan(std::string_view bytes, std::size_t offset, const std::string& key, Scan& state,
                 const std::function<void(const Record&)>& each) {
    Record record;
    while (offset < bytes.size()) {
        const std::optional<frames::Frame> frame = frames::read(bytes, offset);
        if (!frame) {
            if (!state.may_be_torn || frames::find_next(bytes, offset + 1)) {
                fail_damaged(key, offset, "a broken record, with sound ones behind it");
            }
            return offset;
        }
        if (frame->epoch != state.epoch || frame->seq != state.next_seq) {
            fail_damaged(key, offset,
                         fmt::format("record {} of epoch {} where {} of {} is due", frame->seq, frame->epoch,
                                     state.next_seq, state.epoch));
        }
        record.seq = frame->seq;
        record.epoch = frame->epoch;
        record.type = frame->type;
        record.payload = json::parse(frame->payload, key);
        ++state.next_seq;
        offset = frame->end;
        each(record);
    }
    return offset;
}

}  // namespace amp::segments
