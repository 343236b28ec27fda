#include "cli/parser.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>
#include <utility>

#include "cli/command_list.hpp"
#include "cli/declarations.hpp"
#include "cli/finish.hpp"
#include "cli/option_info.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

Error usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

constexpr const char* k_common_group = "Common options";

/// Over CLI11.
class CliDeclaration : public Declaration {
  public:
    CliDeclaration(CLI::App& app, const char* group) : app_(app), group_(group) {}

    void flag(const std::string& names, TakeCount take, const std::string& help) override {
        finish(app_.add_flag_function(names, take, help), Given::optional);
    }
    void value(const std::string& names, Take take, const std::string& metavar, const std::string& help,
               Given need) override {
        const auto careful = [names, metavar, take](const std::string& text) {
            refuse_empty(names, metavar, text);
            take(text);
        };
        finish(app_.add_option_function<std::string>(names, careful, help)->type_name(metavar), need);
    }
    void values(const std::string& names, TakeAll take, const std::string& metavar, const std::string& help,
                Given need) override {
        const auto careful = [names, metavar, take](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
                refuse_empty(names, metavar, text);
            }
            take(texts);
        };
        CLI::Option* option = app_.add_option_function<std::vector<std::string>>(names, careful, help);
        option->type_name(metavar);
        if (!option->get_positional()) {
            option->allow_extra_args(false);
        }
        finish(option, need);
    }

  private:
    void finish(CLI::Option* option, Given need) const {
        option->required(need != Given::optional);
        if (need == Given::one_or_two) {
            option->expected(1, 2);
        }
        if (group_ != nullptr) {
            option->group(group_);
        }
    }

    CLI::App& app_;
    const char* group_;
};

/// CLI11's own words for what is left to it (numbers of arguments) in ours.
[[noreturn]] void translate(const CLI::App& app, const CLI::ParseError& error) {
    const std::string see = fmt::format("'amp {} -h' shows how it is used", app.get_name());
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        const std::vector<std::string> extras = app.remaining();
        const std::string first =
            extras.empty() || (extras.front() == "--" && extras.size() == 1) ? "" : extras.back();
        throw usage_error(fmt::format("unexpected argument '{}'", printable(first)), see);
    }
    std::string text = error.what();
    for (const CLI::Option* option : app.get_options()) {  // by its place, as -h calls it
        const std::string name = option->get_name();
        if (option->get_positional() && text.starts_with(name + " ")) {
            text.replace(0, name.size(), option->get_type_name());
        }
    }
    throw usage_error(fmt::format("amp {}: {}", app.get_name(), printable(text)), see);
}

/// Of commands that take parameters of a flow as options. Before -p is read, which therefore has the last
/// word.
void take_parameters(RunCommand& command, const SortedArguments& sorted) {
    command.start.params.given = sorted.parameters;
    command.start.params.bare = sorted.bare;
    command.slips = sorted.slips;
}
void take_parameters(ResumeCommand& command, const SortedArguments& sorted) {
    command.resume.params.given = sorted.parameters;
    command.resume.params.bare = sorted.bare;
    command.slips = sorted.slips;
}
void take_parameters(PlanCommand& command, const SortedArguments& sorted) {
    command.query.params.given = sorted.parameters;
    command.query.params.bare = sorted.bare;
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
                        option->get_group() == k_common_group,
                        option->get_items_expected_max() > 1};
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
        CliDeclaration own(app, nullptr);
        declare(own, options);
        CliDeclaration of_all(app, k_common_group);
        declare_common(of_all, common);
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
    const SortedArguments sorted = sort_arguments(std::string(info.name), options_of(declared.app),
                                                  takes_parameters(info.name), arguments);
    if (sorted.help) {
        return {declared.common, HelpCommand{std::string(info.name), true}};
    }
    take_parameters(declared.options, sorted);
    parse_sorted(declared.app, sorted);
    finish(declared.options);
    check_outputs(declared.common, own_output(declared.options));
    return {std::move(declared.common), std::move(declared.options)};
}

template <class Options>
std::vector<OptionInfo> options_for(const CommandInfo& info) {
    return options_of(Declared<Options>(info).app);
}

/// What was typed so far, whatever it is: nothing of it is looked at here, and nothing is wrong.
CommandLine parse_complete(const CommandInfo& /*info*/, const std::vector<std::string>& arguments) {
    CompleteCommand command;
    if (arguments.size() == 2 && arguments[0] == "--line") {
        command.line = arguments[1];
    } else if (arguments.size() == 1 && (arguments[0] == "-h" || arguments[0] == "--help")) {
        return {{}, HelpCommand{"complete", true}};
    } else if (!arguments.empty() && arguments[0] == "--") {
        command.words.assign(arguments.begin() + 1, arguments.end());
    }
    return {{}, std::move(command)};
}

