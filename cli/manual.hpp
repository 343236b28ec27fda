#pragma once

#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace amp {

struct Session;
struct CommandInfo;

/// `amp manual DIR [SOURCES]`, hidden: how packages get their pages.
struct ManualCommand {
    std::string folder;
    std::string sources;  ///< a folder with pages NAME.5.in; empty: none
};

/// amp.1, in mdoc(7): commands, topics, files.
std::string main_page();
/// amp-COMMAND.1, in mdoc(7).
std::string command_page(const CommandInfo& command);
/// A page with its lines `@keys NAME@` (flow, params, config, step, settings) replaced by lists of the keys
/// that validation knows, and @date@ and @version@. @throws Error(invalid) for other names
std::string filled_page(std::string_view source);

ExitCode execute(Session& session, const ManualCommand& command);

}  // namespace amp
