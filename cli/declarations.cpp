#include "cli/declarations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/declare.hpp"
#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

void declare_parameters(Declaration& app, ParameterSources& params) {
    declare_pairs(app, "-p,--param", params.given, "NAME=VALUE",
                  "a parameter of the flow; --NAME VALUE does as well");
    declare_text(app, "--params", params.file, "FILE",
                 "parameters from a TOML, YAML or JSON file; -: from standard input");
    declare_pairs(app, "--config", params.config, "NAME=FILE",
                  "another file for a [config] name of the flow");
}

void declare_exit_code(Declaration& app, bool& task_exit, const char* help) {
    declare_choice(
        app, "--exit-code", {"amp", "task"}, [&task_exit](std::size_t i) { task_exit = i == 1; }, help);
}

void declare_events(Declaration& app, bool& events) {
    declare_choice(
        app, "--events", {"ndjson"}, [&events](std::size_t) { events = true; }, "print a JSON line an event");
}

double hold_time(const std::string& text) {
    const auto seconds = parse_duration(text);
    if (!seconds || *seconds <= 0) {
        throw usage_error(fmt::format("option '--hold-on-fail' takes a time, not '{}'", printable(text)),
                          "for instance --hold-on-fail 30m");
    }
    return *seconds;
}

template <class Options>
void declare_driving(Declaration& app, Options& options, FollowChoice& follow) {
    declare_flag(app, "--detach", follow.detach, "print the run's id and leave; `amp attach` follows it");
    declare_choice(
        app, "--concurrency", {"allow", "queue", "skip", "replace"},
        [&options](std::size_t i) {
            constexpr std::array<const char*, 4> k_modes = {"allow", "queue", "skip", "replace"};
            options.concurrency = k_modes.at(i);
        },
        "while another run of the flow is on, instead of what the flow says");
    declare_count<std::size_t>(app, "--max-workers", options.max_workers, "tasks at once", 1);
    app.flag(
        "--keep-going", [&options](std::int64_t) { options.keep_going = true; },
        "after a failure, go on with all that does not depend on it");
    declare_events(app, follow.events);
    declare_exit_code(app, follow.task_exit,
                      "of a run that failed: 1, or as the first task that failed has exited");
    declare_flag(app, "--no-cache", options.no_cache, "take no results of other runs over");
    app.value(
        "--hold-on-fail", [&options](const std::string& text) { options.hold_s = hold_time(text); },
        "DURATION", "keep the place of a failed task so long, for `amp shell`: 30m");
}

/// Which runs, and in which order.
void declare_filter(Declaration& app, RunsCommand& c) {
    declare_text(app, "--flow", c.flow, "NAME", "of this flow");
    declare_text(app, "--tag", c.tag, "TAG", "with this tag");
    declare_flag(app, "--all", c.all, "also those that are tasks of others: sub-flows, and what was spawned");
    declare_choice(
        app, "--state", {"pending", "running", "succeeded", "failed", "cancelled", "interrupted"},
        [&c](std::size_t i) {
            constexpr std::array<const char*, 6> k_states = {"pending", "running",   "succeeded",
                                                             "failed",  "cancelled", "interrupted"};
            c.state = k_states.at(i);
        },
        "in this state");
    declare_text(app, "--since", c.since, "TIME",
                 "begun then or later: a date, a time, or how long ago (2d)");
    declare_text(app, "--until", c.until, "TIME", "begun then or earlier");
    declare_text(app, "--where", c.where, "EXPRESSION", "for which this holds: 'params.lr > 0.1'");
    declare_text(app, "--sort", c.sort, "FIELD", "by a field or params.NAME; a '-' in front: descending");
    declare_count<std::size_t>(app, "--limit", c.limit, "at most so many", 1);
}

void declare_list(Declaration& app, ListChoice& list, const char* since, const char* limit) {
    declare_text(app, "--since", list.since, "TIME", since);
    declare_count<std::size_t>(app, "--limit", list.limit, limit, 1);
}