struct Entry {
    std::string_view name;
    CommandLine (*parse)(const CommandInfo&, const std::vector<std::string>&);
    std::vector<OptionInfo> (*options)(const CommandInfo&);
};

template <class Options>
constexpr Entry entry(std::string_view name) {
    return {name, &parse_as<Options>, &options_for<Options>};
}

constexpr auto k_entries = std::to_array<Entry>({
    {"complete", &parse_complete, &options_for<CompleteCommand>},
    entry<CompletionCommand>("completion"),
    entry<ManualCommand>("manual"),
    entry<TaskCommand>("task"),
    entry<GcCommand>("gc"),
    entry<RmCommand>("rm"),
    entry<FsckCommand>("fsck"),
    entry<DoctorCommand>("doctor"),
    entry<ValidateCommand>("validate"),
    entry<RunCommand>("run"),
    entry<ResumeCommand>("resume"),
    entry<AttachCommand>("attach"),
    entry<RunsCommand>("runs"),
    entry<ShowCommand>("show"),
    entry<LogsCommand>("logs"),
    entry<ArtifactsCommand>("artifacts"),
    entry<GetCommand>("get"),
    entry<PutCommand>("put"),
    entry<SpawnCommand>("spawn"),
    entry<CancelCommand>("cancel"),
    entry<CheckpointCommand>("checkpoint"),
    entry<ApproveCommand>("approve"),
    entry<TagCommand>("tag"),
    entry<ConfigCommand>("config"),
    entry<PlanCommand>("plan"),
    entry<WhyCommand>("why"),
    entry<DiffCommand>("diff"),
    entry<CompareCommand>("compare"),
    entry<CheckoutCommand>("checkout"),
    entry<PackageCommand>("package"),
    entry<ReplayCommand>("replay"),
    entry<TaskShellCommand>("shell"),
    entry<ExplainCommand>("explain"),
    entry<HelpCommand>("help"),
    entry<VersionCommand>("version"),
    entry<MetricCommand>("metric"),
    entry<NoteCommand>("note"),
    entry<LinkCommand>("link"),
    entry<ProgressCommand>("progress"),
    entry<MetricsCommand>("metrics"),
});

const Entry* find_entry(std::string_view name) {
    const auto it =
        std::find_if(k_entries.begin(), k_entries.end(), [&](const Entry& e) { return e.name == name; });
    return it == k_entries.end() ? nullptr : &*it;
}

/// What other programs call it, or what is nearest.
std::optional<std::string> meant_command(const std::string& name) {
    struct Synonym {
        std::string_view other;
        std::string_view ours;
    };
    static constexpr auto k_synonyms = std::to_array<Synonym>({
        {"ls", "runs"},
        {"list", "runs"},
        {"status", "runs"},
        {"ps", "runs"},
        {"stop", "cancel"},
        {"kill", "cancel"},
        {"abort", "cancel"},
        {"start", "run"},
        {"execute", "run"},
        {"continue", "resume"},
        {"watch", "attach"},
        {"log", "logs"},
        {"graph", "show"},
        {"describe", "show"},
        {"check", "validate"},
        {"lint", "validate"},
        {"delete", "rm"},
        {"remove", "rm"},
    });
    const auto known = std::find_if(k_synonyms.begin(), k_synonyms.end(),
                                    [&](const Synonym& synonym) { return synonym.other == name; });
    return known != k_synonyms.end() ? std::optional(std::string(known->ours))
                                     : did_you_mean(name, command_names());
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
        const std::optional<std::string> near = meant_command(name);
        throw usage_error(
            fmt::format("unknown command '{}'", printable(name)),
            near ? fmt::format("did you mean 'amp {}'?", *near) : "'amp help' lists the commands");
    }
    std::vector<std::string> rest = arguments;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(position));
    return found->parse(*find_command(name), rest);
}

std::string command_help(std::string_view command, bool in_full) {
    const CommandInfo* info = find_command(command);
    return info == nullptr ? "" : help_text(*info, command_options(command), in_full);
}

std::vector<OptionInfo> command_options(std::string_view command) {
    const Entry* found = find_entry(command);
    return found == nullptr ? std::vector<OptionInfo>() : found->options(*find_command(command));
}

bool takes_parameters(std::string_view command) {
    return command == "run" || command == "resume" || command == "plan";
}

std::size_t command_position(const std::vector<std::string>& arguments) {
    constexpr std::array<std::string_view, 5> k_with_value = {"--color", "--set", "--profile", "--on",
                                                              "--select"};
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

}  // namespace amp
