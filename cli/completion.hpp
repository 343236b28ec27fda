#pragma once

#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp completion SHELL`.
struct CompletionCommand {
    std::string shell;  ///< bash, zsh or fish
};

/// The script for a shell: it asks `amp complete`.
std::string_view completion_script(std::string_view shell);

ExitCode execute(Session& session, const CompletionCommand& command);

}  // namespace amp
