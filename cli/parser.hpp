#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/artifacts.hpp"
#include "cli/cancel.hpp"
#include "cli/common.hpp"
#include "cli/config.hpp"
#include "cli/explain.hpp"
#include "cli/get.hpp"
#include "cli/help.hpp"
#include "cli/logs.hpp"
#include "cli/put.hpp"
#include "cli/resume.hpp"
#include "cli/run.hpp"
#include "cli/runs.hpp"
#include "cli/show.hpp"
#include "cli/tag.hpp"
#include "cli/validate.hpp"
#include "cli/version.hpp"

namespace amp {

using Command = std::variant<HelpCommand, VersionCommand, ValidateCommand, ShowCommand, RunCommand,
                             ResumeCommand, RunsCommand, LogsCommand, CancelCommand, TagCommand, PutCommand,
                             GetCommand, ArtifactsCommand, ConfigCommand, ExplainCommand>;

struct CommandLine {
    CommonOptions common;
    Command command;
};

/// Arguments without the program's name → what is asked for. Options may stand anywhere; `--` ends them. `-h`
/// anywhere is a HelpCommand. Long options that `run` and `resume` do not know are parameters of the flow:
/// `--lr 0.1` is `-p lr=0.1`.
/// @throws Error(usage), with a did-you-mean for commands and options
CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// What `amp COMMAND -h` prints. Empty when there is no such command.
std::string command_help(std::string_view command);

}  // namespace amp