/// An argument that is parsed as RUN/STEP/INDEX.
template <class Target>
void declare_target(Declaration& app, Target& into, const char* help) {
    app.value(
        "target", [&into](const std::string& text) { into = parse_target(text); }, "RUN[/STEP[/INDEX]]",
        help);
}

}  // namespace

void declare_common(Declaration& app, CommonOptions& common) {
    declare_flag(app, "--json", common.json, "print one JSON document");
    app.value(
        "--select", [&common](const std::string& path) { common.select = path; }, "PATH",
        "print this of it, a line each: .runs[].run", Given::optional);
    declare_flag(app, "--plain", common.plain, "lists: a record a line, with tabs between; nothing moves");
    declare_flag(app, "--no-input", common.no_input, "ask for nothing, not even a secret");
    declare_flag(app, "-q,--quiet", common.quiet, "print results and errors alone");
    declare_choice(
        app, "--color", {"auto", "always", "never"},
        [&common](std::size_t i) { common.color = static_cast<ColorMode>(i); }, "colour the output");
    declare_texts(app, "--set", common.overrides, "KEY=VALUE",
                  "override a setting: --set profile.hpc.partition=cpu");
    declare_text(app, "--profile,--on", common.profile, "PROFILE", "the profile of amp.toml to use");
}

void declare(Declaration& app, HelpCommand& c) {
    declare_text(
        app, "topic", c.topic, "COMMAND|TOPIC",
        "default: the overview; topics are backends, config, environment, exit-codes and formatting");
}

void declare(Declaration&, VersionCommand&) {}

void declare(Declaration& app, CompletionCommand& c) {
    declare_choice(
        app, "shell", {"bash", "zsh", "fish"},
        [&c](std::size_t i) {
            constexpr std::array<const char*, 3> k_shells = {"bash", "zsh", "fish"};
            c.shell = k_shells.at(i);
        },
        "for which shell", Given::required);
}

void declare(Declaration& app, CompleteCommand& c) {
    declare_texts(app, "words", c.words, "TEXT", "what was typed behind amp, up to the cursor");
    declare_text(app, "--line", c.line, "TEXT", "instead: the line as it was typed, up to the cursor");
}

void declare(Declaration& app, ManualCommand& c) {
    declare_text(app, "folder", c.folder, "DIR", "where the pages go; it must exist", Given::required);
    declare_text(app, "sources", c.sources, "SOURCES", "where pages NAME.5.in lie");
}

void declare(Declaration& app, ValidateCommand& c) {
    declare_texts(app, "flows", c.flows, "FLOW",
                  "files, or - for standard input; default: flow.toml here or in the project's folder");
    declare_choice(
        app, "--format", {"text", "json"}, [&c](std::size_t i) { c.format = i == 0 ? "text" : "json"; },
        "how to print what was found");
}

void declare(Declaration& app, ShowCommand& c) {
    declare_text(app, "what", c.what, "FLOW|RUN[/STEP[/INDEX]]",
                 "a flow's file (-: standard input), or a run, or tasks of it; default: the latest run");
    declare_flag(app, "--dot", c.dot, "print a flow's graph for Graphviz");
}

void declare(Declaration& app, RunCommand& c) {
    declare_text(app, "flow", c.start.flow, "FLOW",
                 "a file, or - for standard input; default: flow.toml here or in the project's folder");
    declare_text(app, "--like", c.start.like, "RUN",
                 "with its parameters and --config, where nothing else is given");
    declare_parameters(app, c.start.params);
    declare_texts(app, "--tag", c.start.tags, "TAG", "tag the run");
    declare_texts(app, "--until", c.start.until, "STEP", "it and its ancestors alone; may be repeated");
    declare_texts(app, "--only", c.start.only, "STEP", "it alone, with inputs of --origin; may be repeated");
    declare_text(app, "--origin", c.start.origin, "RUN", "where the inputs of --only come from");
    declare_flag(app, "-n,--dry-run", c.dry_run, "say what it would do, as `amp plan`; nothing is started");
    declare_flag(app, "--container", c.contain_all,
                 "tasks of all steps that name an image run in it, by docker or podman");
    declare_flag(app, "--fit", c.start.fit, "make do with what this machine has where tasks ask for more");
    declare_driving(app, c.start, c.follow);
}

