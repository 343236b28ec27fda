#include "core/store/keeper_log.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/frames.hpp"
#include "core/store/group_commit.hpp"
#include "core/store/journal_segments.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

struct KeeperLogEnd {
    std::uint64_t length = 0;
    std::uint64_t next_seq = 1;
};

std::string key_of(Witness witness, std::string_view run, std::uint32_t epoch) {
    return witness == Witness::keeper ? layout::keeper_log(run, epoch) : layout::starts_log(run, epoch);
}

KeeperLogEnd scan_log(AppendFiles& files, std::string_view run, std::uint32_t epoch,
                      const std::function<void(const Record&)>& each, Witness witness,
                      bool forgiving = false) {
    const std::string key = key_of(witness, run, epoch);
    const std::string bytes = files.read(key, 0, std::numeric_limits<std::uint64_t>::max()).value_or("");
    segments::Scan state{run, epoch, 1, true, true, forgiving};
    const std::uint64_t length = segments::scan(bytes, 0, key, state, each);
    return {length, state.next_seq};
}

}  // namespace

std::uint64_t read_keeper_log(AppendFiles& files, std::string_view run, std::uint32_t epoch,
                              const std::function<void(const Record&)>& each, Witness witness) {
    return scan_log(files, run, epoch, each, witness).length;
}

std::uint64_t salvage_keeper_log(AppendFiles& files, std::string_view run, std::uint32_t epoch,
                                 const std::function<void(const Record&)>& each) {
    return scan_log(files, run, epoch, each, Witness::keeper, true).length;
}

class KeeperLogWriter::Impl {
  public:
    Impl(AppendFiles& files, const std::string& run, std::uint32_t epoch, std::function<void()> before_sync,
         Witness witness)
        : epoch_(epoch) {
        const std::string key = key_of(witness, run, epoch);
        if (files.locked(key)) {
            fail_busy(run);
        }
        const KeeperLogEnd end = scan_log(
            files, run, epoch, [](const Record&) {}, witness);
        next_seq_ = end.next_seq;
        auto file = files.open(key, end.length, Room::reserved);
        if (!file) {
            fail_busy(run);
        }
        const auto mark = [run, epoch](std::uint64_t length) {
            return segments::synced_frame(run, epoch, length);
        };
        commit_ = std::make_unique<GroupCommit>(GroupCommit::Segment{std::move(file), {}},
                                                GroupCommit::Replace(), mark, std::move(before_sync));
    }

    void append(std::string_view type, const Value& payload) {
        payload_.clear();
        json::dump_record_to(payload_, payload);
        frames::append(buffer_, next_seq_++, epoch_, type, payload_);
    }

    void flush() {
        const std::string bytes = std::exchange(buffer_, {});
        commit_->write(bytes);
    }

    void barrier() {
        flush();
        commit_->barrier();
    }

  private:
    [[noreturn]] static void fail_busy(const std::string& run) {
        throw Error(ExitCode::busy, fmt::format("another keeper serves run {}", run), run);
    }

    std::uint32_t epoch_;
    std::uint64_t next_seq_ = 1;
    std::string payload_;
    std::string buffer_;
    std::unique_ptr<GroupCommit> commit_;
};

KeeperLogWriter::KeeperLogWriter(AppendFiles& files, std::string run, std::uint32_t epoch,
                                 std::function<void()> before_sync, Witness witness)
    : impl_(std::make_unique<Impl>(files, run, epoch, std::move(before_sync), witness)) {}

KeeperLogWriter::~KeeperLogWriter() {
    try {
        impl_->flush();
    } catch (const std::exception&) {
        // Who needs to know calls barrier before.
    }
}

void KeeperLogWriter::append(std::string_view type, const Value& payload) {
    impl_->append(type, payload);
}
void KeeperLogWriter::flush() {
    impl_->flush();
}
void KeeperLogWriter::barrier() {
    impl_->barrier();
}

}  // namespace amp
