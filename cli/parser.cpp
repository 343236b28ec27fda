#include "cli/parser.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <type_traits>

#include "cli/command_list.hpp"
#include "cli/option_info.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

Error usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

// Declaring options: thin words around CLI11, so that each command reads as a list.

constexpr const char* k_common_group = "Common options";

CLI::Option* declare_flag(CLI::App& app, const char* names, bool& into, const char* help) {
    return app.add_flag_function(
        names, [&into](std::int64_t) { into = true; }, help);
}

CLI::Option* declare_text(CLI::App& app, const char* names, std::string& into, const char* metavar,
                          const char* help) {
    return app.add_option(names, into, help)->type_name(metavar);
}

CLI::Option* declare_texts(CLI::App& app, const char* names, std::vector<std::string>& into,
                           const char* metavar, const char* help) {
    CLI::Option* option = app.add_option(names, into, help)->type_name(metavar);
    return option->get_positional() ? option : option->allow_extra_args(false);
}

template <class Whole, class Target>
void declare_count(CLI::App& app, const std::string& name, Target& into, const char* help) {
    const auto parse = [&into, name](const std::string& text) {
        Whole number{};
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc() || end != text.data() + text.size()) {
            throw usage_error(
                fmt::format("option '{}' takes a whole number, not '{}'", name, printable(text)));
        }
        into = number;
    };
    app.add_option_function<std::string>(name, parse, help)->type_name("N");
}

/// An option whose values are words; `into` gets the place of the word.
template <class Set>
void declare_choice(CLI::App& app, const std::string& name, std::vector<std::string> words, Set set,
                    const char* help) {
    const std::string metavar = join(words, "|");
    const auto parse = [name, words = std::move(words), set](const std::string& text) {
        const auto it = std::find(words.begin(), words.end(), text);
        if (it == words.end()) {
            throw usage_error(
                fmt::format("option '{}' takes {}, not '{}'", name, join(words, ", "), printable(text)));
        }
        set(static_cast<std::size_t>(it - words.begin()));
    };
    app.add_option_function<std::string>(name, parse, help)->type_name(metavar);
}

/// A repeatable NAME=VALUE.
void declare_pairs(CLI::App& app, const char* names, NameValues& into, const char* metavar,
                   const char* help) {
    const auto parse = [&into, metavar](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
            const std::size_t equals = text.find('=');
            if (equals == std::string::npos || equals == 0) {
                throw usage_error(fmt::format("'{}' is no {}", printable(text), metavar));
            }
            into.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    };
    app.add_option_function<std::vector<std::string>>(names, parse, help)
        ->allow_extra_args(false)
        ->type_name(metavar);
}

void declare_common(CLI::App& app, CommonOptions& common) {
    declare_flag(app, "--json", common.json, "print one JSON document")->group(k_common_group);
    declare_flag(app, "-q,--quiet", common.quiet, "print results and errors alone")->group(k_common_group);
    app.add_flag_function(
           "-v,--verbose", [&common](std::int64_t n) { common.verbose = static_cast<int>(n); },
           "print more; twice: still more")
        ->group(k_common_group);
    declare_choice(
        app, "--color", {"auto", "always", "never"},
        [&common](std::size_t i) { common.color = static_cast<ColorMode>(i); }, "colour the output");
    app.get_option("--color")->group(k_common_group);
    declare_texts(app, "--set", common.overrides, "KEY=VALUE",
                  "override a setting: --set profile.hpc.partition=cpu")
        ->group(k_common_group);
    declare_text(app, "--profile,--on", common.profile, "NAME", "the profile of amp.toml to use")
        ->group(k_common_group);
}

void declare_parameters(CLI::App& app, ParameterSources& params) {
    declare_pairs(app, "-p,--param", params.given, "NAME=VALUE",
                  "a parameter of the flow; --NAME VALUE does as well");
    declare_text(app, "--params", params.file, "FILE", "parameters from a TOML or JSON file");
    declare_pairs(app, "--config", params.config, "NAME=FILE",
                  "another file for a [config] name of the flow");
}