void declare(Declaration& app, ResumeCommand& c) {
    c.resume.run = "latest";  // and what is given empty is an error
    declare_text(app, "run", c.resume.run, "RUN", "default: the latest");
    declare_parameters(app, c.resume.params);
    declare_texts(app, "--from", c.resume.from, "STEP",
                  "a new run in which it and all that needs it run again; may be repeated");
    declare_texts(app, "--until", c.resume.until, "STEP",
                  "a new run of it and its ancestors; may be repeated");
    declare_driving(app, c.resume, c.follow);
    declare_flag(app, "--take-over", c.resume.take_over,
                 "do not wait for the lease of a driver on another host");
    declare_flag(app, "--retry-caught", c.resume.retry_caught, "run caught tasks again, too");
    declare_flag(
        app, "--relock", c.resume.relock,
        "make Python environments of what their files say now, not of what they said when the run began");
}

void declare(Declaration& app, AttachCommand& c) {
    declare_text(app, "run", c.run, "RUN", "default: the latest");
    declare_events(app, c.events);
}

void declare(Declaration& app, RunsCommand& c) {
    declare_filter(app, c);
}

void declare(Declaration& app, LogsCommand& c) {
    declare_target(app, c.target, "default: the latest run");
    declare_text(app, "--step", c.target.step, "STEP", "of this step");
    declare_count<std::uint32_t>(app, "--attempt", c.attempt,
                                 "of this attempt; default: the last of each task");
    declare_count<std::uint32_t>(app, "--rank", c.rank, "of this rank of a gang; default: all, as [R] TEXT");
    declare_flag(app, "-f,--follow", c.follow, "go on until the run has ended");
    declare_list(app, c.list, "written then or later: a time, or how long ago (10m)",
                 "the last so many lines");
}

void declare(Declaration& app, CancelCommand& c) {
    declare_text(app, "run", c.run, "RUN", "default: the latest");
}

void declare(Declaration& app, TagCommand& c) {
    declare_choice(
        app, "action", {"add", "remove", "list"},
        [&c](std::size_t i) { c.action = static_cast<TagCommand::Action>(i); }, "what to do",
        Given::required);
    declare_text(app, "run", c.run, "RUN", "a run: latest, FLOW/latest, an id or its beginning, or @TAG");
    declare_texts(app, "tags", c.tags, "TAG", "one or more");
    declare_list(app, c.list, "list: set then or later: a time, or how long ago (2d)",
                 "list: at most so many");
}

void declare(Declaration& app, PutCommand& c) {
    declare_text(app, "name", c.name, "NAME", "of the artifact", Given::required);
    declare_text(app, "value", c.value, "VALUE|@FILE|-", "JSON or text; a file or folder; or standard input",
                 Given::required);
}

void declare(Declaration& app, SpawnCommand& c) {
    declare_text(app, "flow", c.flow, "FLOW", "the file of a flow of the project", Given::required);
    declare_pairs(app, "-p,--param", c.params, "NAME=VALUE", "a parameter of that flow");
    declare_text(app, "--key", c.key, "KEY",
                 "asked for again with the same key it is the same run; default: flow and parameters");
    declare_flag(app, "--wait", c.wait, "until it has ended; the exit code is then as that of `amp run`");
}

void declare(Declaration& app, MetricCommand& c) {
    declare_texts(app, "values", c.values, "NAME=NUMBER", "one or more", Given::required);
    declare_count<std::int64_t>(app, "--step", c.step, "the step of the training, or whatever counts it");
}

void declare(Declaration& app, NoteCommand& c) {
    declare_texts(app, "text", c.words, "TEXT", "the remark", Given::required);
}

void declare(Declaration& app, LinkCommand& c) {
    declare_text(app, "title", c.title, "TITLE", "under which it is shown", Given::required);
    declare_text(app, "url", c.url, "URL", "of the page", Given::required);
}

void declare(Declaration& app, ProgressCommand& c) {
    declare_text(app, "done", c.done, "DONE", "from 0 to 1, or 40%", Given::required);
    declare_texts(app, "text", c.words, "TEXT", "of what");
}

