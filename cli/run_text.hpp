#pragma once

#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/engine/plan.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/task_text.hpp"

namespace amp {

/// "2026-11-20 08:15:30 UTC".
std::string time_text(Timestamp time);
/// "08:15:30".
std::string clock_text(Timestamp time);
/// "12ms", "4.2s", "1h30m".
std::string duration_text(double seconds);
/// How a process ended: "0", "1", "KILL" for signal 9, "-" when it never ran.
std::string exit_text(const AttemptResult& result);
/// The same of one rank of a gang.
std::string exit_text(const RankEnd& end);
/// "user: output 'model' is missing", "user: exit status 1": why an attempt failed, on one line.
std::string failure_text(const AttemptResult& result);
/// "38 succeeded, 1 failed, 1 blocked", in the order of the states.
std::string counts_text(const Plan::Counts& counts);
Value counts_value(const Plan::Counts& counts);
std::uint64_t count_all(const Plan::Counts& counts);
/// `name=value` in JSON, one blank apart.
std::string pairs_text(const Value& object);
/// What others wrote, in one line: as printable(), but blanks for newlines and tabs.
std::string one_line(std::string_view text);
/// RUN/STEP, with the index where there is one: what `amp logs` takes.
std::string task_reference(const std::string& run, const TaskName& task);

}  // namespace amp