template <class Options>
void declare_driving(CLI::App& app, Options& options, bool& events) {
    declare_count<std::size_t>(app, "--max-workers", options.max_workers, "tasks at once");
    app.add_flag_function(
        "--keep-going", [&options](std::int64_t) { options.keep_going = true; },
        "after a failure, go on with all that does not depend on it");
    declare_choice(
        app, "--events", {"ndjson"}, [&events](std::size_t) { events = true; }, "print a JSON line an event");
}

// What each command takes. `finish` turns texts into what the struct wants, after all options are known.

void declare(CLI::App& app, HelpCommand& c) {
    declare_text(app, "topic", c.topic, "COMMAND|TOPIC",
                 "a command, or environment, exit-codes, formatting, config");
}

void declare(CLI::App&, VersionCommand&) {}

void declare(CLI::App& app, ValidateCommand& c) {
    declare_texts(app, "flows", c.flows, "FLOW", "files; default: flow.toml here or in the project's folder");
    declare_choice(
        app, "--format", {"text", "json"}, [&c](std::size_t i) { c.format = i == 0 ? "text" : "json"; },
        "how to print what was found");
}

void declare(CLI::App& app, ShowCommand& c) {
    declare_text(app, "what", c.what, "FLOW|RUN", "a flow's file, or a run; default: the latest run");
    declare_flag(app, "--dot", c.dot, "print a flow's graph for Graphviz");
}

void declare(CLI::App& app, RunCommand& c) {
    declare_text(app, "flow", c.start.flow, "FLOW",
                 "a file; default: flow.toml here or in the project's folder");
    declare_parameters(app, c.start.params);
    declare_texts(app, "--tag", c.start.tags, "TAG", "tag the run");
    declare_driving(app, c.start, c.events);
}

void declare(CLI::App& app, ResumeCommand& c) {
    declare_text(app, "run", c.resume.run, "RUN", "default: the latest");
    declare_parameters(app, c.resume.params);
    declare_driving(app, c.resume, c.events);
    declare_flag(app, "--take-over", c.resume.take_over,
                 "do not wait for the lease of a driver on another host");
    declare_flag(app, "--retry-caught", c.resume.retry_caught, "run caught tasks again, too");
}

void declare(CLI::App& app, RunsCommand& c) {
    declare_text(app, "--flow", c.flow, "NAME", "of this flow");
    declare_text(app, "--tag", c.tag, "TAG", "with this tag");
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
    declare_count<std::size_t>(app, "--limit", c.limit, "at most so many");
}

/// An argument that is parsed as RUN/STEP/INDEX.
template <class Target>
void declare_target(CLI::App& app, Target& into, const char* help) {
    app.add_option_function<std::string>(
           "target", [&into](const std::string& text) { into = parse_target(text); }, help)
        ->type_name("RUN[/STEP[/INDEX]]");
}

void declare(CLI::App& app, LogsCommand& c) {
    declare_target(app, c.target, "default: the latest run");
    declare_text(app, "--step", c.target.step, "STEP", "of this step");
    declare_count<std::uint32_t>(app, "--attempt", c.attempt,
                                 "of this attempt; default: the last of each task");
    declare_flag(app, "-f,--follow", c.follow, "go on until the run has ended");
}

void declare(CLI::App& app, CancelCommand& c) {
    declare_text(app, "run", c.run, "RUN", "default: the latest");
}

void declare(CLI::App& app, TagCommand& c) {
    const auto action = [&c](const std::string& text) {
        constexpr std::array<std::string_view, 3> k_actions = {"add", "remove", "list"};
        const auto it = std::find(k_actions.begin(), k_actions.end(), text);
        if (it == k_actions.end()) {
            throw usage_error(fmt::format("amp tag takes add, remove or list, not '{}'", printable(text)));
        }
        c.action = static_cast<TagCommand::Action>(it - k_actions.begin());
    };
    app.add_option_function<std::string>("action", action, "what to do")
        ->type_name("add|remove|list")
        ->required();
    declare_text(app, "run", c.run, "RUN", "an id, the beginning of one, or latest");
    declare_texts(app, "tags", c.tags, "TAG", "one or more");
}

