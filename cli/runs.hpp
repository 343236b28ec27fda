#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/time.hpp"

namespace amp {

struct Project;
struct Session;
struct RunFilter;

/// `amp runs`: the runs of the project, newest first.
struct RunsCommand {
    std::string flow;
    std::string tag;
    std::string state;
    std::string since;  ///< a time, a date, or how long ago: "2d"
    std::string until;
    std::string where;
    std::string sort;
    std::size_t limit = 0;  ///< 0: all
    bool all = false;
};

/// A time, a date, or how long ago; nullopt for empty text. @throws Error(usage) naming the option
std::optional<Timestamp> parse_when(std::string_view option, const std::string& text, Timestamp now);

/// @throws Error(usage)
RunFilter filter_of(const RunsCommand& command, Timestamp now);

/// What is said when none passes the filter, with a did-you-mean for a flow or tag that no run has.
std::string no_runs_text(Session& session, const Project& project, const RunFilter& filter);

ExitCode execute(Session& session, const RunsCommand& command);

}  // namespace amp
