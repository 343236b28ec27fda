#pragma once

#include <optional>
#include <string>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp get NAME` inside a task, `amp get RUN[/STEP[/INDEX]] NAME` anywhere: reads an artifact. Outside of a
/// task the content of a file is printed, too; inside, its path (its content with `-o -`).
struct GetCommand {
    std::optional<TaskTarget> target;  ///< nullopt: the task that we are in
    std::string name;
    std::string output;  ///< -o: where to copy it to; empty: print it; "-": print its bytes
};

ExitCode execute(Session& session, const GetCommand& command);

}  // namespace amp
