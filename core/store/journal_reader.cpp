// Reading a journal. The newest segment with a sound header decides which bytes of all older segments count;
// what an old driver appended after a take-over is in no such table and is passed over.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/journal.hpp"
#include "core/store/journal_glance.hpp"
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

/// The first frame when it is a sound header. @throws Error(mismatch) when it is broken and had been synced
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
        if (length == k_all && segments::was_synced(bytes, 0, run, segment.epoch)) {
            segments::fail_damaged(segment.key, 0, "its first record is broken, which had been on the disk");
        }
    }
    return std::nullopt;
}

/// All segments of a run in order, up to the newest that lives, which has its header.
std::vector<Segment> list_segments(AppendFiles& files, std::string_view run, std::uint32_t& highest_epoch) {
    std::vector<Segment> all;
    for (const std::string& key : files.list(layout::journal_prefix(run))) {
        if (auto segment = parse_name(key)) {
            highest_epoch = std::max(highest_epoch, segment->epoch);
            all.push_back(std::move(*segment));
        }
    }
    while (!all.empty() && !(all.back().header = read_header(files, all.back(), run))) {
        all.pop_back();
    }
    return all;
}

class Reader {
  public:
    Reader(AppendFiles& files, std::string_view run, const std::function<void(const Record&)>& each)
        : files_(files), run_(run), each_(each) {}

    LogEnd read() {
        const std::vector<Segment> all = list_segments(files_, run_, end_.epoch);
        if (all.empty()) {
            return end_;
        }
        const Segment& last = all.back();
        end_.packs = last.header->packs;
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
        const segments::Header header = segments::parse_header(*first, run_, segment.key);
        if (header.previous_sha256 != previous_sha256_) {
            segments::fail_damaged(segment.key, 0, "the segment before it is not the one that it followed");
        }
        segments::Scan state{run_, segment.epoch, end_.next_seq, may_be_torn, header.tells_synced};
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
    std::string previous_sha256_;
    LogEnd end_;
};

}  // namespace

std::map<std::string, std::uint64_t> accepted_packs(AppendFiles& files, std::string_view run) {
    std::uint32_t epoch = 0;
    const std::vector<Segment> all = list_segments(files, run, epoch);
    return all.empty() ? std::map<std::string, std::uint64_t>() : all.back().header->packs;
}

LogEnd read_journal(AppendFiles& files, std::string_view run,
                    const std::function<void(const Record&)>& each) {
    return Reader(files, run, each).read();
}

void glance_journal(AppendFiles& files, std::string_view run, std::uint64_t limit,
                    const std::function<void(const JournalText&)>& each) {
    std::uint32_t highest = 0;
    const std::vector<Segment> all = list_segments(files, run, highest);
    if (all.empty()) {
        return;
    }
    const auto give = [&](const std::string& key, std::uint64_t length) {
        const std::string bytes = files.read(key, 0, std::min(length, limit)).value_or("");
        limit -= bytes.size();
        for (auto frame = frames::read(bytes, 0); frame; frame = frames::read(bytes, frame->end)) {
            if (frame->seq != 0) {
                each({frame->type, frame->payload});
            }
        }
    };
    for (const auto& [name, length] : all.back().header->accepted) {
        give(layout::journal_prefix(run) + name, length);
    }
    give(all.back().key, k_all);
}

namespace {

class Salvager {
  public:
    Salvager(AppendFiles& files, std::string_view run, const std::function<void(const Record&)>& each)
        : files_(files), run_(run), each_(each) {}

    Salvage salvage() {
        const std::optional<Segment> newest = find_newest();
        if (!newest) {
            return std::move(out_);
        }
        out_.end.packs = newest->header->packs;
        for (const auto& [name, length] : newest->header->accepted) {
            const std::optional<Segment> segment = parse_name(layout::journal_prefix(run_) + name);
            if (!segment || !take(*segment, length)) {
                return std::move(out_);
            }
        }
        take(*newest, k_all);
        return std::move(out_);
    }

  private:
    std::optional<Segment> find_newest() {
        std::vector<Segment> all;
        for (const std::string& key : files_.list(layout::journal_prefix(run_))) {
            if (auto segment = parse_name(key)) {
                out_.end.epoch = std::max(out_.end.epoch, segment->epoch);
                all.push_back(std::move(*segment));
            }
        }
        for (; !all.empty(); all.pop_back()) {
            try {
                if ((all.back().header = read_header(files_, all.back(), run_))) {
                    return all.back();
                }
            } catch (const Error& error) {
                problem(all.back(), 0, error.message());
            }
        }
        return std::nullopt;
    }

    void problem(const Segment& segment, std::uint64_t offset, std::string what) {
        out_.problems.push_back({segment.key, offset, std::move(what)});
    }

    /// Gives a segment's records. False when what follows no longer counts.
    bool take(const Segment& segment, std::uint64_t accepted) {
        const std::string whole = files_.read(segment.key, 0, k_all).value_or("");
        const std::string_view bytes = std::string_view(whole).substr(0, accepted);
        const std::optional<frames::Frame> first = frames::read(bytes, 0);
        std::optional<segments::Header> header;
        try {
            header = first ? std::optional(segments::parse_header(*first, run_, segment.key)) : std::nullopt;
        } catch (const Error& error) {
            problem(segment, 0, error.message());
            return false;
        }
        if (!header || header->previous_sha256 != previous_sha256_) {
            problem(segment, 0, whole.empty() ? "it is missing" : "it does not follow the one before it");
            return false;
        }
        segments::Scan state{run_, segment.epoch, out_.end.next_seq, true, header->tells_synced, true};
        const std::size_t good = segments::scan(bytes, first->end, segment.key, state, each_);
        out_.end.next_seq = state.next_seq;
        out_.end.segment = segment.number;
        out_.end.length = good;
        out_.end.torn_bytes = (accepted == k_all || good < accepted) ? whole.size() - good : 0;
        out_.end.accepted[segment.name] = good;
        previous_sha256_ = sha256_hex(bytes.substr(0, good));
        const bool damaged =
            accepted == k_all ? good < bytes.size() && segments::was_synced(bytes, good, run_, segment.epoch)
                              : good < accepted;
        if (damaged) {
            problem(segment, good, "a record that had been on the disk is broken or missing");
        }
        return !damaged;
    }

    AppendFiles& files_;
    std::string_view run_;
    const std::function<void(const Record&)>& each_;
    std::string previous_sha256_;
    Salvage out_;
};

}  // namespace

Salvage salvage_journal(AppendFiles& files, std::string_view run,
                        const std::function<void(const Record&)>& each) {
    return Salvager(files, run, each).salvage();
}

}  // namespace amp
