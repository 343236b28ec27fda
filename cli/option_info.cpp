#include "cli/option_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <optional>
#include <set>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/params.hpp"

namespace amp {
namespace {

Error usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

class Sorter {
  public:
    Sorter(const std::string& command, std::span<const OptionInfo> options, bool parameters,
           const std::vector<std::string>& arguments)
        : command_(command), options_(options), parameters_(parameters), arguments_(arguments) {}

    SortedArguments sort() {
        for (; at_ < arguments_.size(); ++at_) {
            const std::string& word = arguments_[at_];
            if (word == "--") {
                const auto rest = arguments_.begin() + static_cast<std::ptrdiff_t>(at_) + 1;
                out_.positionals.insert(out_.positionals.end(), rest, arguments_.end());
                break;
            }
            if (word == "-h" || word == "--help") {
                out_.help = true;
            } else if (word.starts_with("--")) {
                take_long(word);
            } else if (is_short_option(word)) {
                take_short(word);
            } else {
                out_.positionals.push_back(word);
            }
        }
        return std::move(out_);
    }

  private:
    static bool is_short_option(const std::string& word) {
        const bool number =
            word.size() > 1 && (std::isdigit(static_cast<unsigned char>(word[1])) != 0 || word[1] == '.');
        return word.size() > 1 && word[0] == '-' && !number;
    }

    const OptionInfo* find(const std::string& name) const {
        const auto it = std::find_if(options_.begin(), options_.end(), [&](const OptionInfo& option) {
            return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
        });
        return it == options_.end() ? nullptr : &*it;
    }

    void take_long(const std::string& word) {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const bool has_value = equals != std::string::npos;
        const OptionInfo* option = find(name);
        if (option == nullptr) {
            take_parameter(name, has_value ? std::optional(word.substr(equals + 1)) : std::nullopt);
            return;
        }
        if (!option->takes_value && has_value) {
            throw usage_error(fmt::format("option '{}' takes no value", name));
        }
        count(*option, name);
        out_.options.push_back(name);
        if (option->takes_value) {
            out_.options.push_back(has_value ? word.substr(equals + 1) : next_value(name));
        }
    }

    /// Of two values of one option neither is surely the one that was meant.
    void count(const OptionInfo& option, const std::string& name) {
        const bool again = !given_.insert(&option).second;
        if (again && option.takes_value && !option.repeats) {
            throw usage_error(fmt::format("option '{}' is given twice", name), "it takes one value");
        }
    }

    /// -q, -fq, -plr=0.1 and -p lr=0.1.
    void take_short(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const std::string name = {'-', word[i]};
            const OptionInfo* option = find(name);
            if (option == nullptr) {
                throw unknown(word.size() == 2 ? word : name);
            }
            count(*option, name);
            out_.options.push_back(name);
            if (option->takes_value) {
                out_.options.push_back(i + 1 < word.size() ? word.substr(i + 1) : next_value(name));
                return;
            }
        }
    }

    /// A long option that is none of ours. What is nearly one of ours, without a value, is a slip of the
    /// hand; but short words resemble each other: `--fast` is no slip of `--fit`.
    void take_parameter(const std::string& name, std::optional<std::string> value) {
        if (parameters_ && name.size() > 2) {
            refuse_reserved(name);
        }
        const bool alone = !value && (at_ + 1 >= arguments_.size() || arguments_[at_ + 1].starts_with("--") ||
                                      is_known_option(arguments_[at_ + 1]));
        const std::optional<std::string> other = near(name);
        constexpr std::size_t k_short = 7;  // with its dashes
        const bool slip = alone && other && other->size() > k_short;
        if (!parameters_ || name.size() < 3 || slip) {
            throw unknown(name);
        }
        if (other) {
            out_.slips.emplace_back(name, *other);
        }
        std::string parameter = name.substr(2);
        std::replace(parameter.begin(), parameter.end(), '-', '_');
        if (alone) {
            value = "true";
            out_.bare.push_back(parameter);
        } else if (!value) {
            value = arguments_[++at_];
        }
        out_.parameters.emplace_back(std::move(parameter), *value);
    }

