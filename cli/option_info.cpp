#include "cli/option_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

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
        out_.options.push_back(name);
        if (option->takes_value) {
            out_.options.push_back(has_value ? word.substr(equals + 1) : next_value(name));
        }
    }

    /// -v, -vv, -fq, -plr=0.1 and -p lr=0.1.
    void take_short(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const std::string name = {'-', word[i]};
            const OptionInfo* option = find(name);
            if (option == nullptr) {
                throw unknown(word.size() == 2 ? word : name);
            }
            out_.options.push_back(name);
            if (option->takes_value) {
                out_.options.push_back(i + 1 < word.size() ? word.substr(i + 1) : next_value(name));
                return;
            }
        }
    }

    /// A long option that is none of ours. What is nearly one of ours, without a value, is a slip of the
    /// hand.
    void take_parameter(const std::string& name, std::optional<std::string> value) {
        const bool alone = !value && (at_ + 1 >= arguments_.size() || arguments_[at_ + 1].starts_with("--"));
        const std::optional<std::string> other = near(name);
        if (!parameters_ || name.size() < 3 || (alone && other)) {
            throw unknown(name);
        }
        if (other) {
            out_.slips.emplace_back(name, *other);
        }
        std::string parameter = name.substr(2);
        std::replace(parameter.begin(), parameter.end(), '-', '_');
        if (alone) {
            value = "true";
        } else if (!value) {
            value = arguments_[++at_];
        }
        out_.parameters.emplace_back(std::move(parameter), *value);
    }

    std::string next_value(const std::string& name) {
        if (at_ + 1 >= arguments_.size()) {
            throw usage_error(fmt::format("option '{}' needs a value", name));
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
    SortedArguments out_;
};

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
        std::string label = join(option.names, ", ");
        if (option.takes_value) {
            label += (label.empty() ? "" : " ") + option.metavar;
        }
        constexpr std::size_t k_column = 28;
        const std::string gap = label.size() + 2 > k_column ? "\n" + std::string(k_column + 2, ' ')
                                                            : std::string(k_column - label.size(), ' ');
        out += fmt::format("  {}{}{}\n", label, gap, option.help);
    }
}

}  // namespace

SortedArguments sort_arguments(const std::string& command, std::span<const OptionInfo> options,
                               bool parameters, const std::vector<std::string>& arguments) {
    return Sorter(command, options, parameters, arguments).sort();
}

std::string help_text(const CommandInfo& command, std::span<const OptionInfo> options) {
    std::string summary(command.summary);
    summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
    std::string out = fmt::format("Usage: amp {}{}{} [options]\n\n{}.\n\nExamples:\n{}", command.name,
                                  command.usage.empty() ? "" : " ", command.usage, summary, command.examples);
    append_options(out, "Arguments", options, [](const OptionInfo& o) { return o.names.empty(); });
    append_options(out, "Options", options,
                   [](const OptionInfo& o) { return !o.names.empty() && !o.common; });
    append_options(out, "Common options", options, [](const OptionInfo& o) { return o.common; });
    return out;
}

}  // namespace amp
