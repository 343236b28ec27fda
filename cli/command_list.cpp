#include "cli/command_list.hpp"

#include <algorithm>
#include <array>

namespace amp {
namespace {

constexpr std::array<CommandInfo, 15> k_commands = {{
    {"validate", "[FLOW...]", "find every error of a flow before anything runs",
     "  amp validate\n"
     "  amp validate flows/*.toml --format json\n"},
    {"run", "[FLOW]", "start a run and follow it to its end",
     "  amp run\n"
     "  amp run flow.toml --lr 0.1 --tag exp-7\n"},
    {"resume", "[RUN]", "go on with a run; what has finished is not done again",
     "  amp resume\n"
     "  amp resume 261120-081530-k3fx --lr 0.05\n"},
    {"runs", "", "list runs",
     "  amp runs --state failed --since 2d\n"
     "  amp runs --where 'params.lr > 0.1' --sort -params.lr\n"},
    {"show", "[FLOW|RUN]", "show a flow as a tree, or how a run went",
     "  amp show flow.toml\n"
     "  amp show latest\n"},
    {"logs", "[RUN[/STEP[/INDEX]]]", "show what tasks printed",
     "  amp logs -f\n"
     "  amp logs latest/train/3 --attempt 1\n"},
    {"artifacts", "[RUN[/STEP[/INDEX]]]", "list what tasks made",
     "  amp artifacts\n"
     "  amp artifacts latest/train --json\n"},
    {"get", "[RUN[/STEP[/INDEX]]] NAME", "read an artifact, inside a task or from anywhere",
     "  amp get dataset                      # inside a task\n"
     "  amp get latest/train model -o model  # anywhere\n"},
    {"put", "NAME VALUE|@FILE|-", "make an artifact, inside a task",
     "  amp put accuracy 0.93\n"
     "  amp put model @checkpoints/best\n"},
    {"cancel", "[RUN]", "end a run",
     "  amp cancel\n"
     "  amp cancel 261120-081530-k3fx\n"},
    {"tag", "add|remove|list RUN [TAG...]", "tag a run",
     "  amp tag add latest ready-for-prod\n"
     "  amp tag list latest\n"},
    {"config", "[KEY]", "show the settings in effect",
     "  amp config\n"
     "  amp config profile.hpc.partition --show-origin\n"},
    {"explain", "[CODE]", "explain an error code",
     "  amp explain AMP1203\n"
     "  amp explain\n"},
    {"help", "[COMMAND|TOPIC]", "help on a command or a topic",
     "  amp help run\n"
     "  amp help exit-codes\n"},
    {"version", "", "print the version",
     "  amp --version\n"
     "  amp version --json\n"},
}};

}  // namespace

std::span<const CommandInfo> command_list() {
    return k_commands;
}

const CommandInfo* find_command(std::string_view name) {
    const auto it = std::find_if(k_commands.begin(), k_commands.end(),
                                 [&](const CommandInfo& c) { return c.name == name; });
    return it == k_commands.end() ? nullptr : &*it;
}

std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const CommandInfo& command : k_commands) {
        names.emplace_back(command.name);
    }
    return names;
}

}  // namespace amp