void declare(Declaration& app, MetricsCommand& c) {
    declare_target(app, c.target, "default: the latest run");
    declare_texts(app, "--name", c.names, "NAME", "this metric alone; may be repeated");
    declare_count<std::uint32_t>(app, "--attempt", c.attempt,
                                 "of this attempt; default: the last of each task");
    declare_flag(app, "--system", c.system,
                 "also what amp has sampled: use of cpu, memory, storage, devices");
    declare_flag(app, "--csv", c.csv, "all points; with --json a line each");
    declare_list(app, c.list, "told then or later: a time, or how long ago (10m)", "at most so many");
}

void declare(Declaration& app, GetCommand& c) {
    // One argument is the name, two are target and name: decided in finish().
    app.values(
        "target",
        [&c](const std::vector<std::string>& texts) {
            c.name = texts.back();
            if (texts.size() > 1) {
                c.target = parse_target(texts.front());
            }
        },
        "[RUN[/STEP[/INDEX]]] NAME",
        "where it was made; without: an input of the task that we are in; then its NAME", Given::one_or_two);
    declare_text(app, "-o,--output", c.output, "FILE", "copy it there; -: to standard output");
}

void declare(Declaration& app, ArtifactsCommand& c) {
    declare_target(app, c.target, "default: the latest run");
    declare_list(app, c.list, "made then or later: a time, or how long ago (2d)", "at most so many");
}

void declare(Declaration& app, PlanCommand& c) {
    declare_text(app, "flow", c.query.flow, "FLOW",
                 "a file, or - for standard input; default: flow.toml here or in the project's folder");
    declare_text(app, "--resume", c.query.resume, "RUN", "what resuming this run would do");
    declare_texts(app, "--only", c.query.only, "STEP", "as of `amp run`");
    declare_text(app, "--origin", c.query.origin, "RUN", "of --only; without it as --resume");
    declare_text(app, "--like", c.query.like, "RUN", "as of `amp run`");
    declare_texts(app, "--until", c.query.until, "STEP", "as of `amp run` and `amp resume`");
    declare_texts(app, "--from", c.query.from, "STEP", "as of `amp resume`");
    declare_flag(app, "--retry-caught", c.query.retry_caught, "with --resume: as of `amp resume`");
    declare_parameters(app, c.query.params);
}

void declare(Declaration& app, WhyCommand& c) {
    app.value(
        "target", [&c](const std::string& text) { c.target = parse_target(text); }, "RUN/STEP[/INDEX]",
        "a task, or a step", Given::required);
    declare_text(app, "--against", c.against, "RUN",
                 "compare with this run; default: the run that it goes on from, else the one before");
}

void declare(Declaration& app, ApproveCommand& c) {
    app.value(
        "target", [&c](const std::string& text) { c.target = parse_target(text); }, "RUN/STEP[/INDEX]",
        "a task that waits for approval; a step: all of its tasks that do", Given::required);
    declare_flag(app, "--reject", c.reject, "it shall fail");
    declare_text(app, "--comment", c.comment, "TEXT", "what is recorded with it");
}

void declare(Declaration& app, DiffCommand& c) {
    declare_text(app, "before", c.before, "RUN", "the one", Given::required);
    declare_text(app, "after", c.after, "RUN", "the other", Given::required);
    declare_flag(app, "--patch", c.patch, "show what has changed in each file of the code");
    declare_flag(app, "--exit-code", c.exit_code, "exit with 6 when anything but times differs");
}

void declare(Declaration& app, CompareCommand& c) {
    declare_texts(app, "runs", c.runs, "RUN", "which; default: those that the options choose");
    declare_filter(app, c.filter);
    declare_flag(app, "--all-columns", c.all_columns, "also columns that are the same in all runs");
    declare_flag(app, "--system", c.system,
                 "also what amp has sampled: use of cpu, memory, storage, devices");
    declare_flag(app, "--csv", c.csv, "print all columns as CSV");
}

void declare(Declaration& app, CheckoutCommand& c) {
    declare_text(app, "run", c.run, "RUN", "a run: latest, FLOW/latest, an id or its beginning, or @TAG",
                 Given::required);
    declare_text(app, "folder", c.folder, "DIR", "a folder that is new or empty", Given::required);
}

