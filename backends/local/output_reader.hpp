#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backends/local/task_run.hpp"

namespace amp {

/// Reads what tasks print, without ever waiting for more, and fairly: one read a process and wake-up.
class OutputReader {
  public:
    OutputReader(EventLoop& loop, PackWriter& packs);

    /// Who else hears all that is printed, as it goes into the log.
    void set_echo(std::function<void(std::string_view)> echo) { echo_ = std::move(echo); }

    /// A task was just started.
    void watch(TaskRun& run);
    /// Reads what is left, without waiting for processes that still hold the pipe, closes it and ends the
    /// log.
    void finish(TaskRun& run);

  private:
    enum class Read { some, nothing, end };
    Read read_once(TaskRun& run, TaskProcess& process);
    void heard(TaskRun& run, TaskProcess& process);
    void let_go(TaskProcess& process);
    void keep(TaskProcess& process, std::string_view bytes);
    void finish(TaskRun& run, TaskProcess& process);

    EventLoop& loop_;
    PackWriter& packs_;
    std::string buffer_;
    std::string masked_;
    std::function<void(std::string_view)> echo_;
};

}  // namespace amp
