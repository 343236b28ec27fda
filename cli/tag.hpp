#pragma once

#include <string>
#include <vector>

#include "cli/common.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp tag add|remove|list RUN [TAG...]`.
struct TagCommand {
    enum class Action { add, remove, list };
    Action action = Action::list;
    std::string run = "latest";
    std::vector<std::string> tags;
    ListChoice list;
};

ExitCode execute(Session& session, const TagCommand& command);

}  // namespace amp
