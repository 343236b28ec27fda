#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "backends/agent/channel.hpp"
#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Sends what is appended to the packs of a run's keepers, in the order in which it was seen.
class PackTail {
  public:
    /// @param first, last the numbers of the keepers that count
    /// @param have how much of each pack the other side has
    PackTail(AppendFiles& files, std::string run, std::uint32_t first, std::uint32_t last,
             std::map<std::string, std::uint64_t> have);

    /// Looks for new bytes.
    void look();
    /// How much has been seen; once sent() is as much, all that was seen until now is on its way.
    std::uint64_t seen() const { return seen_; }
    std::uint64_t sent() const { return sent_; }
    bool idle() const { return stretches_.empty(); }
    /// Sends until the channel holds enough that it has not got rid of.
    void fill(agent::Channel& channel);

  private:
    struct Stretch {
        std::string key;
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };

    AppendFiles& files_;
    std::string run_;
    std::uint32_t first_;
    std::uint32_t last_;
    std::map<std::string, std::uint64_t> queued_;  ///< how much of each was seen
    std::map<std::uint32_t, std::string> newest_;  ///< of each keeper: those before it are complete
    std::deque<Stretch> stretches_;
    std::uint64_t seen_ = 0;
    std::uint64_t sent_ = 0;
};

/// The other end: copies of packs, byte for byte. Several may write one copy, one after the other or at once:
/// they write the same.
class PackMirror {
  public:
    PackMirror(AppendFiles& files, std::string run, std::uint32_t first, std::uint32_t last)
        : files_(files), run_(std::move(run)), first_(first), last_(last) {}

    /// How much of each pack is here.
    std::map<std::string, std::uint64_t> lengths();
    /// @throws Error(mismatch) when there is a gap before it; Error(busy) when another process writes just
    /// now
    void take(std::string_view payload);
    bool dirty() const { return !dirty_.empty(); }
    void sync();

  private:
    AppendFiles& files_;
    std::string run_;
    std::uint32_t first_;
    std::uint32_t last_;
    std::set<std::string> dirty_;
};

}  // namespace amp
