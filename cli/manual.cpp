#include "cli/manual.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "cli/command_list.hpp"
#include "cli/help_topics.hpp"
#include "cli/parser.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/base/version.hpp"
#include "core/flow/project_config_schema.hpp"
#include "core/flow/schema.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_page_bytes = std::uint64_t{1} << 20;

/// Text as roff prints it: nothing of it is a request or an escape, and quotes and dashes can be copied.
std::string escaped(std::string_view text) {
    std::string out;
    bool first = true;
    constexpr std::string_view k_dots = "\u2026";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (text.substr(i).starts_with(k_dots)) {  // not every output of roff has it
            out += "...";
            i += k_dots.size() - 1;
            continue;
        }
        if (first && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        switch (c) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '\'':
                out += "\\(aq";
                break;
            case '`':
                out += "\\(ga";
                break;
            case '~':
                out += "\\(ti";
                break;
            case '^':
                out += "\\(ha";
                break;
            case '"':
                out += "\\(dq";
                break;
            default:
                out += c;
        }
        first = c == '\n';
    }
    return out;
}

/// Prose, each sentence on a line of its own, as mdoc(7) wants it.
std::string prose(std::string_view text) {
    std::string lines(text);
    for (std::size_t at = lines.find(". "); at != std::string::npos; at = lines.find(". ", at)) {
        lines.replace(at, 2, ".\n");
    }
    return escaped(lines);
}

/// One argument of a macro: never taken for a macro or for punctuation.
std::string argument(std::string_view text) {
    return "\"\\&" + escaped(text) + "\"";
}

std::string literal(std::string_view text) {
    return fmt::format(".Bd -literal\n{}\n.Ed\n",
                       escaped(trim(text) == text ? text : text.substr(0, text.find_last_not_of('\n') + 1)));
}

std::string heading(std::string_view title, std::string_view section, std::string_view name,
                    std::string_view summary) {
    return fmt::format(".Dd {}\n.Dt {} {}\n.Os amp {}\n.Sh NAME\n.Nm {}\n.Nd {}\n", k_version_date, title,
                       section, k_version, name, escaped(summary));
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

std::string item(std::string_view label, std::string_view text) {
    return fmt::format(".It {}\n{}.\n", label, prose(capitalized(text)));
}

/// ".Fl p , Fl \-param Ar NAME=VALUE", or an argument.
std::string label_of(const OptionInfo& option) {
    std::string out;
    for (const std::string& name : option.names) {
        out += fmt::format("{}Fl {}", out.empty() ? "" : " , ", escaped(name.substr(1)));
    }
    if (option.takes_value) {
        out += fmt::format("{}Ar {}", out.empty() ? "" : " ", argument(option.metavar));
    }
    return out;
}

template <class Wanted>
std::string option_list(std::string_view title, const std::vector<OptionInfo>& options, Wanted wanted) {
    std::string items;
    for (const OptionInfo& option : options) {
        if (wanted(option)) {
            items += item(label_of(option), option.help);
        }
    }
    return items.empty() ? "" : fmt::format(".Pp\n{}\n.Bl -tag -width Ds\n{}.El\n", title, items);
}

std::string paragraphs(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find("\n\n"), text.size());
        out += ".Pp\n" + prose(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(text.size(), end + 2));
    }
    return out;
}

std::string_view topic_text(std::string_view name) {
    for (const HelpTopic& topic : help_topics()) {
        if (topic.name == name) {
            return topic.text.substr(topic.text.find('\n') + 2);  // without its title
        }
    }
    return {};
}

/// What `amp help exit-codes` says of a code.
std::string exit_meaning(std::string_view code) {
    std::string out;
    for (const std::string_view line : split(topic_text("exit-codes"), '\n')) {
        const bool begins = line.starts_with(fmt::format("  {} ", code));
        if (begins || (!out.empty() && line.starts_with("       "))) {
            out += (out.empty() ? "" : " ") + std::string(trim(line.substr(begins ? code.size() + 2 : 0)));
        } else if (!out.empty()) {
            break;
        }
    }
    return out;
}

