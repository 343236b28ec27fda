#include "cli/command_list.hpp"

#include <algorithm>
#include <array>

namespace amp {
namespace {

constexpr auto k_commands = std::to_array<CommandInfo>({
    {"validate", "[FLOW...]", "find every error of a flow before anything runs",
     "  amp validate\n"
     "  amp validate flows/*.toml --format json\n",
     "Reads each flow and amp.toml, and tells every mistake of them in one pass: form, graph, "
     "references, expressions, quoting of shell commands, and what this machine cannot give. "
     "Nothing is run, and nothing is written. Each finding has a code, which amp-explain(1) "
     "explains. A flow in Python (a file NAME.py with a class made of metaflow's FlowSpec) is read and "
     "checked, too; amp does not run those yet.",
     "0 2 3 7 10", "flow.toml amp.toml", "run plan explain show"},
    {"run", "[FLOW]", "start a run and follow it to its end",
     "  amp run\n"
     "  amp run flow.toml --lr 0.1 --tag exp-7\n",
     "Validates the flow, records a new run of it in the store, and runs its tasks, as many at "
     "once as the machine has room for. Results go to standard output, progress to standard "
     "error.\n\nLong options that are none of amp's are parameters of the flow: --lr 0.1 is -p "
     "lr=0.1. FLOW may be -: then it is read from standard input; <(COMMAND) of a shell does, too. Ctrl-C "
     "stops the tasks, again it "
     "kills them, and leaves a run that amp-resume(1) goes on with; what has finished is never lost.",
     "0 1 2 3 5 7 8 9 10 130 143", "flow.toml amp.toml .amp", "resume attach show logs cancel plan"},
    {"resume", "[RUN]", "go on with a run; what has finished is not done again",
     "  amp resume 261120-081530-k3fx --lr 0.05\n"
     "  amp resume latest --from train\n",
     "With nothing changed, the same run goes on: what failed, was cancelled or lost runs again as "
     "the next attempt, with fresh budgets of retries. When flow, parameters or code have changed "
     "since, a new run begins that takes over each task whose definition is the same, and tells "
     "which are done again, and why.",
     "0 1 2 3 5 7 8 9 10 75 130 143", "flow.toml amp.toml .amp", "run plan why attach"},
    {"attach", "[RUN]", "follow a run that goes on elsewhere, to its end",
     "  amp attach\n"
     "  amp attach 261120-081530-k3fx --events=ndjson\n",
     "Follows a run that another process drives, and exits as that will. Ctrl-C leaves; the run "
     "goes on. Of tasks that have failed already it shows first what amp-run(1) has shown.",
     "0 1 2 3 5 7 8 9 10 75 130 143", ".amp", "run resume logs cancel"},
    {"runs", "", "list runs",
     "  amp runs --state failed --since 2d\n"
     "  amp runs --where 'params.lr > 0.1' --sort -params.lr\n",
     "Lists the runs of the store, the newest first. Runs that are tasks of others (sub-flows, and "
     "what tasks have spawned) are left out unless --all is given.",
     "0 2 3 7 10", ".amp", "show compare tag rm"},
    {"show", "[FLOW|RUN[/STEP[/INDEX]]]", "show a flow as a tree, or how a run went",
     "  amp show flow.toml\n"
     "  amp show latest/train/3\n",
     "Of a flow's file, prints its steps as a tree. Of a run, prints how its steps and tasks went; "
     "of a task, its attempts, artifacts, metrics and what it told. It exits with 0 whatever the "
     "run did.",
     "0 2 3 7 10", "flow.toml .amp", "runs logs why artifacts metrics"},
    {"plan", "[FLOW]", "what a run or a resume would do, and why",
     "  amp plan --lr 0.1\n"
     "  amp plan --resume latest\n",
     "Tells which tasks would run, be reused or be skipped, as far as that is known before, and of "
     "a resume what has changed. Nothing is started or written.",
     "0 2 3 7 10", "flow.toml amp.toml .amp", "run resume why validate"},
    {"why", "RUN/STEP[/INDEX]", "why a task ran, was reused, skipped or blocked, or failed",
     "  amp why latest/train\n"
     "  amp why latest/train/3 --against 261120-081530-k3fx\n",
     "Compares a task's definition (its command, environment, parameters, inputs and sources) with "
     "that of the run before, and tells what made it run again, be reused, skipped or blocked, or "
     "fail.",
     "0 2 3 7 10", ".amp", "plan diff show"},
    {"diff", "RUN RUN", "what differs between two runs",
     "  amp diff 261120-081530-k3fx latest\n"
     "  amp diff --patch 261120-081530-k3fx latest\n",
     "Compares parameters, settings, code, flow, artifacts and times of two runs.", "0 2 3 6 7 10", ".amp",
     "compare why checkout"},
    {"compare", "[RUN...]", "runs side by side: parameters, code, artifacts, metrics, time",
     "  amp compare --where 'params.lr > 0.1' --sort -params.lr\n"
     "  amp compare --flow Train --csv > runs.csv\n",
     "Puts runs side by side, a row each: their parameters, code, artifacts, last metrics, states "
     "and times. Of code it shows git's commit, and where that is not all the hash of the files; of "
     "a file or folder its hash and size. Columns that are the same in all runs are left out unless "
     "--all-columns is given, "
     "and what amp has sampled of tasks unless --system is.",
     "0 2 3 7 10", ".amp", "runs diff metrics"},
    {"checkout", "RUN DIR", "lay the code of a run, as it used it, into a folder",
     "  amp checkout latest /tmp/then\n"
     "  cd /tmp/then && amp run --params .amp-run/params.json\n",
     "Writes the files that the run was started with into a folder, uncommitted changes included, "
     "and beside them .amp-run/ with its flow, parameters and configuration.",
     "0 2 3 6 7 10", ".amp", "diff replay"},
    {"package", "list|save [FILE] [FLOW]", "the code that is shipped with a flow's tasks",
     "  amp package list --sort size --limit 10\n"
     "  amp package save - --run latest | tar --zstd -tv\n",
     "Lists the files that are the code of a flow, or of a run: what git tracks or would add, without what "
     ".ampignore and the flow's [flow] code exclude. With save, they are written as an archive, tar within "
     "zstd, which is the same bytes on every machine; its hash, that of the list, is printed.",
     "0 2 3 5 6 7 10", "flow.toml amp.toml .amp", "run checkout diff"},
    {"replay", "RUN/STEP[/INDEX]", "do one task again: same inputs, parameters and code",
     "  amp replay latest/train/3\n"
     "  amp replay latest/train/3 --shell   # look around in its place\n",
     "Does a task again in a folder of its own, with the inputs, parameters and code of the run; "
     "nothing is recorded. It begins anew, without the checkpoints of the run, and can start no runs of its "
     "own. "
     "When the task fails it exits with 1, and says how the task has exited; "
     "with --exit-code=task it exits as the task does, which scripts may mistake for one of amp's own codes.",
     "0 1 2 3 5 7 10 75 130", ".amp", "shell why logs checkout"},
    {"shell", "[RUN] STEP[/INDEX]", "a terminal in a task's place, with its inputs",
     "  amp shell train/3\n"
     "  amp shell latest/train/3 -c 'ls -l $AMP_IN'\n",
     "Opens $SHELL where a task would run: in its working folder, with its variables, secrets and inputs, on "
     "GPUs that are claimed for it, and in its container. $AMP_COMMAND is a script that does what the task "
     "does. Nothing of it is recorded, and what is laid for it goes when the shell is left.\n\n"
     "Without RUN the latest is meant; where that has no such step, or there is none, the step of flow.toml, "
     "as it would run now on this machine, unless it needs what other steps make. The code is that of the "
     "run, "
     "in a folder of its own; of a flow that has not run it is the project's.\n\n"
     "A task of a profile with backend = \"ssh\" has its place on that machine: the shell is opened there, "
     "over "
     "ssh with your own configuration, and is your shell there. With a terminal it has one there, too. What "
     "it "
     "asks for must be free there at once; it is let go of when the shell is left. amp-replay(1) --shell "
     "opens "
     "one here.\n\n"
     "With --hold-on-fail 30m, amp-run(1) and amp-resume(1) keep the place of each task that fails for good, "
     "with no attempt left and uncaught: its folders as they are, its slots and its GPUs. The run goes on "
     "meanwhile where it can, and ends when nothing is held any more. A shell then enters that very place, "
     "on "
     "whichever machine, and the place is kept while somebody is inside. It is free again after that time, "
     "by "
     "--release, amp-cancel(1) or Ctrl-C of the run, or when the run's process has died.\n\n"
     "It exits as the shell does.",
     "0 2 3 4 5 7 75", ".amp flow.toml", "replay run logs why"},
    {"logs", "[RUN[/STEP[/INDEX]]]", "show what tasks printed",
     "  amp logs -f\n"
     "  amp logs latest/train/3 --attempt 1\n",
     "Prints what the tasks of a run, a step or one task have written. "
     "It exits with 0 whatever the run did.",
     "0 2 3 7 10", ".amp", "show attach"},
    {"artifacts", "[RUN[/STEP[/INDEX]]]", "list what tasks made",
     "  amp artifacts\n"
     "  amp artifacts latest/train --json\n",
     "Lists the values, files and folders that tasks made, with their types and sizes. \"on box\" says that "
     "one stayed on the machine of that profile (keep_above in amp.toml(5)).",
     "0 2 3 7 10", ".amp", "get show"},
    {"get", "[RUN[/STEP[/INDEX]]] NAME", "read an artifact, inside a task or from anywhere",
     "  amp get dataset                      # inside a task\n"
     "  amp get latest/train model -o model  # anywhere\n",
     "Inside a task, reads one of its inputs; with a run, a step or a task in front, any artifact "
     "of the store. A text and a file are printed as they are, another value as JSON, a folder is copied "
     "with -o. What stayed on another machine (keep_above in amp.toml(5)) is brought into the store first.",
     "0 2 3 4 5 7 10", ".amp", "put artifacts"},
    {"put", "NAME VALUE|@FILE|-", "make an artifact, inside a task",
     "  amp put accuracy 0.93\n"
     "  amp put model @checkpoints/best\n",
     "Makes an artifact of the task that it is called in: a value (JSON, or else a text), or with "
     "@ a file or folder. The steps behind find it by its name.",
     "0 2 3 5", "", "get artifacts metric"},
    {"metric", "NAME=NUMBER...", "tell points of metrics, inside a task",
     "  amp metric loss=0.31 acc=0.9 --step 100\n"
     "  amp metric learning_rate=3e-4\n",
     "Tells one point of one or more metrics. In Python, import amp does the same without a "
     "process. Names that begin with system/ are kept for what amp itself samples.",
     "0 2 5", "", "metrics progress note link"},
    {"progress", "DONE [TEXT...]", "tell how much is done, inside a task",
     "  amp progress 0.4\n"
     "  amp progress 40% epoch 2 of 5\n",
     "Tells how much of the task is done; the progress of the run shows it.", "0 2 5", "", "metric note"},
    {"note", "TEXT...", "tell a remark, inside a task",
     "  amp note the rate was halved\n"
     "  amp note \"$(wc -l < bad.txt) lines were left out\"\n",
     "Tells a remark, which is shown wherever the task is.", "0 2 5", "", "link metric show"},
    {"link", "TITLE URL", "tell a page that belongs to the task, inside a task",
     "  amp link TensorBoard http://gpu1:6006\n"
     "  amp link \"W&B\" \"$WANDB_URL\"\n",
     "Tells the address of a page (an experiment tracker, a dashboard), which is shown wherever "
     "the task is.",
     "0 2 5", "", "note metric show"},
    {"metrics", "[RUN[/STEP[/INDEX]]]", "show the metrics that tasks told, or all points of them",
     "  amp metrics latest/train\n"
     "  amp metrics latest --name loss --csv > loss.csv\n",
     "Shows the last, least and greatest value of each metric; with --csv all points. With --system "
     "also what amp samples of tasks while they run (the key monitor of amp-flow(5)): system/cpu in "
     "processors, system/memory, system/read and system/write in bytes, system/gpu/N/utilization and "
     "system/neuron/N/utilization in percent, their memory in bytes.",
     "0 2 3 7 10", ".amp", "metric compare show"},
    {"checkpoint", "", "save $AMP_CHECKPOINT now, inside a task",
     "  amp checkpoint\n"
     "  amp checkpoint || true   # go on also when there is no room for it\n",
     "Saves all files of the folder $AMP_CHECKPOINT at once, and returns when they are durable. "
     "Without it they are saved each interval of the step's key checkpoint.",
     "0 2 5 75", "", "run"},
    {"spawn", "FLOW", "start a run of its own, inside a task",
     "  amp spawn report.toml -p day=monday\n"
     "  amp spawn train.toml --key trial-7 --wait\n",
     "Starts a run of another flow, which belongs to the task that asks. Asked for again, by a "
     "further attempt too, it is the same run. The parent ends when all that was spawned has. A parameter "
     "that is a secret is not given: it has the value that the run of the task has for it.",
     "0 1 2 3 5 8 9 75", "", "run show"},
    {"cancel", "[RUN]", "end a run",
     "  amp cancel\n"
     "  amp cancel 261120-081530-k3fx\n",
     "Has whoever drives a run end its tasks (TERM, and KILL after a grace) and let its clean-up steps run; "
     "amp-attach(1) waits for the end of that. A run that nobody drives has ended when this returns.",
     "0 2 3 5 7 10 75", ".amp", "run attach"},
    {"approve", "RUN/STEP[/INDEX]", "answer a task that waits for approval",
     "  amp approve latest/publish --comment 'looks good'\n"
     "  amp approve latest/publish --reject\n",
     "Answers a task whose step says wait = \"approval\"; with --reject it fails. An answer is given "
     "once.",
     "0 2 3 7 10", ".amp", "show attach"},
    {"tag", "add|remove|list RUN [TAG...]", "tag a run",
     "  amp tag add latest ready-for-prod\n"
     "  amp tag list latest\n",
     "A tag is a name of runs, of at most 128 bytes; several runs may have it. Runs are found by their "
     "tags with amp runs --tag, and named by @TAG. What is tagged is not removed by amp-gc(1) or amp-rm(1).",
     "0 2 3 7 10 75", ".amp amp.toml", "runs show"},
    {"config", "[SETTING]", "show the settings in effect",
     "  amp config\n"
     "  amp config profile.hpc.partition --show-origin\n",
     "Prints the settings in effect: all, or one key or table. With --show-origin each with the "
     "file, variable or option that says so.",
     "0 2 3 7 10", "amp.toml .amp/local.toml config.toml", "doctor validate"},
    {"explain", "[CODE]", "explain an error code",
     "  amp explain AMP1203\n"
     "  amp explain\n",
     "Tells what a code such as AMP1203 means, with an example that has the mistake and the mended "
     "form.",
     "0 2 7 10", "", "validate"},
    {"rm", "RUN...", "remove runs",
     "  amp rm 261120-081530-k3fx\n"
     "  amp rm latest --force   # also when it is tagged\n",
     "Removes the records and logs of runs. What they alone refer to is removed by the next "
     "amp-gc(1). At a terminal it asks first; --yes asks nothing.",
     "0 2 3 7 10 75 130", ".amp", "gc runs tag"},
    {"gc", "", "remove what nothing refers to any more",
     "  amp gc --dry-run\n"
     "  amp gc --older-than 30d --keep-last 10\n",
     "Removes objects that no run refers to and that are older than a grace. Runs are removed only "
     "with --older-than or --keep-last, at a terminal after a question; tagged and running ones never. What "
     "stayed on another machine (keep_above in amp.toml(5)) is not removed there: that goes by itself, 30 "
     "days "
     "after its last use.",
     "0 2 3 6 7 10 75 130", ".amp", "rm fsck"},
    {"fsck", "[RUN...]", "verify the store, and repair it",
     "  amp fsck\n"
     "  amp fsck latest --repair\n",
     "Reads all records and objects of the store, and compares them with their hashes. With "
     "--repair, what can be mended is mended; what is changed is copied first.",
     "0 2 3 6 7 10", ".amp", "gc doctor"},
    {"doctor", "", "look for what would make runs fail here",
     "  amp doctor\n"
     "  amp doctor --json\n",
     "Looks at the shell, git, memory, scratch folder, settings, store, GPUs and what dead runs "
     "left behind, and tells what to do about each finding.",
     "0 2 5 10", "amp.toml .amp", "config fsck validate"},
    {"help", "[COMMAND|TOPIC]", "help on a command or a topic",
     "  amp help run\n"
     "  amp help exit-codes\n",
     "Prints the page of a command or of a topic; without a word, the overview.", "0 2 10", "", "explain"},
    {"version", "", "print the version",
     "  amp --version\n"
     "  amp version --json\n",
     "Prints the version of amp, the commit that it was built from, and the libraries in it.", "0 2 10", "",
     "help doctor"},
    {"completion", "bash|zsh|fish", "print a shell's script that completes amp's words",
     "  source <(amp completion bash)\n"
     "  amp completion fish > ~/.config/fish/completions/amp.fish\n",
     "Prints a small script for the shell. With it, Tab completes commands, options, runs, steps, tags, "
     "profiles, parameters of the flow and codes: amp itself is asked for them. Packages bring these "
     "scripts along.\n\n"
     "For zsh, write it to a file _amp in a folder of $fpath, or source it behind compinit.",
     "0 2 10", "", "help config"},
    {"complete", "[--line LINE] -- [WORD...]", "the words that a shell may complete the last one to",
     "  amp complete -- show lat\n"
     "  amp complete --line 'amp run --l'\n",
     "What the scripts of amp-completion(1) call. The first line names what the shell adds itself (files, "
     "folders) and whether no space follows (nospace); each further one is a word, a tab and what it is. "
     "It says nothing where it knows nothing, and never fails.",
     "0", "", "completion", true},
    {"task", "exec SPEC", "do one attempt of a task, where no keeper is",
     "  amp task exec spec.json\n"
     "  amp task exec - < spec.json\n",
     "What backends start on a node, in a container or in a job of a scheduler. SPEC names the store, the "
     "run "
     "and the attempt; it is claimed there before anything else, so that of several executions one does the "
     "work. The code is laid once a node, the inputs are fetched, the command runs with a process group of "
     "its own, what it prints goes to standard output (not with -q) and live into the store, its outputs are "
     "stored, and in the end it is committed: one execution of one attempt, whoever else was on the way.\n\n"
     "TERM, USR1 and HUP mean that the scheduler wants the machine back: the task gets TERM, its checkpoint "
     "is saved, and the attempt ends as preempted within the grace of its step (cancelled, where that was "
     "asked for). Ctrl-C cancels it.\n\n"
     "It exits as the task does (with 128 and the signal that ended it, 1 where an output is missing), or "
     "with a code of its own: 211, another execution has the attempt, or the task is done; 212, the spec "
     "cannot be obeyed, as when a newer amp wrote it; 213, amp could not do its part: store, code, inputs; "
     "214, a mistake of amp.",
     "0 1 2 7 143", ".amp", "run replay", true},
    {"manual", "DIR [SOURCES]", "write the manual's pages into a folder",
     "  amp manual build/man\n"
     "  amp manual build/man docs/man\n",
     "Writes amp(1) and a page for each command. From the folder SOURCES, pages NAME.5.in are written as "
     "NAME.5, with the tables of keys filled in.",
     "0 2 7 10", "", "help", true},
});

constexpr auto k_files = std::to_array<KnownFile>({
    {"flow.toml", "flow.toml", "the flow, where no other file is named; see amp-flow(5)"},
    {"amp.toml", "amp.toml", "the project's settings: profiles, store, naming; see amp.toml(5)"},
    {".amp/local.toml", ".amp/local.toml", "settings of this clone alone, not for git"},
    {"config.toml", "$XDG_CONFIG_HOME/amp/config.toml",
     "settings of the user; below ~/.config where that is not set"},
    {".amp", ".amp/",
     "the store of the project: runs, logs and artifacts; $AMP_STORE may name another folder"},
});

}  // namespace

std::span<const KnownFile> known_files() {
    return k_files;
}

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
    names.reserve(k_commands.size());
    for (const CommandInfo& command : k_commands) {
        if (!command.hidden) {
            names.emplace_back(command.name);
        }
    }
    return names;
}

}  // namespace amp