    /// Names that are amp's own, here or in a version to come: never a parameter.
    void refuse_reserved(const std::string& name) const {
        constexpr std::array<std::string_view, 4> k_of_resume = {"retry-caught", "relock", "take-over",
                                                                 "from"};
        constexpr std::array<std::string_view, 7> k_of_run = {"tag", "like",    "only",     "origin",
                                                              "fit", "dry-run", "exit-code"};
        const std::string_view word = std::string_view(name).substr(2);
        const auto is_word = [&](std::string_view reserved) { return reserved == word; };
        const std::string hint =
            fmt::format("a parameter called so is given by -p {}=VALUE", printable(word));
        const bool of_resume = std::any_of(k_of_resume.begin(), k_of_resume.end(), is_word);
        const bool of_run = std::any_of(k_of_run.begin(), k_of_run.end(), is_word);
        if (of_resume || of_run) {
            throw usage_error(fmt::format("'{}' is no option of amp {}", name, command_),
                              fmt::format("amp {} takes it", of_resume ? "resume" : "run"));
        }
        const auto reserved = run_option_names();
        if (std::any_of(reserved.begin(), reserved.end(), is_word)) {
            throw usage_error(fmt::format("'{}' is not in this version of amp yet", name), hint);
        }
    }

    /// -h, or an option of this command: whoever wrote it behind an option has left out the value of that.
    bool is_known_option(const std::string& word) const {
        return word == "-h" || word == "--help" || word == "--" ||
               (word.size() > 1 && word[0] == '-' && find(word.substr(0, word.find('='))) != nullptr);
    }

    std::string next_value(const std::string& name) {
        if (at_ + 1 >= arguments_.size()) {
            throw usage_error(fmt::format("option '{}' needs a value", name));
        }
        const std::string& next = arguments_[at_ + 1];
        if (is_known_option(next)) {
            throw usage_error(fmt::format("option '{}' needs a value, and '{}' is an option", name, next),
                              fmt::format("{}{}{} gives it as the value", name,
                                          name.starts_with("--") ? "=" : "", printable(next)));
        }
        return arguments_[++at_];
    }

    /// Without the dashes, which would make all short names alike.
    std::optional<std::string> near(const std::string& name) const {
        if (!name.starts_with("--")) {
            return std::nullopt;
        }
        std::vector<std::string> names = {"help", "version"};
        for (const OptionInfo& option : options_) {
            for (const std::string& known : option.names) {
                if (known.starts_with("--")) {
                    names.push_back(known.substr(2));
                }
            }
        }
        const std::optional<std::string> found = did_you_mean(name.substr(2), names);
        return found ? std::optional("--" + *found) : std::nullopt;
    }

    Error unknown(const std::string& name) const {
        const std::optional<std::string> other = near(name);
        return usage_error(fmt::format("unknown option '{}'", printable(name)),
                           other ? fmt::format("did you mean '{}'?", *other)
                                 : fmt::format("'amp {} -h' lists the options", command_));
    }

    const std::string& command_;
    std::span<const OptionInfo> options_;
    bool parameters_;
    const std::vector<std::string>& arguments_;
    std::size_t at_ = 0;
    std::set<const OptionInfo*> given_;
    SortedArguments out_;
};

constexpr std::size_t k_width = 80;

void append_options(std::string& out, std::string_view title, std::span<const OptionInfo> options,
                    const std::function<bool(const OptionInfo&)>& wanted) {
    bool first = true;
    for (const OptionInfo& option : options) {
        if (!wanted(option)) {
            continue;
        }
        if (first) {
            out += fmt::format("\n{}:\n", title);
            first = false;
        }
        const std::string label = option_label(option);
        constexpr std::size_t k_column = 28;
        const std::string gap = label.size() + 2 > k_column ? "\n" + std::string(k_column + 2, ' ')
                                                            : std::string(k_column - label.size(), ' ');
        out += fmt::format("  {}{}{}\n", label, gap, wrapped(option.help, k_column + 2, k_width));
    }
}

/// "run plan" → "run, plan".
std::string join_words(std::string_view words, std::string_view separator) {
    const std::vector<std::string_view> parts = split(words, ' ');
    return join(std::vector<std::string>(parts.begin(), parts.end()), separator);
}

/// The paragraphs of its description.
std::string more_text(const CommandInfo& command) {
    std::string out;
    std::string_view rest = command.description;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find("\n\n"), rest.size());
        out += "\n" + wrapped(rest.substr(0, end), 0, k_width) + "\n";
        rest.remove_prefix(std::min(rest.size(), end + 2));
    }
    return out;
}

}  // namespace

