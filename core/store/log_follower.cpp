#include "core/store/log_follower.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/store/journal_segments.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_all = std::numeric_limits<std::uint64_t>::max();

/// The records of a log behind `offset`; what is not whole yet waits.
std::uint64_t scan_new(AppendFiles& files, const std::string& key, std::uint64_t offset,
                       segments::Scan& state, const std::function<void(const Record&)>& each) {
    if (files.size(key) <= offset) {
        return offset;
    }
    const std::string bytes = files.read(key, offset, k_all).value_or("");
    state.forgiving = true;  // whether a bad place is damage is for those to say who read it whole
    return offset + segments::scan(bytes, 0, key, state, each);
}

}  // namespace

JournalFollower::JournalFollower(AppendFiles& files, std::string run) : files_(files), run_(std::move(run)) {}

std::string JournalFollower::newest() const {
    const auto keys = files_.list(layout::journal_prefix(run_));
    return keys.empty() ? std::string() : keys.back();
}

void JournalFollower::poll(const std::function<void()>& restart,
                           const std::function<void(const Record&, bool fresh)>& each) {
    const auto give = [&](const Record& record) {
        std::uint64_t& last = given_[record.epoch];
        const bool fresh = record.seq > last;
        last = std::max(last, record.seq);
        each(record, fresh);
    };
    if (const std::string key = newest(); key != key_) {
        restart();
        end_ = read_journal(files_, run_, give);
        // A segment that has no header yet does not count: it is looked at again.
        key_ = end_.accepted.empty() ? "" : layout::journal_prefix(run_) + end_.accepted.rbegin()->first;
        return;
    }
    if (key_.empty()) {
        return;
    }
    const std::string name = key_.substr(key_.rfind('/') + 1);
    std::uint32_t epoch = 0;
    std::from_chars(name.data(), name.data() + name.find('-'), epoch);
    segments::Scan state{run_, epoch, end_.next_seq};
    end_.length = scan_new(files_, key_, end_.length, state, give);
    end_.next_seq = state.next_seq;
}

KeeperFollower::KeeperFollower(AppendFiles& files, std::string run) : files_(files), run_(std::move(run)) {}

void KeeperFollower::poll(const std::function<void(const Record&)>& each) {
    for (const std::string& prefix : {layout::keeper_prefix(run_), layout::starts_prefix(run_)}) {
        for (const std::string& key : files_.list(prefix)) {
            std::uint32_t epoch = 0;
            const char* end = key.data() + key.size();
            if (std::from_chars(key.data() + prefix.size(), end, epoch).ptr != end) {
                continue;
            }
            Place& place = places_[key];
            segments::Scan state{run_, epoch, place.next_seq};
            place.offset = scan_new(files_, key, place.offset, state, each);
            place.next_seq = state.next_seq;
        }
    }
}

}  // namespace amp
