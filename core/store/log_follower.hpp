#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/ports/append_files.hpp"
#include "core/store/journal.hpp"

namespace amp {

/// Follows a run's journal from its start: each poll gives the records that were appended since. Reads only
/// what is new, until another segment begins: then the journal is read again as a whole, since a take-over
/// decides what of the older ones counts.
class JournalFollower {
  public:
    JournalFollower(AppendFiles& files, std::string run);

    /// @param restart called before records that were given are given again: forget them
    /// @param each hears a record, and whether it was never given before
    /// @throws Error(mismatch) as read_journal
    void poll(const std::function<void()>& restart,
              const std::function<void(const Record&, bool fresh)>& each);

  private:
    std::string newest() const;

    AppendFiles& files_;
    std::string run_;
    LogEnd end_;
    std::string key_;                               ///< of the segment that is being followed
    std::map<std::uint32_t, std::uint64_t> given_;  ///< by epoch, the last sequence number
};

/// Follows what a run's keepers, and its drivers elsewhere, see: starts and ends, of all epochs.
class KeeperFollower {
  public:
    KeeperFollower(AppendFiles& files, std::string run);
    void poll(const std::function<void(const Record&)>& each);

  private:
    struct Place {
        std::uint64_t offset = 0;
        std::uint64_t next_seq = 1;
    };
    AppendFiles& files_;
    std::string run_;
    std::map<std::string, Place> places_;  ///< by key
};

}  // namespace amp
