#pragma once

#include <functional>
#include <string>

#include "backends/local/task_run.hpp"
#include "backends/local/worker_pool.hpp"
#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Lays the inputs and stores the outputs of tasks, beside the loop.
class Stager {
  public:
    struct Stores {
        ObjectStore& objects;
        AppendFiles& files;
        PackWriter& packs;
        std::string folder;  ///< of the store
        std::string cache;   ///< for unpacked objects
    };

    Stager(EventLoop& loop, Stores stores);
    ~Stager();  ///< prunes the cache

    /// And its checkpoint, where there is one.
    /// @param done is given why it failed; empty: it did not. The run stays until then
    void lay_inputs(TaskRun& run, std::function<void(const std::string& problem)> done);
    /// Stores the outputs, puts them (or what is wrong with them) into the run's result, and cleans its
    /// scratch folder.
    void collect(TaskRun& run, std::function<void()> done);

    /// Saves its checkpoint. @param quiet_s as Checkpoint::save
    /// @param done is given why it could not be saved (empty: it is), and remarks
    void save(TaskRun& run, double quiet_s,
              std::function<void(const std::string& problem, const std::vector<std::string>& notes)> done);

    /// Removes its folder.
    void discard(const std::shared_ptr<Checkpoint>& checkpoint);

    std::size_t busy() const { return pool_.busy(); }
    /// Why nothing more can be stored by this process (a sync failed, and the store takes no more of it);
    /// empty: it can.
    const std::string& failure() const { return failure_; }
    std::size_t saving() const { return savers_.busy(); }

  private:
    Stores stores_;
    std::string failure_;
    WorkerPool pool_;
    WorkerPool savers_;  ///< of checkpoints, which may be large: nobody else waits for them
};

}  // namespace amp
