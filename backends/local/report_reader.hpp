#pragma once

#include <string>
#include <unordered_map>

#include "backends/local/task_run.hpp"

namespace amp {

/// Reads what tasks tell of themselves while they run, woken by inotify: a task that tells nothing costs
/// nothing, one that tells a lot is read some times a second. Where the machine has no watches left, all of
/// it is read at the task's end.
class ReportReader {
  public:
    ReportReader(EventLoop& loop, PackWriter& packs);
    ~ReportReader();
    ReportReader(const ReportReader&) = delete;
    ReportReader& operator=(const ReportReader&) = delete;

    /// A task is about to be started.
    void watch(TaskRun& run);
    /// It has ended: nothing more is read here, and what is left may be read in another thread.
    void let_go(TaskRun& run);

  private:
    struct Place {
        std::uint64_t made = 0;  ///< of the scratch folder: a new one needs a new watch
        TaskRun* run = nullptr;
    };

    void heard();
    void take_events();
    void told(TaskRun& run);
    void read(TaskRun& run);

    EventLoop& loop_;
    PackWriter& packs_;
    UniqueFd events_;
    std::unordered_map<std::string, Place> places_;  ///< by scratch folder
    std::unordered_map<int, Place*> watches_;
    EventLoop::TimerId pause_ = 0;
};

/// What its report holds that is not in the packs yet, comes there within a moment.
void write_soon(EventLoop& loop, TaskRun& run);

}  // namespace amp