std::optional<ValueKind> value_kind(std::string_view metavar) {
    struct Known {
        std::string_view metavar;
        ValueKind kind;
    };
    using enum ValueKind;
    static constexpr auto k_known = std::to_array<Known>({
        {"RUN", run},
        {"RUN[/STEP[/INDEX]]", target},
        {"RUN/STEP[/INDEX]", task},
        {"[RUN] STEP[/INDEX]", task},
        {"FLOW|RUN[/STEP[/INDEX]]", shown},
        {"[RUN[/STEP[/INDEX]]] NAME", source},
        {"STEP", step},
        {"TAG", tag},
        {"PROFILE", profile},
        {"FLOW", flow},
        {"FILE", file},
        {"SPEC", file},
        {"DIR", folder},
        {"SOURCES", folder},
        {"NAME=VALUE", parameter},
        {"NAME=FILE", config_file},
        {"KEY=VALUE", assignment},
        {"SETTING", setting},
        {"CODE", code},
        {"COMMAND|TOPIC", topic},
        {"VALUE|@FILE|-", other},
        {"DURATION", other},
        {"EXPRESSION", other},
        {"FIELD", field},
        {"KEY", other},
        {"N", other},
        {"NAME", other},
        {"NAME=NUMBER", other},
        {"TEXT", other},
        {"TIME", other},
        {"TITLE", other},
        {"URL", other},
        {"DONE", other},
        {"PATH", other},
    });
    const auto it = std::find_if(k_known.begin(), k_known.end(),
                                 [&](const Known& known) { return known.metavar == metavar; });
    if (it != k_known.end()) {
        return it->kind;
    }
    const bool words = std::none_of(metavar.begin(), metavar.end(), [](char c) {
        return std::isupper(static_cast<unsigned char>(c)) != 0 || c == '[' || c == ' ';
    });
    return words && !metavar.empty() ? std::optional(choice) : std::nullopt;
}

void refuse_empty(const std::string& names, const std::string& metavar, const std::string& text) {
    using enum ValueKind;
    constexpr std::array<std::string_view, 4> k_others = {"TIME", "DURATION", "EXPRESSION", "NAME"};
    constexpr std::array<ValueKind, 5> k_may_be = {other, choice, parameter, config_file, assignment};
    const ValueKind kind = value_kind(metavar).value_or(other);
    const bool may_be = std::find(k_may_be.begin(), k_may_be.end(), kind) != k_may_be.end() &&
                        std::find(k_others.begin(), k_others.end(), metavar) == k_others.end();
    if (!text.empty() || may_be) {
        return;
    }
    const std::string option =
        names.starts_with('-') ? fmt::format("option '{}': ", names.substr(names.find(',') + 1)) : "";
    throw usage_error(kind == run ? option + "'' names no run: it is empty"
                                  : fmt::format("{}'' is no {}: it is empty", option, metavar),
                      "a variable that is not set, perhaps");
}

std::string option_label(const OptionInfo& option) {
    std::string label = join(option.names, ", ");
    if (option.takes_value) {
        label += (label.empty() ? "" : " ") + option.metavar;
    }
    return label;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string out;
    std::size_t column = indent;
    for (const std::string_view word : split(text, ' ')) {
        const std::size_t length =
            static_cast<std::size_t>(std::count_if(word.begin(), word.end(), [](char c) {
                return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // of UTF-8 the first bytes
            }));
        if (out.empty() || column + 1 + length > width) {
            out += out.empty() ? "" : "\n" + std::string(indent, ' ');
            column = indent;
        } else {
            out += ' ';
            ++column;
        }
        out += word;
        column += length;
    }
    return out;
}

std::string capitalized(std::string_view text) {
    std::string out(text);
    if (!out.empty()) {
        out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
    }
    return out;
}

SortedArguments sort_arguments(const std::string& command, std::span<const OptionInfo> options,
                               bool parameters, const std::vector<std::string>& arguments) {
    return Sorter(command, options, parameters, arguments).sort();
}

std::string help_text(const CommandInfo& command, std::span<const OptionInfo> options, bool in_full) {
    std::string out =
        fmt::format("Usage: amp {}{}{} [options]\n\n{}.\n{}\nExamples:\n{}", command.name,
                    command.usage.empty() ? "" : " ", command.usage, capitalized(command.summary),
                    in_full ? more_text(command) : "", command.examples);
    append_options(out, "Arguments", options, [](const OptionInfo& o) { return o.names.empty(); });
    append_options(out, "Options", options,
                   [](const OptionInfo& o) { return !o.names.empty() && !o.common; });
    append_options(out, "Common options", options, [](const OptionInfo& o) { return o.common; });
    if (in_full) {
        out += fmt::format("\nExit codes: {} (amp help exit-codes)\n", join_words(command.exits, ", "));
        out += fmt::format("See also: {}\n", join_words(command.see_also, ", "));
    }
    return out;
}

}  // namespace amp
