#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/task/masker.hpp"
#include "core/task/report_recorder.hpp"

namespace amp {

/// `report` in a task's scratch folder, read as it grows. What lies there is the task's to choose: no link is
/// followed, nothing but a regular file is read, and a file that was cut or replaced is read from its start.
class ReportFile {
  public:
    ReportFile(std::string path, PackWriter& packs, const TaskName& task, std::uint32_t attempt,
               std::shared_ptr<const MaskPatterns> masks = nullptr);

    /// Reads at most 1 MiB of what is new. True when there may be more.
    bool read_some(Timestamp now);
    /// Reads all the rest and ends the report. May run in another thread.
    void finish(Timestamp now);

    ReportRecorder& recorder() { return recorder_; }
    /// For the task's log.
    std::vector<std::string> remarks() const;

  private:
    void begin_masking();
    void take(std::string_view bytes, Timestamp now);

    std::string path_;
    ReportRecorder recorder_;
    std::shared_ptr<const MaskPatterns> masks_;
    std::unique_ptr<Masker> masker_;  ///< before the recorder
    std::uint64_t offset_ = 0;
    ino_t inode_ = 0;
    bool irregular_ = false;  ///< it was something else than a file
};

}  // namespace amp