void declare(Declaration& app, PackageCommand& c) {
    declare_choice(
        app, "action", {"list", "save"},
        [&c](std::size_t i) { c.action = static_cast<PackageCommand::Action>(i); }, "what to do",
        Given::required);
    declare_texts(app, "paths", c.paths, "FILE",
                  "save: where the archive goes, - is standard output; then the flow's file, by default "
                  "flow.toml here or in the project's folder");
    declare_text(app, "--run", c.run, "RUN", "instead of a flow's: the code that this run has used");
    declare_choice(
        app, "--sort", {"path", "size"},
        [&c](std::size_t i) { c.order = static_cast<PackageCommand::Order>(i); },
        "list: by path, or the largest first; default: path");
    declare_count<std::size_t>(app, "--limit", c.limit, "list: at most so many", 1);
}

void declare(Declaration& app, ReplayCommand& c) {
    app.value(
        "target", [&c](const std::string& text) { c.target = parse_target(text); }, "RUN/STEP[/INDEX]",
        "a task", Given::required);
    declare_count<std::uint32_t>(app, "--attempt", c.attempt, "this one; default: the last");
    declare_exit_code(app, c.task_exit, "when it fails: 1, or as the task has exited");
    declare_flag(app, "--shell", c.shell, "open $SHELL where the task would run, with its environment");
    declare_text(app, "--keep", c.folder, "DIR",
                 "do it in this folder, new or empty; default: a new one below $TMPDIR");
}

void declare(Declaration& app, TaskShellCommand& c) {
    app.values(
        "target", [&c](const std::vector<std::string>& texts) { c.target = parse_shell_target(texts); },
        "[RUN] STEP[/INDEX]", "a task; also RUN/STEP[/INDEX]. RUN by default: the latest", Given::one_or_two);
    declare_text(app, "-c,--command", c.command, "TEXT", "do this in the shell, and leave");
    declare_flag(app, "--release", c.release, "of a held place: open no shell, it is needed no longer");
}

void declare(Declaration& app, TaskCommand& c) {
    declare_choice(
        app, "action", {"exec"}, [](std::size_t) {}, "what to do", Given::required);
    declare_text(app, "spec", c.spec, "SPEC", "a JSON file; -: standard input", Given::required);
}

void declare(Declaration& app, ConfigCommand& c) {
    declare_text(app, "key", c.key, "SETTING", "one setting or table: profile.hpc; default: all");
    declare_flag(app, "--show-origin", c.show_origin, "say where each value comes from");
}

void declare(Declaration& app, GcCommand& c) {
    declare_text(app, "--older-than", c.older_than, "DURATION", "remove runs that began longer ago: 30d");
    declare_count<std::size_t>(app, "--keep-last", c.keep_last, "remove runs but the newest so many");
    declare_text(app, "--grace", c.grace, "DURATION",
                 "how long an object stays that nothing refers to; default: 7d");
    declare_flag(app, "-n,--dry-run", c.dry_run, "say what would be removed");
    declare_flag(app, "-y,--yes", c.yes, "do not ask, at a terminal, whether to remove runs");
}

void declare(Declaration& app, RmCommand& c) {
    declare_texts(app, "runs", c.runs, "RUN", "ids, or what else names a run", Given::required);
    declare_flag(app, "--force", c.force, "also runs that are tagged");
    declare_flag(app, "-y,--yes", c.yes, "do not ask, at a terminal, whether to remove them");
}

void declare(Declaration& app, FsckCommand& c) {
    declare_texts(app, "runs", c.runs, "RUN", "only these, and what they refer to; default: the whole store");
    declare_flag(app, "--repair", c.repair, "mend what can be mended; what is changed is copied first");
}

void declare(Declaration&, DoctorCommand&) {}

void declare(Declaration&, CheckpointCommand&) {}

void declare(Declaration& app, ExplainCommand& c) {
    declare_text(app, "code", c.code, "CODE", "for instance AMP1203; default: list all");
}

}  // namespace amp
