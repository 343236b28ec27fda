#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

// What a task tells of itself while it runs: each appends a line to $AMP_TASK_DIR/report
// (core/task/report_line). Outside of a task they say so and succeed, so that a script can also be run alone.

/// `amp metric NAME=VALUE... [--step N]`.
struct MetricCommand {
    std::vector<std::string> values;
    std::optional<std::int64_t> step;
};

/// `amp note TEXT...`.
struct NoteCommand {
    std::vector<std::string> words;
};

/// `amp link TITLE URL`.
struct LinkCommand {
    std::string title;
    std::string url;
};

/// `amp progress 0.4|40% [TEXT...]`.
struct ProgressCommand {
    std::string done;
    std::vector<std::string> words;
};

ExitCode execute(Session& session, const MetricCommand& command);
ExitCode execute(Session& session, const NoteCommand& command);
ExitCode execute(Session& session, const LinkCommand& command);
ExitCode execute(Session& session, const ProgressCommand& command);

}  // namespace amp
