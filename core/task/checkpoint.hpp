#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/package/manifest.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// $AMP_CHECKPOINT of one task: saved into the store from time to time, and laid back where the folder is not
/// there any more. What is saved are objects and a manifest of them, runs/RUN/checkpoints/TASK/SEQ.json,
/// which is written last: a save is there as a whole or not at all. The latest two stay. Bounded memory, but
/// for the names of the files. Not thread-safe: one call at a time.
class Checkpoint {
  public:
    /// @param task all rounds of it have one checkpoint
    Checkpoint(std::string folder, ObjectStore& store, std::string run, const TaskName& task);

    const std::string& folder() const { return folder_; }
    /// The folder is as the task's last attempt left it, or was laid by lay().
    bool is_laid() const { return laid_; }

    /// Makes the folder and lays into it what was saved last, as copies; when that is damaged, what was saved
    /// before. Done once.
    /// @return what is wrong with what was saved; empty: nothing
    std::vector<std::string> lay();

    struct Saved {
        bool written = false;            ///< false: nothing has changed since the last time
        std::vector<std::string> notes;  ///< what was left out, and why
    };
    /// Saves what has changed; durable on return. A file that is being written is left for the next time, and
    /// what was saved of it before stands: one that changes while it is read, and, once, one that has changed
    /// within `quiet_s`.
    /// @throws Error when the store cannot be written
    Saved save(Timestamp now, std::uint32_t attempt, double quiet_s);

  private:
    /// What tells that a file has not changed.
    struct Known {
        std::int64_t mtime_ns = 0;
        std::uint64_t size = 0;
        std::uint64_t inode = 0;
        ManifestEntry entry;
    };
    void walk(const std::string& inner, std::map<std::string, Known>& seen, Saved& saved);
    void add_file(const std::string& path, std::map<std::string, Known>& seen, Saved& saved);
    void add_link(const std::string& path, Saved& saved);
    std::optional<Known> read_file(const std::string& path) const;
    void lay_manifest(const Manifest& manifest);
    std::string path_of(const std::string& inner) const { return folder_ + "/" + inner; }

    std::string folder_;
    ObjectStore& store_;
    std::string run_;
    std::string task_;
    bool laid_ = false;
    std::uint32_t last_ = 0;  ///< of the saves
    std::string last_text_;   ///< its manifest
    std::map<std::string, Known> known_;

    // Of the save that is under way.
    Manifest manifest_;
    std::set<std::string> left_before_;  ///< since they were young
    std::set<std::string> left_;
    std::int64_t quiet_before_ns_ = 0;
};

/// A task of `to` begins with what the same task of `from` saved last; unless it has saved something itself.
void take_over_checkpoint(ObjectStore& store, const std::string& from, const std::string& to,
                          const TaskName& task);
/// A task has succeeded: what it saved goes.
void drop_checkpoint(ObjectStore& store, const std::string& run, const TaskName& task);
/// All tasks of a run have.
void drop_checkpoints(ObjectStore& store, const std::string& run);

}  // namespace amp
