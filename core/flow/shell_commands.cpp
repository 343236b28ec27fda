#include "core/flow/shell_commands.hpp"

#include <algorithm>
#include <array>

namespace amp {
namespace {

using Context = ShellSlot::Context;

/// A builtin whose words are more than data. Options are single letters that take an argument.
struct Builtin {
    enum class Operands { data, names, code, numbers, second_name, first_code };
    std::string_view name;
    Operands operands = Operands::data;
    std::string_view name_options = {};    ///< … a name
    std::string_view code_options = {};    ///< … code
    std::string_view number_options = {};  ///< … arithmetic, in zsh and ksh
    std::string_view data_options = {};    ///< … anything
    bool arithmetic_shells = false;        ///< of zsh and ksh alone
};

using Operands = Builtin::Operands;

constexpr std::array<Builtin, 36> k_builtins = {{
    {"eval", Operands::code},
    {"trap", Operands::first_code},
    {"alias", Operands::code},
    {"compgen", Operands::code},
    {"complete", Operands::code},
    {"bind", Operands::code},
    {"unset", Operands::names},
    {"read", Operands::names, "aA", "", "tnNuk", "dip"},
    {"mapfile", Operands::names, "", "C", "", "dnOsuc"},
    {"readarray", Operands::names, "", "C", "", "dnOsuc"},
    {"getopts", Operands::second_name},
    {"printf", Operands::data, "v"},
    {"wait", Operands::data, "p"},
    {"su", Operands::data, "", "c", "", "gGsTw"},
    {"runuser", Operands::data, "", "c", "", "gGsTuw"},
    {"script", Operands::data, "", "c", "", "EIOoBTm"},
    {"print", Operands::data, "v", "", "", "ufCxX", true},
    {"exit", Operands::numbers, "", "", "", "", true},
    {"return", Operands::numbers, "", "", "", "", true},
    {"shift", Operands::numbers, "", "", "", "", true},
    {"break", Operands::numbers, "", "", "", "", true},
    {"continue", Operands::numbers, "", "", "", "", true},
    {"logout", Operands::numbers, "", "", "", "", true},
    {"bye", Operands::numbers, "", "", "", "", true},
    {"repeat", Operands::numbers, "", "", "", "", true},
    {"emulate", Operands::code, "", "", "", "", true},
    {"sched", Operands::code, "", "", "", "", true},
    {"vared", Operands::names, "", "", "", "", true},
    {"getln", Operands::names, "", "", "", "", true},
    {"zparseopts", Operands::names, "", "", "", "", true},
    {"zformat", Operands::names, "", "", "", "", true},
    {"strftime", Operands::numbers, "", "", "", "", true},
    {"autoload", Operands::names, "", "", "", "", true},
    {"functions", Operands::names, "", "", "", "", true},
    {"zstyle", Operands::code, "", "", "", "", true},
    {"zle", Operands::names, "", "", "", "", true},
}};

constexpr std::array<std::string_view, 7> k_declarations = {"export",   "declare", "typeset", "local",
                                                            "readonly", "integer", "float"};
constexpr std::array<std::string_view, 9> k_shells = {"sh",  "bash", "dash",  "zsh",  "ksh",
                                                      "ash", "mksh", "ksh93", "rbash"};
constexpr std::array<std::string_view, 6> k_comparisons = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
constexpr std::array<std::string_view, 6> k_prefixes = {"command",   "builtin", "noglob",
                                                        "nocorrect", "-",       "-p"};
/// Commands whose words are text to be shown, `bash -c` among them too.
constexpr std::array<std::string_view, 5> k_speakers = {"echo", "printf", "print", "test", "["};

template <std::size_t N>
bool is_in(std::string_view word, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool has_slot(std::string_view text) {
    return text.find(k_shell_slot) != std::string_view::npos;
}

/// The word without its quotes; what is replaced in it stays as written.
std::string unquoted(std::string_view word) {
    std::string out;
    char quote = 0;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = word[i];
        if (quote == 0 ? c == '\'' || c == '"' : c == quote) {
            quote = quote == 0 ? c : '\0';
        } else if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
            out += word[++i];
        } else {
            out += c;
        }
    }
    return out;
}

class Command {
  public:
    Command(std::span<const std::string_view> words, ShellDialect dialect)
        : arithmetic_(dialect != ShellDialect::bash), ksh_(dialect == ShellDialect::ksh) {
        texts_.reserve(words.size());
        for (const std::string_view word : words) {
            texts_.push_back(unquoted(word));
        }
    }

