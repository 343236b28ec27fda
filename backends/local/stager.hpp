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

    /// @param done is given why it failed; empty: it did not. The run stays until then
    void lay_inputs(TaskRun& run, std::function<void(const std::string& problem)> done);
    /// Stores the outputs, puts them (or what is wrong with them) into the run's result, and cleans its
    /// scratch folder.
    void collect(TaskRun& run, std::function<void()> done);

    std::size_t busy() const { return pool_.busy(); }

  private:
    Stores stores_;
    WorkerPool pool_;
};

}  // namespace amp
