#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.hpp"

namespace amp {

/// A task's scratch folder: `$AMP_TASK_DIR` with `in` and `out` in it.
class Scratch {
  public:
    explicit Scratch(std::string folder);

    const std::string& folder() const { return folder_; }
    const std::string& in() const { return in_; }
    const std::string& out() const { return out_; }

    /// `rank-R` in the folder: what is R's own in a gang; `out` in it is $AMP_OUT of that rank. Once more
    /// does no harm. @throws Error
    void add_rank(std::uint32_t rank) const;
    /// $AMP_OUT of a rank; that of rank 0 is the task's.
    std::string out_of(std::uint32_t rank) const;

    /// How often the folder was made: another number, another folder at the same place.
    std::uint64_t made() const { return made_; }
    /// True when all folders are as they were made. Six system calls.
    bool is_pristine() const;
    /// True when nothing lies in `out`. Two system calls.
    bool is_out_empty() const;
    /// The same of another rank.
    bool is_out_empty(std::uint32_t rank) const;
    /// Removes what a task left, and makes again what it removed. May run in another thread.
    void clean();

  private:
    void open();

    std::string folder_;
    std::string in_;
    std::string out_;
    UniqueFd folder_fd_;
    UniqueFd in_fd_;
    UniqueFd out_fd_;
    ino_t in_inode_ = 0;
    ino_t out_inode_ = 0;
    std::uint64_t made_ = 0;
};

/// A run's scratch folders, below `$AMP_SCRATCH`, `$TMPDIR` or /tmp. A folder that was left empty is handed
/// to the next task, so that a task which writes nothing costs no folder. All are removed at the end.
class ScratchPool {
  public:
    /// @param name of the run's own folder. @throws Error when it cannot be made, or its parent is not ours
    /// alone
    explicit ScratchPool(std::string_view name);
    ~ScratchPool();
    ScratchPool(const ScratchPool&) = delete;
    ScratchPool& operator=(const ScratchPool&) = delete;

    std::unique_ptr<Scratch> take();  /// Lets go of one that was not used, so that it holds no descriptors.
    static void discard(std::unique_ptr<Scratch> scratch);
    /// Takes back a clean one.
    void give_back(std::unique_ptr<Scratch> scratch);

    /// For all of the run's tasks: a folder whose only file `amp` leads to `binary`.
    std::string make_program_folder(const std::string& binary) const;

    /// For all of the run's tasks: a folder with the Python package `amp` in it; empty when there is no room
    /// for it.
    std::string make_python_folder() const;

    /// The run's own folder.
    const std::string& folder() const { return base_; }
    /// Where unpacked objects are kept for all runs of this user on this node.
    const std::string& cache_folder() const { return cache_; }

  private:
    std::string base_;
    UniqueFd lock_;  ///< on base_: shows that its keeper lives
    std::string cache_;
    std::size_t made_ = 0;
    std::vector<std::unique_ptr<Scratch>> free_;
};

/// `parent`/amp-<uid>, made when it is missing. @throws Error(infrastructure) unless it belongs to us alone
std::string private_folder(const std::string& parent);

}  // namespace amp