    CommandUses run() {
        const std::size_t first = skip_prefixes();
        if (first >= texts_.size()) {
            return std::move(out_);
        }
        const std::string& name = texts_[first];
        if (is_in(name, k_declarations)) {
            declaration(first);
        } else if (name == "[" || name == "test") {
            test(first);
        } else if (name == "set" && arithmetic_) {
            set(first);
        } else {
            const auto known = std::find_if(k_builtins.begin(), k_builtins.end(), [&](const Builtin& b) {
                return b.name == name && (arithmetic_ || !b.arithmetic_shells);
            });
            if (known != k_builtins.end()) {
                builtin(*known, first);
            }
            if (name == "printf" && arithmetic_) {
                formatted_numbers(first);
            }
        }
        if (!is_in(name, k_speakers)) {
            shells(first);
        }
        return std::move(out_);
    }

  private:
    void use(std::size_t word, Context context) {
        if (word < texts_.size() && has_slot(texts_[word])) {
            out_.uses.push_back({word, context});
        }
    }

    /// `command`, `builtin`, `exec -a NAME` and the like stand before the command proper.
    std::size_t skip_prefixes() const {
        std::size_t i = 0;
        while (i < texts_.size() && (is_in(texts_[i], k_prefixes) || texts_[i] == "exec")) {
            const bool looks_up = texts_[i] == "command";
            for (++i; i < texts_.size() && texts_[i].size() > 1 && texts_[i][0] == '-'; ++i) {
                if (looks_up && texts_[i].find_first_of("vV") != std::string::npos) {
                    return texts_.size();
                }
                i += texts_[i].back() == 'a' ? 1 : 0;
            }
        }
        return i;
    }

    void builtin(const Builtin& known, std::size_t first) {
        const std::size_t begin = options(known, first + 1);
        for (std::size_t i = begin; i < texts_.size(); ++i) {
            switch (known.operands) {
                case Operands::data:
                    break;
                case Operands::names:
                    use(i, Context::name);
                    break;
                case Operands::code:
                    use(i, Context::code);
                    break;
                case Operands::numbers:
                    use(i, Context::arithmetic);
                    break;
                case Operands::second_name:
                    use(i, i == begin + 1 ? Context::name : Context::bare);
                    break;
                case Operands::first_code:
                    use(i, i == begin ? Context::code : Context::bare);
                    break;
            }
        }
    }

    /// @return the first operand
    std::size_t options(const Builtin& known, std::size_t i) {
        for (; i < texts_.size(); ++i) {
            const std::string& text = texts_[i];
            if (text == "--") {
                return i + 1;
            }
            if (!text.empty() && text[0] == k_shell_slot) {
                // The value may be `-vNAME` as a whole.
                const bool whole = text.size() == 1 || text.find_first_of("]\0", 1, 2) != std::string::npos;
                if (whole && known.operands == Operands::data &&
                    !(known.name_options.empty() && known.code_options.empty())) {
                    use(i, Context::option);
                }
                return i;
            }
            if (text.size() < 2 || (text[0] != '-' && text[0] != '+')) {
                if (known.name != "su" && known.name != "runuser" && known.name != "script") {
                    return i;  // of the shell's own commands no option follows
                }
                continue;
            }
            i = option_argument(known, i);
        }
        return i;
    }

    /// @return the last word of the option
    std::size_t option_argument(const Builtin& known, std::size_t i) {
        const std::string& text = texts_[i];
        for (std::size_t at = 1; at < text.size(); ++at) {
            const char letter = text[at];
            const auto in = [&](std::string_view set) { return set.find(letter) != std::string_view::npos; };
            Context context = Context::bare;
            if (letter == k_shell_slot) {
                use(i, Context::option);
                return i;
            }
            if (in(known.name_options)) {
                context = Context::name;
            } else if (in(known.code_options)) {
                context = Context::code;
            } else if (in(known.number_options)) {
                context = arithmetic_ ? Context::arithmetic : Context::bare;
            } else if (!in(known.data_options) || (letter == 'p' && arithmetic_)) {
                continue;
            }
            const std::size_t word = at + 1 < text.size() ? i : i + 1;
            use(word, context);
            return word;
        }
        return i;
    }

