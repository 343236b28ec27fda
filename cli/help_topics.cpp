#include "cli/help_topics.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "cli/command_list.hpp"
#include "cli/parser.hpp"
#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

// At most 75 columns: the manual shows these pages, too, behind an indentation.

constexpr std::string_view k_exit_codes = R"(Exit codes

  0    all went well
  1    the flow failed: a command failed, ran out of memory, or out of time
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
  75   somebody else is at work on it: try again later
       (attach: nobody does, `amp resume` goes on)
  130  interrupted by Ctrl-C; `amp resume` goes on
       (attach: left; the run goes on; rm, gc: the question was not
       answered with yes)
  143  ended by SIGTERM, or by SIGHUP as its terminal went; `amp resume`
       goes on (attach: the run goes on). What drives and follows no run
       dies of the signal itself: a shell says 129 of SIGHUP

show, logs, runs and the like exit with 0 whatever the run did. With
--exit-code=task run, resume and replay exit as the task that failed.
A task's own exit codes: 0 done, 75 temporary (try again), 202 never try
again. What runs a task elsewhere has more: `amp help task`.
)";

constexpr std::string_view k_environment = R"(Environment

What amp reads:
  AMP_STORE           the folder of the store, instead of .amp/ in the
                      project, where no setting names one
  AMP_PARAM_NAME      a parameter of the flow (NAME in capitals), unless it
                      is given on the command line
  AMP__A__B=VALUE     overrides the setting a.b, like --set a.b=VALUE
  AMP_SCRATCH         where tasks have their scratch folders; default:
                      TMPDIR
  AMP_ENVIRONMENTS    where Python environments of steps are made; default:
                      amp/environments in XDG_CACHE_HOME
  AMP_CONTAINER_ENGINE
                      docker or podman: what runs tasks in containers here,
                      where [containers] does not say; in such a task: what
                      runs it
  AMP_GPUS            of amp within a task: the GPUs of that task
  NO_COLOR            no colour, when not empty
  CLICOLOR=0          no colour
  CLICOLOR_FORCE, FORCE_COLOR
                      colour, also without a terminal
  AMP_FORCE_TTY[=N]   print as on a terminal (of N columns)
  TERM                dumb: no colour, nothing is drawn
  CI                  progress in lines, and nothing is asked
  AMP_HEARTBEAT       how long there may be silence before a line says that
                      the run goes on; default: 30s
  GITHUB_ACTIONS, GITLAB_CI
                      true: the logs of failures can be folded
  JPY_SESSION_NAME, JPY_PARENT_PID, VSCODE_PID
                      a notebook: progress in one line, nothing is asked
  LC_ALL, LC_CTYPE, LANG
                      whether letters beyond ASCII may be printed
  CUDA_VISIBLE_DEVICES
                      the GPUs that amp may deal out; default: all
  TMPDIR              where scratch folders go; default: /tmp
  XDG_CONFIG_HOME     where amp/config.toml lies; default: ~/.config
  XDG_CACHE_HOME      where cache_dirs of tasks lie; default: ~/.cache
  XDG_RUNTIME_DIR     where the sockets of keepers lie
  HOME                what ~ means
  PATH                where tools are found: the shell of a step, git, curl
  SHELL               what `amp shell` opens
  USER, LOGNAME       who is recorded with a run; default: the name in
                      /etc/passwd

What a task sees:
  AMP_RUN AMP_FLOW AMP_STEP AMP_INDEX AMP_TASK AMP_ATTEMPT
                      who it is
  AMP_ITEM AMP_PARAMS the item of the foreach, and the parameters, as JSON
                      (when long, @FILE)
  AMP_PARAM_NAME      each parameter that the step uses, as text; NAME in
                      capitals
  AMP_IN              the folder with its inputs: $AMP_IN/STEP/NAME;
                      read-only
  AMP_OUT             its own folder: what is written there as NAME becomes
                      an artifact
  AMP_CHECKPOINT      a folder that outlives the attempt
  AMP_FAILURES        of clean-up steps: a JSON file of what failed
  AMP_TASK_DIR        its scratch folder
  AMP_COMMAND         in `amp shell`: a script that does what the task does
  AMP_SOCKET AMP_TOKEN
                      the way to amp, for `amp spawn` and the like
  AMP_RANK AMP_WORLD_SIZE AMP_NODE_RANK AMP_NODES AMP_LOCAL_RANK
  MASTER_ADDR MASTER_PORT
                      in a gang: which of how many processes it is, and
                      where rank 0 can be met; and what the framework of
                      its `launcher` expects (RANK, TF_CONFIG, ...)
  CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES
                      the GPUs that are its own, where the step asks for
                      some
  CUDA_DEVICE_ORDER   PCI_BUS_ID then, as amp counts; unless it is set
)";

constexpr std::string_view k_formatting = R"(Formatting

