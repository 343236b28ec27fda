#pragma once

#include <string>

#include "backends/local/task_run.hpp"

namespace amp {

/// Reads what tasks print, without ever waiting for more, and fairly: one read a task and wake-up.
class OutputReader {
  public:
    OutputReader(EventLoop& loop, PackWriter& packs);

    /// A task was just started.
    void watch(TaskRun& run);
    /// Reads what is left, without waiting for processes that still hold the pipe, closes it and ends the
    /// log.
    void finish(TaskRun& run);

  private:
    enum class Read { some, nothing, end };
    Read read_once(TaskRun& run);
    void heard(TaskRun& run);
    void let_go(TaskRun& run);

    EventLoop& loop_;
    PackWriter& packs_;
    std::string buffer_;
};

}  // namespace amp
