#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/approve.hpp"
#include "cli/artifacts.hpp"
#include "cli/attach.hpp"
#include "cli/cancel.hpp"
#include "cli/checkout.hpp"
#include "cli/checkpoint.hpp"
#include "cli/common.hpp"
#include "cli/compare.hpp"
#include "cli/complete.hpp"
#include "cli/completion.hpp"
#include "cli/config.hpp"
#include "cli/diff.hpp"
#include "cli/doctor.hpp"
#include "cli/explain.hpp"
#include "cli/fsck.hpp"
#include "cli/gc.hpp"
#include "cli/get.hpp"
#include "cli/help.hpp"
#include "cli/logs.hpp"
#include "cli/manual.hpp"
#include "cli/metrics.hpp"
#include "cli/option_info.hpp"
#include "cli/package.hpp"
#include "cli/plan.hpp"
#include "cli/put.hpp"
#include "cli/replay.hpp"
#include "cli/resume.hpp"
#include "cli/rm.hpp"
#include "cli/run.hpp"
#include "cli/runs.hpp"
#include "cli/shell.hpp"
#include "cli/show.hpp"
#include "cli/spawn.hpp"
#include "cli/tag.hpp"
#include "cli/task.hpp"
#include "cli/tell.hpp"
#include "cli/validate.hpp"
#include "cli/version.hpp"
#include "cli/why.hpp"

namespace amp {

using Command =
    std::variant<HelpCommand, VersionCommand, ValidateCommand, ShowCommand, RunCommand, ResumeCommand,
                 RunsCommand, LogsCommand, CancelCommand, TagCommand, PutCommand, GetCommand,
                 ArtifactsCommand, ConfigCommand, ExplainCommand, GcCommand, RmCommand, FsckCommand,
                 DoctorCommand, MetricCommand, NoteCommand, LinkCommand, ProgressCommand, MetricsCommand,
                 SpawnCommand, WhyCommand, DiffCommand, CompareCommand, CheckoutCommand, PlanCommand,
                 ReplayCommand, AttachCommand, ApproveCommand, CheckpointCommand, CompletionCommand,
                 CompleteCommand, ManualCommand, TaskCommand, PackageCommand, TaskShellCommand>;

struct CommandLine {
    CommonOptions common;
    Command command;
};

/// Arguments without the program's name → what is asked for. Options may stand anywhere; `--` ends them. `-h`
/// anywhere is a HelpCommand. Long options that `run` and `resume` do not know are parameters of the flow:
/// `--lr 0.1` is `-p lr=0.1`.
/// @throws Error(usage), with a did-you-mean for commands and options
CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// What `amp COMMAND -h` prints, or in full `amp help COMMAND`. Empty when there is no such command.
std::string command_help(std::string_view command, bool in_full = false);

/// What a command can be given, in the order of its help. Empty when there is no such command.
std::vector<OptionInfo> command_options(std::string_view command);
/// Does it take long options that it does not know as parameters of the flow?
bool takes_parameters(std::string_view command);
/// Where the command stands: behind common options, whose values are skipped. arguments.size() when there is
/// none.
std::size_t command_position(const std::vector<std::string>& arguments);

}  // namespace amp