std::string files_section(std::string_view keys) {
    std::string items;
    const std::vector<std::string_view> wanted = split(keys, ' ');
    for (const KnownFile& file : known_files()) {
        if (std::find(wanted.begin(), wanted.end(), file.key) != wanted.end()) {
            items += item("Pa " + argument(file.path), file.meaning);
        }
    }
    return items.empty() ? "" : fmt::format(".Sh FILES\n.Bl -tag -width Ds\n{}.El\n", items);
}

std::string see_also(std::vector<std::pair<std::string, int>> pages) {
    std::sort(pages.begin(), pages.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second, a.first) < std::pair(b.second, b.first);
    });
    std::string out = ".Sh SEE ALSO\n";
    for (std::size_t i = 0; i < pages.size(); ++i) {
        out +=
            fmt::format(".Xr {} {}{}\n", pages[i].first, pages[i].second, i + 1 < pages.size() ? " ," : "");
    }
    return out;
}

// The keys of flow.toml and amp.toml
// ------------------------------------------------------------------------------------------------------

std::span<const schema::Key> keys_below(const schema::Rule* rule) {
    for (; rule != nullptr; rule = rule->member != nullptr ? rule->member : rule->element) {
        if (!rule->keys.empty()) {
            return rule->keys;
        }
    }
    return {};
}

std::string key_list(std::span<const schema::Key> keys) {
    std::string out = ".Bl -tag -width Ds\n";
    for (const schema::Key& key : keys) {
        const schema::Rule& rule = *key.rule;
        const bool chooses = !rule.choices.empty() && rule.expected == "one of the words";
        std::string type = capitalized(chooses ? "one of " : rule.expected);
        for (std::size_t i = 0; chooses && i < rule.choices.size(); ++i) {
            type += fmt::format("{}{}", i == 0 ? "" : ", ", rule.choices[i]);
        }
        out += fmt::format(".It Ic {}{}\n{}{}.\n{}.\n", argument(key.name),
                           key.required ? " Pq required" : "", escaped(type),
                           rule.expression ? ", or an expression" : "", prose(capitalized(key.meaning)));
        if (key.later) {
            out += "Read and checked; this version does not act upon it yet.\n";
        }
        const auto below = keys_below(key.rule);
        if (below.data() == schema::step_keys().data()) {
            out += "The keys of steps are in\n.Xr amp-flow 5 .\n";
        } else if (!below.empty()) {
            out += key_list(below);
        }
    }
    return out + ".El\n";
}

std::string keys_named(std::string_view name) {
    if (name == "flow") {
        return key_list(schema::flow_keys());
    }
    if (name == "params") {
        return key_list(schema::parameter_keys());
    }
    if (name == "config") {
        return key_list(schema::config_keys());
    }
    if (name == "step") {
        return key_list(schema::step_keys());
    }
    if (name == "settings") {
        return key_list(project_schema::root().keys);
    }
    throw Error(ExitCode::invalid, fmt::format("there are no keys '{}'", printable(name)));
}

void write_page(const std::string& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    const int failed = file.get() < 0 ? errno : descriptor_sink(file.get())(text);
    if (failed != 0) {
        throw Error::system("write", path, failed);
    }
}

}  // namespace

