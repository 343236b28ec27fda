#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/run/run_data.hpp"
#include "core/run/services.hpp"
#include "core/store/journal.hpp"

namespace amp {

/// A run read from its record and journal: what a resume drives on, and what all looking starts from.
struct ReadRun {
    /// What `data` refers to stays where it is when this moves.
    std::unique_ptr<const RunRecord> record;
    std::unique_ptr<const RecordedFlow> flow;
    std::unique_ptr<RunData> data;
    LogEnd journal_end;
    std::optional<RunEndRecord> end;  ///< unless it was opened again since
};

/// @param each hears every event that counted, with its task
/// @param flow of the record, where it is loaded already
/// @throws Error(not_found), Error(mismatch)
ReadRun read_whole_run(const OpenStore& store, const std::string& run,
                       const std::function<void(const RunEvent&, std::optional<TaskId>)>& each = {},
                       std::unique_ptr<const RecordedFlow> flow = {});

/// Just created, and not driven yet: its driver takes the lease in a moment, unless it died meanwhile.
bool awaits_driver(Services& services, const OpenStore& store, const RunRecord& record);
/// The same of a run that was announced at a time.
bool awaits_driver(Services& services, const OpenStore& store, const std::string& run, Timestamp since);

/// The epochs of a run's keeper logs, ascending.
std::vector<std::uint32_t> keeper_epochs(const OpenStore& store, const std::string& run);

/// What every keeper log tells of attempts that have started and not ended, in keepers that live.
struct LiveStart {
    TaskName task;
    std::uint32_t attempt = 1;
    Timestamp at;
};
std::vector<LiveStart> live_starts(const OpenStore& store, const std::string& run);

}  // namespace amp
