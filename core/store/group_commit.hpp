#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/ports/append_files.hpp"

namespace amp {

/// Writes a log and syncs it in a thread of its own, many writes with one sync: what was written is on the
/// disk within 50 ms, or when a barrier returns. Keeps what is not synced in memory, so that a file that
/// fails once can be replaced. One thread writes; barrier may be called from any.
class GroupCommit {
  public:
    /// A file to write to, and what it holds already besides the tail.
    struct Segment {
        std::unique_ptr<AppendFile> file;
        std::string header;
    };
    /// What is known to be good of a file that is given up.
    struct Closed {
        std::uint64_t length = 0;
        std::string sha256;
    };
    /// Opens the file that follows and appends its header and `tail` in one write.
    using Replace = std::function<Segment(const Closed&, std::string_view tail)>;
    /// A record that says: the first `length` bytes of this file are on the disk.
    using Mark = std::function<std::string(std::uint64_t length)>;

    /// @param replace called at a roll and after the first failure; empty: the first failure is final
    /// @param mark written before the next write, once a sync is done, and at the end: it costs no sync
    /// @param before_sync called in the syncing thread before each sync; what it throws is final
    GroupCommit(Segment first, Replace replace, Mark mark, std::function<void()> before_sync);
    ~GroupCommit();  ///< syncs; errors are lost
    GroupCommit(const GroupCommit&) = delete;
    GroupCommit& operator=(const GroupCommit&) = delete;

    /// Hands whole records to the kernel. @throws Error after a second failure, and for ever after
    void write(std::string_view bytes);
    /// Returns when all that was written is on the disk. @throws as write
    void barrier();
    /// Goes on in a new file; the old one is synced.
    void roll();
    /// The length of the file in bytes.
    std::uint64_t length() const;
    bool degraded() const;

  private:
    using Lock = std::unique_lock<std::mutex>;
    bool dirty() const { return !fatal_ && durable_ < written_; }
    void run();
    void sync_once(Lock& lock);
    void confirm(std::uint64_t file_length, std::uint64_t written);
    void recover(const std::exception_ptr& failure);
    void switch_file();
    std::string next_mark();
    void take_marks_off_tail();
    void throw_if_fatal() const;

    Replace replace_;
    Mark mark_;
    std::function<void()> before_sync_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;  ///< the thread: something to sync, urgency, the end
    std::condition_variable done_;  ///< barriers: something was synced, or all is lost
    std::shared_ptr<AppendFile> file_;
    std::string header_;  ///< of file_, until it is synced
    std::string tail_;    ///< records in file_ that are not synced
    /// Where marks lie in tail_ (offset, length): they are true of this file alone.
    std::vector<std::pair<std::size_t, std::size_t>> marks_;
    std::uint64_t confirmed_ = 0;  ///< bytes of file_ that a sync of ours has covered
    std::uint64_t marked_ = 0;     ///< as the last mark says
    Sha256 hash_;                  ///< of the synced bytes of file_
    std::uint64_t file_length_ = 0;
    std::uint64_t file_synced_ = 0;
    std::uint64_t generation_ = 0;  ///< counts the files
    std::uint64_t written_ =
        0;  ///< bytes of records, all files together; the header counts as the first byte
    std::uint64_t durable_ = 0;
    bool urgent_ = false;
    bool stop_ = false;
    bool degraded_ = false;
    std::exception_ptr fatal_;
    std::thread thread_;
};

}  // namespace amp