std::string main_page() {
    std::string out = heading("AMP", "1", "amp", "runs flows and loses nothing that finished");
    out +=
        ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Op Ar arguments\n.Sh DESCRIPTION\n"
        "A flow is a graph of steps in any language, in a file flow.toml, see\n.Xr amp-flow 5 .\n"
        ".Nm\nruns their tasks in parallel, keeps what they make, and goes on after whatever ended it.\n"
        ".Pp\nThe options of all commands may stand anywhere; a\n.Fl \\-\nends them.\n";
    out += option_list("They are:", command_options("version"), [](const OptionInfo&) { return true; });
    out += ".Sh COMMANDS\n.Bl -tag -width Ds\n";
    std::vector<std::pair<std::string, int>> pages = {{"amp-flow", 5}, {"amp.toml", 5}};
    for (const CommandInfo& command : command_list()) {
        if (!command.hidden) {
            pages.emplace_back(fmt::format("amp-{}", command.name), 1);
            out += item(fmt::format("Xr amp-{} 1", command.name), command.summary);
        }
    }
    out += ".El\n";
    constexpr auto k_sections =
        std::to_array<std::pair<std::string_view, std::string_view>>({{"BACKENDS", "backends"},
                                                                      {"SETTINGS", "config"},
                                                                      {"FORMATTING", "formatting"},
                                                                      {"ENVIRONMENT", "environment"}});
    for (const auto& [title, topic] : k_sections) {
        out += fmt::format(".Sh {}\n{}", title, literal(topic_text(topic)));
    }
    out += files_section("flow.toml amp.toml .amp/local.toml config.toml .amp");
    out += ".Sh EXIT STATUS\n" + literal(topic_text("exit-codes"));
    out += ".Sh EXAMPLES\n" + literal("  amp validate && amp run --lr 0.1\n  amp resume latest\n");
    return out + see_also(std::move(pages));
}

std::string command_page(const CommandInfo& command) {
    const std::string name = fmt::format("amp-{}", command.name);
    const std::vector<OptionInfo> options = command_options(command.name);
    std::string out = heading(upper(name), "1", name, command.summary);
    out += fmt::format(".Sh SYNOPSIS\n.Nm {}\n", argument(fmt::format("amp {}", command.name)));
    if (!command.usage.empty()) {
        out += fmt::format(".Ar {}\n", argument(command.usage));
    }
    out += fmt::format(".Op Ar options\n.Sh DESCRIPTION\n{}.\n", escaped(capitalized(command.summary)));
    out += paragraphs(command.description);
    out += option_list("The arguments are:", options, [](const OptionInfo& o) { return o.names.empty(); });
    out += option_list("The options are:", options,
                       [](const OptionInfo& o) { return !o.names.empty() && !o.common; });
    out += option_list("The options of all commands are:", options,
                       [](const OptionInfo& o) { return o.common; });
    out += files_section(command.files);
    out += ".Sh EXIT STATUS\n.Bl -tag -width Ds\n";
    for (const std::string_view code : split(command.exits, ' ')) {
        out += item(code, exit_meaning(code));
    }
    out += ".El\n.Sh EXAMPLES\n" + literal(command.examples);
    std::vector<std::pair<std::string, int>> pages = {{"amp", 1}};
    for (const std::string_view other : split(command.see_also, ' ')) {
        pages.emplace_back(fmt::format("amp-{}", other), 1);
    }
    if (command.files.starts_with("flow.toml")) {
        pages.emplace_back("amp-flow", 5);
    }
    return out + see_also(std::move(pages));
}

std::string filled_page(std::string_view source) {
    std::string out;
    for (std::string_view line : split(source, '\n')) {
        constexpr std::string_view k_keys = "@keys ";
        if (line.starts_with(k_keys) && line.ends_with('@')) {
            line.remove_prefix(k_keys.size());
            out += keys_named(line.substr(0, line.size() - 1));
        } else if (line == "@date@") {
            out += fmt::format(".Dd {}\n", k_version_date);
        } else if (line == "@version@") {
            out += fmt::format(".Os amp {}\n", k_version);
        } else {
            out += std::string(line) + "\n";
        }
    }
    out.pop_back();
    return out;
}

ExitCode execute(Session& session, const ManualCommand& command) {
    const std::string begin = command.folder + "/amp";
    write_page(begin + ".1", main_page());
    for (const CommandInfo& info : command_list()) {
        if (!info.hidden) {
            write_page(fmt::format("{}-{}.1", begin, info.name), command_page(info));
        }
    }
    constexpr std::string_view k_end = ".in";
    Files& files = session.services.files;
    for (const std::string& name :
         command.sources.empty() ? std::vector<std::string>() : files.list(command.sources)) {
        if (name.ends_with(k_end)) {
            write_page(fmt::format("{}/{}", command.folder, name.substr(0, name.size() - k_end.size())),
                       filled_page(files.read(fmt::format("{}/{}", command.sources, name), k_page_bytes)));
        }
    }
    return ExitCode::ok;
}

}  // namespace amp
