#include "core/store/journal.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/store/frames.hpp"
#include "core/store/group_commit.hpp"
#include "core/store/journal_segments.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_segment_bytes = std::uint64_t{16} << 20;

}  // namespace

class JournalWriter::Impl {
  public:
    Impl(AppendFiles& files, std::string run, std::uint32_t epoch, const LogEnd& end,
         std::function<void()> before_sync)
        : files_(files), run_(std::move(run)), epoch_(epoch), next_seq_(end.next_seq) {
        if (epoch <= end.epoch) {
            throw Error(ExitCode::bug, fmt::format("epoch {} of the journal of {} is not new", epoch, run_),
                        run_);
        }
        header_.accepted = end.accepted;
        if (!end.accepted.empty()) {
            take_over(end);
        }
        const auto replace = [this](const GroupCommit::Closed& closed, std::string_view tail) {
            return open_next(closed, tail);
        };
        const auto mark = [this](std::uint64_t length) {
            return segments::synced_frame(run_, epoch_, length);
        };
        commit_ = std::make_unique<GroupCommit>(open_next({}, {}), replace, mark, std::move(before_sync));
    }

    void append(std::string_view type, const Value& payload) {
        payload_.clear();
        json::dump_record_to(payload_, payload);
        frames::append(buffer_, next_seq_++, epoch_, type, payload_);
    }

    void flush() {
        if (buffer_.empty()) {
            return;
        }
        if (commit_->length() + buffer_.size() + 2 * segments::k_synced_room > k_segment_bytes) {
            commit_->roll();
        }
        const std::string bytes = std::exchange(buffer_, {});
        commit_->write(bytes);
    }

    void barrier() {
        flush();
        commit_->barrier();
    }

    bool degraded() const { return commit_->degraded(); }

  private:
    std::string key(const std::string& segment) const { return layout::journal_prefix(run_) + segment; }

    /// Notes the hash of the last older segment, for the chain, and saves what is torn behind it. What is
    /// accepted of that segment is made durable: its own writer may have died before.
    void take_over(const LogEnd& end) {
        const std::string last = end.accepted.rbegin()->first;
        files_.sync(key(last));
        header_.packs = packs_of_the_dead(end.packs);
        const std::string bytes = files_.read(key(last), 0, end.length + end.torn_bytes).value_or("");
        header_.previous_sha256 = sha256_hex(std::string_view(bytes).substr(0, end.length));
        if (end.torn_bytes > 0) {
            const auto copy = files_.open(layout::torn_copy(run_, last), 0);
            if (copy) {
                copy->append(std::string_view(bytes).substr(end.length));
                copy->sync();
            }
        }
    }

    /// How much counts of the packs of older epochs. A keeper that lives goes on with its own.
    std::map<std::string, std::uint64_t> packs_of_the_dead(std::map<std::string, std::uint64_t> packs) {
        const std::string mine = layout::pack(run_, epoch_, 0);
        for (const std::string& pack : files_.list(layout::pack_prefix(run_))) {
            const std::optional<std::uint32_t> writer = layout::epoch_of(pack);
            if (pack < mine && writer && !packs.contains(pack) &&
                !files_.locked(layout::keeper_log(run_, *writer))) {
                packs[pack] = files_.size(pack);
            }
        }
        return packs;
    }

    /// Called before the commit thread starts, and then only by GroupCommit under its lock.
    GroupCommit::Segment open_next(const GroupCommit::Closed& closed, std::string_view tail) {
        if (closed.length > 0) {
            header_.accepted[segments::name(epoch_, number_)] = closed.length;
            header_.previous_sha256 = closed.sha256;
        }
        ++number_;
        const std::string name = segments::name(epoch_, number_);
        GroupCommit::Segment next{files_.open(key(name), 0, Room::reserved),
                                  segments::header_frame(run_, epoch_, header_)};
        if (!next.file) {
            throw Error(ExitCode::busy, fmt::format("another process writes the journal of {}", run_), run_);
        }
        // In one write, so that our death in between cannot fence off records that were handed over before.
        try {
            next.file->append(next.header + std::string(tail));
        } catch (const Error&) {
            // Half of it would fence off what the older segment holds whole: leave nothing.
            next.file.reset();
            files_.open(key(name), 0);
            throw;
        }
        return next;
    }

    AppendFiles& files_;
    std::string run_;
    std::uint32_t epoch_;
    std::uint32_t number_ = 0;
    std::uint64_t next_seq_;
    segments::Header header_;
    std::string payload_;
    std::string buffer_;
    std::unique_ptr<GroupCommit> commit_;
};

JournalWriter::JournalWriter(AppendFiles& files, std::string run, std::uint32_t epoch, const LogEnd& end,
                             std::function<void()> before_sync)
    : impl_(std::make_unique<Impl>(files, std::move(run), epoch, end, std::move(before_sync))) {}

// What was not flushed may name what could not be made durable before it.
JournalWriter::~JournalWriter() = default;

void JournalWriter::append(std::string_view type, const Value& payload) {
    impl_->append(type, payload);
}
void JournalWriter::flush() {
    impl_->flush();
}
void JournalWriter::barrier() {
    impl_->barrier();
}
bool JournalWriter::degraded() const {
    return impl_->degraded();
}

}  // namespace amp
