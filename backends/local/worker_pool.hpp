#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backends/system/event_loop.hpp"

namespace amp {

/// Two threads for what would hold the loop up: unpacking inputs, hashing and storing outputs. They are made
/// when first needed; where the machine allows none, the loop's own thread does the work. Jobs that wait are
/// worked off in groups with one sync behind each group.
class WorkerPool {
  public:
    struct Job {
        std::function<void()> work;  ///< in a worker; must not throw
        /// In the loop's thread, afterwards. @param sync_failure why the group's sync failed; empty: it did
        /// not
        std::function<void(const std::string& sync_failure)> done;
    };

    /// @param sync makes durable what the jobs of a group have written; may throw Error
    WorkerPool(EventLoop& loop, std::function<void()> sync);
    ~WorkerPool();  ///< waits for what runs; what waits is dropped
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void add(Job job);
    /// Jobs whose `done` was not called yet.
    std::size_t busy() const { return busy_; }

  private:
    void start();
    void run();
    void work_off(std::vector<Job> group);
    std::vector<Job> next_group();
    void collect();

    EventLoop& loop_;
    std::function<void()> sync_;
    UniqueFd wake_;
    std::size_t busy_ = 0;
    std::mutex mutex_;
    std::condition_variable more_;
    bool ending_ = false;
    std::deque<Job> waiting_;
    std::vector<std::function<void()>> finished_;
    std::vector<std::thread> threads_;
};

}  // namespace amp
