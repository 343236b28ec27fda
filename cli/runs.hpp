#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/time.hpp"

namespace amp {

struct Session;

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
};

/// A time, a date, or how long ago; nullopt for empty text. @throws Error(usage) naming the option
std::optional<Timestamp> parse_when(std::string_view option, const std::string& text, Timestamp now);

ExitCode execute(Session& session, const RunsCommand& command);

}  // namespace amp
