#include "cli/help_topics.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "cli/command_list.hpp"
#include "cli/parser.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_exit_codes = R"(Exit codes

  0    all went well
  1    the flow failed: a command failed, ran out of memory, or ran out of time
  2    the command line could not be understood
  3    a flow, its parameters or the settings are invalid
  4    authentication is needed
  5    the machine or a backend failed
  6    something does not match what was recorded, or is damaged
  7    not found: a file, a run, a task, an artifact
  8    the run's own timeout has passed
  9    somebody else cancelled the run
  10   the store is full or cannot be written
  70   amp itself failed: please report it
  75   somebody else drives the run: try again later
  130  interrupted by Ctrl-C; `amp resume` goes on
  143  ended by SIGTERM; `amp resume` goes on

show, logs, runs and the like exit with 0 whatever the run did.
A task's own exit codes: 0 done, 75 temporary (try again), 202 never try again.
)";

constexpr std::string_view k_environment = R"(Environment

What amp reads:
  AMP_STORE           the folder of the store, instead of .amp/ in the project
  AMP_PARAM_NAME      a parameter of the flow, unless it is given on the command line
  AMP__A__B=VALUE     overrides the setting a.b, like --set a.b=VALUE
  NO_COLOR            no colour, when not empty
  CLICOLOR_FORCE, FORCE_COLOR
                      colour, also without a terminal
  AMP_FORCE_TTY[=N]   print as on a terminal (of N columns)
  CI                  a sign of life each 30 s instead of frequent progress

What a task sees:
  AMP_RUN AMP_FLOW AMP_STEP AMP_INDEX AMP_TASK AMP_ATTEMPT
                      who it is
  AMP_ITEM AMP_PARAMS the item of the foreach, and the parameters, as JSON
  AMP_PARAM_NAME      each parameter that the step uses, as text
  AMP_IN              the folder with its inputs: $AMP_IN/STEP/NAME; read-only
  AMP_OUT             its own folder: what is written there as NAME becomes an artifact
  AMP_TASK_DIR        its scratch folder
)";

constexpr std::string_view k_formatting = R"(Formatting

Results go to standard output, everything else to standard error.

  --json            one JSON document on standard output; its `schema` says which and which version
  --events=ndjson   run and resume: a JSON line an event, as it happens
  -q                run: the run's id alone, so that RUN=$(amp run -q) works; runs: ids alone

With --json an error is a document, too: {"schema": "amp.error/1", "error": {exit_code, message, where, hint}}.
`amp logs --json` prints a document a line, for it may go on for long.
Times are UTC, with milliseconds, as in 2026-11-20T08:15:30.123Z. Names ending in _s are seconds, in _bytes bytes.
)";

constexpr std::string_view k_config = R"(Settings

In this order, the first that says something wins:
  --set a.b=VALUE, --profile NAME
  AMP__A__B=VALUE in the environment
  .amp/local.toml in the project (not for git)
  amp.toml in the project
  $XDG_CONFIG_HOME/amp/config.toml (~/.config)
  /etc/xdg/amp/config.toml
  what is built in

The project is the nearest folder upwards that holds amp.toml, else .amp/, else the current folder.
`amp config --show-origin` shows each setting with the place that it comes from.
)";

constexpr std::array<HelpTopic, 4> k_topics = {{
    {"config", "where settings come from", k_config},
    {"environment", "the variables that amp reads, and that a task sees", k_environment},
    {"exit-codes", "what amp exits with", k_exit_codes},
    {"formatting", "standard output, JSON and times", k_formatting},
}};

}  // namespace

std::span<const HelpTopic> help_topics() {
    return k_topics;
}

std::string help_overview() {
    std::string out =
        "amp runs flows: steps in any language, their tasks in parallel, and nothing that finished is "
        "lost.\n\n"
        "Examples:\n"
        "  amp validate && amp run --lr 0.1\n"
        "  amp resume latest\n\n"
        "Commands:\n";
    for (const CommandInfo& command : command_list()) {
        out += fmt::format("  {:<11} {}\n", command.name, command.summary);
    }
    out += "\nTopics:\n";
    for (const HelpTopic& topic : k_topics) {
        out += fmt::format("  {:<11} {}\n", topic.name, topic.summary);
    }
    return out + "\n'amp COMMAND -h' tells of a command's options, 'amp help TOPIC' of a topic.\n";
}

std::string help_page(const std::string& topic) {
    if (topic.empty()) {
        return help_overview();
    }
    std::vector<std::string> names = command_names();
    for (const HelpTopic& known : k_topics) {
        if (known.name == topic) {
            return std::string(known.text);
        }
        names.emplace_back(known.name);
    }
    std::string help = command_help(topic);
    if (help.empty()) {
        const auto near = did_you_mean(topic, names);
        throw Error(ExitCode::usage, fmt::format("there is no help on '{}'", printable(topic)), "",
                    near ? fmt::format("did you mean '{}'?", *near) : "'amp help' lists commands and topics");
    }
    return help;
}

}  // namespace amp
