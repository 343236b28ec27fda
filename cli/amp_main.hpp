#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"
#include "cli/parser.hpp"
#include "cli/terminal.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Where a process of amp finds itself.
struct Surroundings {
    TerminalFacts terminal;
    Environment environment;
    /// Calls its argument with the world as the command needs it: driving a run wants signals to be waited
    /// for, all else dies of them.
    std::function<ExitCode(bool waits_for_signals, const std::function<ExitCode(Services&)>&)> with_services;
    ExecTask exec_task = {};  ///< `amp task exec`
};

/// Parses, does and reports one command. Never throws.
/// @param arguments without the program's name
int amp_main(const std::vector<std::string>& arguments, const Surroundings& surroundings, Sink out, Sink err);

/// A result that needs no world: to standard output, or the error that it could not be written. The exit
/// code.
int print_result(std::string_view text, Sink out, Sink err);

}  // namespace amp