Results go to standard output, everything else to standard error.

  --json            one JSON document on standard output; its `schema`
                    says which and which version (docs/schemas); each of
                    its keys is always there, null: nothing
  --select PATH     of that document what the path picks, a value a
                    line: `.`, `.name`, `."any name"`, `[N]`, `[-1]` and
                    `[]` (each), one behind the other: .runs[].run,
                    .tasks[0].state; texts as in --plain, all else as
                    JSON; for more, pipe --json into jq
  --plain           lists: a record a line, fields with a tab between,
                    no title, nothing cut
  --limit N, --since TIME
                    lists and logs: at most so many; from then on (2h,
                    3d, 2026-11-20, 2026-11-20T08:15:30Z)
  --events=ndjson   run, resume and attach: a JSON line an event, as it
                    happens
  -q                run: the run's id alone, so that RUN=$(amp run -q)
                    works; runs: ids alone
  --color           auto: colour on a terminal; always; never

Fields of --plain, in this order; new ones come behind them:
  runs       run, state, flow, created, ended, tasks, succeeded, failed,
             user, tags (with commas), params (JSON)
  show       of a run, its tasks: task, state, attempt, exit, cause,
             started, ended, item (JSON); of a flow, its steps: step,
             needs (with commas), foreach, when
  compare    run, state, created, seconds that it took, and then the
             columns of --csv
  artifacts  task, attempt, name, kind, size in bytes, sha256, value
             (JSON), the profile on whose machine it stayed
  metrics    task, attempt, metric, last, step, min, max, points
  tag list   tag, when it was set, by whom
In a field a tab is \t, a newline \n, a backslash \\, and other control
characters are as in \x1b.

A run is named by latest, FLOW/latest, @TAG or FLOW@TAG (the newest that
has it), by its id, or by the beginning of its id, or of a part of that
behind a dash, when only one run begins so. /STEP and /INDEX may follow:
Train/latest/train/3.

Output is cut to the width of a terminal, and never elsewhere. Where the
locale (LC_ALL, LC_CTYPE, LANG) is not UTF-8 amp's own words are ASCII;
what users wrote is left as it is. When a reader of standard output goes
away (amp runs | head -1) amp ends quietly, with the exit code that it
would have had.

With --json and --events an error is a document, too:
{"schema": "amp.error/1", "error": {code, exit_code, message, where,
hint, diagnostics}}; with --select it is text alone.
`amp logs --json` prints a document a line, for it may go on for long.
Times are UTC, with milliseconds, as in 2026-11-20T08:15:30.123Z. Names
ending in _s are seconds, in _bytes bytes.
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

The project is the nearest folder upwards that holds amp.toml, else
.amp/, else the current folder.
`amp config --show-origin` shows each setting with the place that it
comes from, and `amp config -h` tells of that command. All keys are in
amp.toml(5).
)";

constexpr std::string_view k_backends = R"(Backends

A backend is where tasks run. The profile that is chosen by --on NAME, or
by `default` in amp.toml, names it:

  [profile.big]
  backend = "local"

  local           this machine: a process for each task, as many at once
                  as there are processors, memory and GPUs for
  ssh             one other machine, `host`, as `ssh HOST` reaches it
                  without a question: amp sends itself there, the code,
                  and what tasks read; logs and outputs come back. What
                  runs there goes on when the line is cut, or amp here is
                  killed: `amp resume` finds it
  slurm, kubernetes, batch
                  settings for them are read and checked, and flows are
                  validated for them; this version runs nothing there yet

Without a profile everything is local. GPUs are shared out among all runs
of this machine; what never fits is an error, and `amp run --fit` makes
do with what there is. `amp doctor` tells what this machine has.
)";

constexpr std::array<HelpTopic, 5> k_topics = {{
    {"backends", "where tasks run", k_backends},
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
        "amp runs flows: steps in any language, their tasks in parallel, and nothing\n"
        "that finished is lost.\n\n"
        "Examples:\n"
        "  amp validate && amp run --lr 0.1\n"
        "  amp resume latest\n\n"
        "Commands:\n";
    for (const CommandInfo& command : command_list()) {
        if (!command.hidden) {
            out += fmt::format("  {:<12} {}\n", command.name, command.summary);
        }
    }
    out += "\nTopics:\n";
    for (const HelpTopic& topic : k_topics) {
        out += fmt::format("  {:<12} {}\n", topic.name, topic.summary);
    }
    return out +
           "\n'amp COMMAND -h' tells of a command's options, 'amp help COMMAND' more of it,\n"
           "'amp help TOPIC' of a topic.\n";
}

std::string help_page(const std::string& topic, bool brief) {
    if (topic.empty()) {
        return help_overview();
    }
    std::vector<std::string> names = command_names();
    for (const HelpTopic& known : k_topics) {
        if (known.name == topic && !brief) {  // -h asks of a command, which may be called as a topic is
            return std::string(known.text);
        }
        names.emplace_back(known.name);
    }
    std::string help = command_help(topic, !brief);
    if (help.empty()) {
        throw Error(ExitCode::usage, fmt::format("there is no help on '{}'", printable(topic)), "",
                    near_hint(topic, names, "'amp help' lists commands and topics"));
    }
    return help;
}

}  // namespace amp
