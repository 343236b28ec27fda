// Reading a journal. The newest segment with a sound header decides which bytes of all older segments count;
// what an old driver appended after a take-over is in no such table and is passed over.

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/journal.hpp"
#include "core/store/journal_segments.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_all = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t k_header_guess = 4096;

struct Segment {
    std::string key;
    std::string name;
    std::uint32_t epoch = 0;
    std::uint32_t number = 0;
    std::optional<segments::Header> header;  ///< none: it never came to life
};

std::optional<Segment> parse_name(const std::string& key) {
    Segment segment;
    segment.key = key;
    segment.name = key.substr(key.rfind('/') + 1);
    const std::size_t dash = segment.name.find('-');
    if (segment.name.size() != 17 || dash != 8) {
        return std::nullopt;
    }
    const char* text = segment.name.data();
    const bool epoch_ok = std::from_chars(text, text + 8, segment.epoch).ptr == text + 8;
    const bool number_ok = std::from_chars(text + 9, text + 17, segment.number).ptr == text + 17;
    return epoch_ok && number_ok ? std::optional(segment) : std::nullopt;
}

/// The first frame when it is a sound header. @throws Error(mismatch) when sound records follow a broken one
std::optional<segments::Header> read_header(AppendFiles& files, const Segment& segment,
                                            std::string_view run) {
    for (const std::uint64_t length : {k_header_guess, k_all}) {
        const std::string bytes = files.read(segment.key, 0, length).value_or("");
        const std::optional<frames::Frame> frame = frames::read(bytes, 0);
        if (frame) {
            if (frame->type != segments::k_header_type || frame->epoch != segment.epoch || frame->seq != 0) {
                segments::fail_damaged(segment.key, 0, "it does not begin as a segment does");
            }
            return segments::parse_header(*frame, run, segment.key);
        }
        if (length == k_all && frames::find_next(bytes, 0)) {
            segments::fail_damaged(segment.key, 0, "its first record is broken, with sound ones behind it");
        }
    }
    return std::nullopt;
}

class Reader {
  public:
    Reader(AppendFiles& files, std::string_view run, const std::function<void(const Record&)>& each)
        : files_(files), run_(run), each_(each) {}

    LogEnd read() {
        for (const std::string& key : files_.list(layout::journal_prefix(run_))) {
            if (auto segment = parse_name(key)) {
                end_.epoch = std::max(end_.epoch, segment->epoch);
                all_.push_back(std::move(*segment));
            }
        }
        // From the newest down to the first that lives.
        while (!all_.empty() && !(all_.back().header = read_header(files_, all_.back(), run_))) {
            all_.pop_back();
        }
        if (all_.empty()) {
            return end_;
        }
        const Segment last = all_.back();
        for (const auto& [name, length] : last.header->accepted) {
            read_accepted(name, length);
        }
        read_last(last);
        return end_;
    }

  private:
    std::string load(const Segment& segment, std::uint64_t length) {
        std::string bytes = files_.read(segment.key, 0, length).value_or("");
        if (length != k_all && bytes.size() < length) {
            segments::fail_damaged(segment.key, bytes.size(),
                                   fmt::format("{} bytes were known to be good", length));
        }
        return bytes;
    }

    /// Gives the records of a segment whose header is checked against the chain; returns its sound length.
    std::size_t give(const Segment& segment, std::string_view bytes, bool may_be_torn) {
        const std::optional<frames::Frame> first = frames::read(bytes, 0);
        if (!first || first->type != segments::k_header_type) {
            segments::fail_damaged(segment.key, 0, "its first record is broken");
        }
        if (segments::parse_header(*first, run_, segment.key).previous_sha256 != previous_sha256_) {
            segments::fail_damaged(segment.key, 0, "the segment before it is not the one that it followed");
        }
        segments::Scan state{segment.epoch, end_.next_seq, may_be_torn};
        const std::size_t length = segments::scan(bytes, first->end, segment.key, state, each_);
        end_.next_seq = state.next_seq;
        end_.segment = segment.number;
        end_.length = length;
        end_.accepted[segment.name] = length;
        return length;
    }

    void read_accepted(const std::string& name, std::uint64_t length) {
        const std::optional<Segment> segment = parse_name(layout::journal_prefix(run_) + name);
        if (!segment) {
            throw Error(ExitCode::mismatch, fmt::format("'{}' is no journal segment", name),
                        std::string(run_));
        }
        const std::string bytes = load(*segment, length);
        give(*segment, bytes, false);
        previous_sha256_ = sha256_hex(bytes);
    }

    void read_last(const Segment& segment) {
        const std::string bytes = load(segment, k_all);
        end_.torn_bytes = bytes.size() - give(segment, bytes, true);
    }

    AppendFiles& files_;
    std::string_view run_;
    const std::function<void(const Record&)>& each_;
    std::vector<Segment> all_;
    std::string previous_sha256_;
    LogEnd end_;
};

}  // namespace

LogEnd read_journal(AppendFiles& files, std::string_view run,
                    const std::function<void(const Record&)>& each) {
    return Reader(files, run, each).read();
}

}  // namespace amp