void declare(CLI::App& app, PutCommand& c) {
    declare_text(app, "name", c.name, "NAME", "of the artifact")->required();
    declare_text(app, "value", c.value, "VALUE|@FILE|-", "JSON or text; a file or folder; or standard input")
        ->required();
}

void declare(CLI::App& app, GetCommand& c) {
    // One argument is the name, two are target and name: decided in finish().
    app.add_option_function<std::vector<std::string>>(
           "target",
           [&c](const std::vector<std::string>& texts) {
               c.name = texts.back();
               if (texts.size() > 1) {
                   c.target = parse_target(texts.front());
               }
           },
           "where it was made; without: an input of the task that we are in; then its NAME")
        ->type_name("[RUN[/STEP[/INDEX]]] NAME")
        ->expected(1, 2)
        ->required();
    declare_text(app, "-o,--output", c.output, "PATH", "copy it there");
}

void declare(CLI::App& app, ArtifactsCommand& c) {
    declare_target(app, c.target, "default: the latest run");
}

void declare(CLI::App& app, ConfigCommand& c) {
    declare_text(app, "key", c.key, "KEY", "one setting or table: profile.hpc; default: all");
    declare_flag(app, "--show-origin", c.show_origin, "say where each value comes from");
}

void declare(CLI::App& app, ExplainCommand& c) {
    declare_text(app, "code", c.code, "CODE", "for instance AMP1203; default: list all");
}

// What hangs together between options, once all are read.

template <class Any>
void finish(Any&) {}

void finish(ResumeCommand& c) {
    if (c.resume.run.empty()) {
        c.resume.run = "latest";
    }
}

void finish(TagCommand& c) {
    if (c.action != TagCommand::Action::list && c.tags.empty()) {
        throw usage_error("amp tag add and remove take a run and at least one tag",
                          "for instance: amp tag add latest exp-7");
    }
}

/// CLI11's own words for what is left to it (numbers of arguments) in ours.
[[noreturn]] void translate(const CLI::App& app, const CLI::ParseError& error) {
    const std::string see = fmt::format("'amp {} -h' shows how it is used", app.get_name());
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        const std::vector<std::string> extras = app.remaining();
        const std::string first =
            extras.empty() || (extras.front() == "--" && extras.size() == 1) ? "" : extras.back();
        throw usage_error(fmt::format("unexpected argument '{}'", printable(first)), see);
    }
    throw usage_error(fmt::format("amp {}: {}", app.get_name(), printable(error.what())), see);
}

/// Of commands that take parameters of a flow as options. Before -p is read, which therefore has the last
/// word.
void take_parameters(RunCommand& command, const SortedArguments& sorted) {
    command.start.params.given = sorted.parameters;
    command.slips = sorted.slips;
}
void take_parameters(ResumeCommand& command, const SortedArguments& sorted) {
    command.resume.params.given = sorted.parameters;
    command.slips = sorted.slips;
}
template <class Any>
void take_parameters(Any&, const SortedArguments&) {}

void parse_sorted(CLI::App& app, const SortedArguments& sorted) {
    std::vector<std::string> words = sorted.options;
    words.emplace_back("--");
    words.insert(words.end(), sorted.positionals.begin(), sorted.positionals.end());
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        translate(app, error);
    }
}

std::vector<OptionInfo> options_of(const CLI::App& app) {
    std::vector<OptionInfo> infos;
    for (const CLI::Option* option : app.get_options()) {
        OptionInfo info{{},
                        option->get_type_name(),
                        option->get_description(),
                        option->get_items_expected_max() > 0,
                        option->get_group() == k_common_group};
        for (const std::string& name : option->get_snames()) {
            info.names.push_back("-" + name);
        }
        for (const std::string& name : option->get_lnames()) {
            info.names.push_back("--" + name);
        }
        infos.push_back(std::move(info));
    }
    return infos;
}

/// A command's options, declared, with the structs that they fill.
template <class Options>
struct Declared {
    explicit Declared(const CommandInfo& info) : app(std::string(info.summary), std::string(info.name)) {
        app.set_help_flag();  // amp finds -h itself, wherever it stands
        declare(app, options);
        declare_common(app, common);
    }
    CommonOptions common;
    Options options;
    CLI::App app;
};