    void declaration(std::size_t first) {
        std::string letters = texts_[first] == "integer" ? "i" : texts_[first] == "float" ? "F" : "";
        for (std::size_t i = first + 1; i < texts_.size(); ++i) {
            const std::string& text = texts_[i];
            if (text.size() > 1 && (text[0] == '-' || text[0] == '+')) {
                letters += text[0] == '-' ? text.substr(1) : "";
                use(i, Context::option);
                continue;
            }
            const std::size_t equals = text.find('=');
            const std::size_t slot = text.find(k_shell_slot);
            std::string name = text.substr(0, text.find_first_of("=+["));
            if (slot != std::string::npos && (equals == std::string::npos || slot < equals)) {
                use(i, Context::name);
            } else if (letters.find('n') != std::string::npos) {
                use(i, Context::name);
            } else if (letters.find_first_of("iFE") != std::string::npos) {
                use(i, Context::arithmetic);
            } else if (letters.find_first_of("aA") != std::string::npos) {
                use(i, Context::code);
            } else if (slot != std::string::npos) {
                out_.declared.emplace_back(name, i);
            }
            if (letters.find_first_of("niFE") != std::string::npos) {
                out_.integers.push_back(name);
            }
            if (letters.find_first_of("aA") != std::string::npos) {
                out_.arrays.push_back(std::move(name));
            }
        }
    }

    void test(std::size_t first) {
        for (std::size_t i = first + 1; i < texts_.size(); ++i) {
            const std::string& before = texts_[i - 1];
            // Of two values in a row the first may be `-v`.
            if (i > first + 1 && (before == "-v" || (!before.empty() && before[0] == k_shell_slot))) {
                use(i, Context::name);
            } else if (i > first + 1 && before == "-t" && arithmetic_) {
                use(i, Context::arithmetic);
            } else if (ksh_ && is_in(before, k_comparisons)) {
                use(i, Context::arithmetic);
                use(i - 2, Context::arithmetic);
            }
        }
    }

    void set(std::size_t first) {
        for (std::size_t i = first + 2; i < texts_.size(); ++i) {
            use(i, texts_[i - 1] == "-A" || texts_[i - 1] == "+A" ? Context::name : Context::bare);
        }
    }

    /// printf of zsh and ksh computes what it shows as a number.
    void formatted_numbers(std::size_t first) {
        std::size_t format = first + 1;
        format += format < texts_.size() && texts_[format] == "-v" ? 2 : 0;
        format += format < texts_.size() && texts_[format] == "--" ? 1 : 0;
        if (format >= texts_.size()) {
            return;
        }
        const std::string& text = texts_[format];
        bool numbers = text.find_first_of("$\0", 0, 2) != std::string::npos;
        for (std::size_t at = text.find('%'); at < text.size() && !numbers; at = text.find('%', at + 1)) {
            at = text.find_first_not_of("-+ #0123456789.", at + 1);
            numbers = at >= text.size() || std::string_view("sbcq%").find(text[at]) == std::string_view::npos;
        }
        for (std::size_t i = format + 1; i < texts_.size() && numbers; ++i) {
            use(i, Context::arithmetic);
        }
    }

    /// `bash -c PROGRAM`, also behind `env`, `xargs`, `find -exec`, `docker run …`.
    void shells(std::size_t first) {
        for (std::size_t i = first; i < texts_.size(); ++i) {
            const std::string& text = texts_[i];
            if (is_in(std::string_view(text).substr(text.rfind('/') + 1), k_shells)) {
                i = shell(i + 1);
            }
        }
    }

    std::size_t shell(std::size_t i) {
        bool takes_program = false;
        for (; i < texts_.size(); ++i) {
            const std::string& text = texts_[i];
            if (text.size() < 2 || (text[0] != '-' && text[0] != '+')) {
                break;
            }
            if (text == "--") {
                ++i;
                break;
            }
            const bool named = text.starts_with("--");
            takes_program = takes_program || (!named && text.find('c') != std::string::npos);
            const bool argument = text == "--rcfile" || text == "--init-file" ||
                                  (!named && (text.back() == 'o' || text.back() == 'O'));
            i += argument ? 1 : 0;
        }
        if (takes_program) {
            use(i, Context::program);
        }
        return i;
    }

    std::vector<std::string> texts_;
    bool arithmetic_;
    bool ksh_;
    CommandUses out_;
};

}  // namespace

CommandUses uses_of_words(std::span<const std::string_view> words, ShellDialect dialect) {
    return Command(words, dialect).run();
}

bool is_evaluated_variable(std::string_view name) {
    static constexpr std::array<std::string_view, 19> k_names = {
        "RANDOM", "SRANDOM", "OPTIND",   "SECONDS",   "COLUMNS",  "LINES", "HISTSIZE",
        "UID",    "GID",     "EUID",     "EGID",      "SAVEHIST", "SHLVL", "KEYTIMEOUT",
        "TMOUT",  "LISTMAX", "FUNCNEST", "MAILCHECK", "LOGCHECK"};
    return is_in(name, k_names);
}

bool is_code_variable(std::string_view name) {
    return name == "PS4" || name == "BASH_ENV" || name == "PROMPT_COMMAND";
}

}  // namespace amp
