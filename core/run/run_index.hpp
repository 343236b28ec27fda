#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// What `amp runs` has to know of runs that have ended, in one file, index/runs: a cache, which may be
/// deleted at any time and is filled again by whoever lists runs. Whoever changes a run that has ended
/// (drives it again, tags it, deletes it) leaves a mark beside it, and a run with a mark is read from its own
/// records. Marks go when the index was written anew from what was read after them.
class RunIndex {
  public:
    struct Entry {
        Value summary;
        std::vector<std::string> tags;
    };

    /// Reads index and marks; a damaged index counts as empty.
    explicit RunIndex(ObjectStore& store);

    /// nullopt: read the run itself.
    std::optional<Entry> find(std::string_view run) const;
    /// What find() takes apart: JSON.
    std::optional<std::string_view> line(std::string_view run) const;
    /// Tags of the runs that it knows, each once, of the newest runs first.
    std::vector<std::string> tags() const;
    /// What was read of a run since: it has ended, and nobody drives it.
    void add(const std::string& run, const Entry& entry);
    /// Writes what is new, without runs that are not in `existing` (sorted), unless somebody else has just
    /// written.
    void save(const std::vector<std::string>& existing, Timestamp now);

  private:
    ObjectStore& store_;
    std::optional<Stored> stored_;
    std::unordered_map<std::string_view, std::string_view> lines_;  ///< views into stored_
    std::map<std::string, std::string> added_;
    std::vector<Listed> marks_;
    std::unordered_map<std::string, std::size_t> marked_;
};

/// To be called after a lease was taken, and both before and after a change without one (tags): from now on
/// everybody reads the run itself.
void mark_run_changed(ObjectStore& store, const std::string& run);
/// Forgets the index.
void drop_run_index(ObjectStore& store);

}  // namespace amp