// amp sorts the arguments itself, so that CLI11 gets options first and then `--` with all else. That makes
// options order-free, tells parameters of the flow from options, and keeps CLI11 from guessing.
template <class Options>
CommandLine parse_as(const CommandInfo& info, const std::vector<std::string>& arguments) {
    Declared<Options> declared(info);
    constexpr bool k_parameters =
        std::is_same_v<Options, RunCommand> || std::is_same_v<Options, ResumeCommand>;
    const SortedArguments sorted =
        sort_arguments(std::string(info.name), options_of(declared.app), k_parameters, arguments);
    if (sorted.help) {
        return {declared.common, HelpCommand{std::string(info.name)}};
    }
    take_parameters(declared.options, sorted);
    parse_sorted(declared.app, sorted);
    finish(declared.options);
    return {std::move(declared.common), std::move(declared.options)};
}

template <class Options>
std::string help_of(const CommandInfo& info) {
    return help_text(info, options_of(Declared<Options>(info).app));
}

struct Entry {
    std::string_view name;
    CommandLine (*parse)(const CommandInfo&, const std::vector<std::string>&);
    std::string (*help)(const CommandInfo&);
};

template <class Options>
constexpr Entry entry(std::string_view name) {
    return {name, &parse_as<Options>, &help_of<Options>};
}

constexpr std::array<Entry, 15> k_entries = {
    entry<ValidateCommand>("validate"),   entry<RunCommand>("run"),   entry<ResumeCommand>("resume"),
    entry<RunsCommand>("runs"),           entry<ShowCommand>("show"), entry<LogsCommand>("logs"),
    entry<ArtifactsCommand>("artifacts"), entry<GetCommand>("get"),   entry<PutCommand>("put"),
    entry<CancelCommand>("cancel"),       entry<TagCommand>("tag"),   entry<ConfigCommand>("config"),
    entry<ExplainCommand>("explain"),     entry<HelpCommand>("help"), entry<VersionCommand>("version"),
};

const Entry* find_entry(std::string_view name) {
    const auto it =
        std::find_if(k_entries.begin(), k_entries.end(), [&](const Entry& e) { return e.name == name; });
    return it == k_entries.end() ? nullptr : &*it;
}

/// Where the command stands: behind common options, whose values are skipped. arguments.size() when there is
/// none.
std::size_t command_position(const std::vector<std::string>& arguments) {
    constexpr std::array<std::string_view, 4> k_with_value = {"--color", "--set", "--profile", "--on"};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (std::find(k_with_value.begin(), k_with_value.end(), word) != k_with_value.end()) {
            ++i;
        } else if (!word.starts_with("-")) {
            return i;
        }
    }
    return arguments.size();
}

CommandLine without_command(const std::vector<std::string>& arguments) {
    const bool version = std::find(arguments.begin(), arguments.end(), "--version") != arguments.end();
    std::vector<std::string> rest = arguments;
    rest.erase(std::remove(rest.begin(), rest.end(), "--version"), rest.end());
    CommandLine line = version ? parse_as<VersionCommand>(*find_command("version"), rest)
                               : parse_as<HelpCommand>(*find_command("help"), rest);
    if (HelpCommand* help = std::get_if<HelpCommand>(&line.command)) {
        help->topic.clear();
    }
    return line;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    const std::size_t position = command_position(arguments);
    if (position == arguments.size()) {
        return without_command(arguments);
    }
    const std::string& name = arguments[position];
    const Entry* found = find_entry(name);
    if (found == nullptr) {
        const std::vector<std::string> names = command_names();
        const std::optional<std::string> near = did_you_mean(name, names);
        throw usage_error(
            fmt::format("unknown command '{}'", printable(name)),
            near ? fmt::format("did you mean 'amp {}'?", *near) : "'amp help' lists the commands");
    }
    std::vector<std::string> rest = arguments;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(position));
    return found->parse(*find_command(name), rest);
}

std::string command_help(std::string_view command) {
    const Entry* found = find_entry(command);
    return found == nullptr ? "" : found->help(*find_command(command));
}

}  // namespace amp
