// The quoting contexts that the lexer tells are those of real shells: in random scripts of all constructs a
// hostile value does nothing that a harmless one does not.

#include <doctest/doctest.h>

#include <random>

#include "core/flow/interpolation.hpp"
#include "tests/support/shells.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::Output;
using test::Shell;
using test::ValueScope;

/// Makes scripts out of every construct that the lexer knows, with `{{ x }}` all over.
class RandomScripts {
  public:
    RandomScripts(std::uint64_t seed, bool posix) : random_(seed), posix_(posix) {}

    std::string script() {
        std::string out;
        for (std::size_t n = 1 + pick(3); n > 0; --n) {
            out += statement(3);
            out += pick(2) == 0 || !here_.empty() ? "\n" : "; ";
            out += here_;
            here_.clear();
        }
        return out;
    }

    std::size_t pick(std::size_t count) { return random_() % count; }

  private:
    std::string slot() { return pick(2) == 0 ? "{{ x }}" : "{{x}}"; }

    std::string quoted(int depth) {
        static constexpr std::string_view k_quoted[] = {"a",  "it's", "#",  " b", "\\\"", "\\$", ")",
                                                        ";;", "\\\\", "((", "{",  "$ ",   "$v"};
        std::string out = "\"";
        for (std::size_t n = pick(4); n > 0; --n) {
            const std::size_t kind = pick(6);
            out += kind < 2                 ? slot()
                   : kind == 2 && depth > 0 ? "$(" + inner(depth - 1) + ")"
                   : kind == 3              ? parameter(depth, true)
                                            : std::string(k_quoted[pick(std::size(k_quoted))]);
        }
        return out + "\"";
    }

    std::string parameter(int depth, bool in_quotes) {
        switch (pick(5)) {
            case 0:
                return "${v}";
            case 1:
                return in_quotes ? "${v:-'a b'}" : "\"${v#'}'}\"";
            case 2:
                return in_quotes && depth > 0 ? "${none:-$(" + inner(depth - 1) + ")}" : "\"${none-a}\"";
            case 3:
                return "${#}";
            default:
                return "$((1 + (2 << 1)))";
        }
    }

    std::string word(int depth) {
        static constexpr std::string_view k_words[] = {
            "a", "'sq # ) \"'", "\\'", "\\\"", "b#c", "x=y", "esac", "case", "\\\n", "$'a\\'b'", "'{'"};
        std::string out;
        for (std::size_t n = 1 + pick(3); n > 0; --n) {
            const std::size_t kind = pick(5);
            const std::string_view plain = k_words[pick(std::size(k_words) - (posix_ ? 2 : 0))];
            out += kind == 0                           ? slot()
                   : kind < 3                          ? quoted(depth)
                   : posix_ && plain.starts_with("$'") ? "c"
                                                       : plain;
        }
        return out;
    }

    std::string print(int depth) {
        std::string out = "printf '<%s>'";
        for (std::size_t n = 1 + pick(3); n > 0; --n) {
            out += " " + word(depth);
        }
        return out + (pick(8) == 0 ? " # it's \" $( '\n" : "");
    }

    /// What stands in a substitution, where here-documents must end.
    std::string inner(int depth) {
        const std::string outer = std::exchange(here_, "");
        std::string out = statement(depth);
        out += here_.empty() && out.find(" # ") == std::string::npos ? "" : "\n" + here_;
        here_ = outer;
        return (out.starts_with("(") ? " " : "") + out;
    }

    std::string statement(int depth) {
        switch (depth <= 0 ? 0 : pick(12)) {
            case 1:
                return "v=" + word(depth - 1) + "; printf '<%s>' \"$v\"";
            case 2:
                return "case " + word(depth - 1) + " in (zz) : ;; z|" + slot() + ") " + inner_line(depth) +
                       ";; *) " + inner_line(depth) + " ;; esac";
            case 3:
                return "if [ " + slot() + " = " + slot() + " ]; then " + inner_line(depth) + "; fi";
            case 4:
                return "for i in " + word(depth - 1) + " end; do printf '<%s>' \"$i\"; done";
            case 5:
                return "( " + inner_line(depth) + " )";
            case 6:
                return "{ " + inner_line(depth) + "; }";
            case 7:
                return posix_ ? print(depth)
                              : "if [[ " + quoted(0) + " == a || -n " + slot() + " ]]; then " +
                                    inner_line(depth) + "; fi";
            case 8:
                here_ += "it's a ) \" ' `\nE\n";
                return print(0) + " <<\\E";
            case 9:
                return posix_
                           ? print(depth)
                           : "a=(" + word(depth - 1) + " # ' )\n" + slot() + "); printf '<%s>' \"${a[@]}\"";
            case 10:
                return "f() { " + inner_line(depth) + "; }; f";
            default:
                return print(depth);
        }
    }

    /// A statement with its here-documents right behind it, ready for more on a line of its own.
    std::string inner_line(int depth) {
        const std::string outer = std::exchange(here_, "");
        std::string out = statement(depth - 1);
        out += here_.empty() ? "" : "\n" + here_ + ":";
        here_ = outer;
        return out + (out.find(" # it's") != std::string::npos || out.find(" # '") != std::string::npos
                          ? "\n:"
                          : "");
    }

    std::mt19937_64 random_;
    bool posix_;
    std::string here_;
};

std::string replaced(std::string text, const std::string& old, const std::string& fresh) {
    for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + fresh.size())) {
        text.replace(at, old.size(), fresh);
    }
    return text;
}

TEST_CASE("in any script that compiles a hostile value does what a harmless one does") {
    const std::string harmless = "QZQ";
    const std::string hostile = "'\"`$(echo pwned)\\ *;#)&|$'x'${v}\t-n\n\"; printf pwned; '\n)esac;;}[[((";
    // A changed script may use the value as the format of printf, which has escapes and % of its own.
    const std::string without_escapes = replaced(hostile, "\\", "");
    const test::TempFolder folder;
    for (const Shell& shell : test::installed_shells()) {
        std::size_t compiled = 0;
        std::size_t ran = 0;
        RandomScripts scripts(99, shell.name == "dash");
        for (int i = 0; i < 700; ++i) {
            std::string script = "v=0\n" + scripts.script();
            const bool changed = i % 4 == 3;
            const std::string& value = changed ? without_escapes : hostile;
            if (changed) {
                script.erase(scripts.pick(script.size()), 1 + scripts.pick(2));
            }
            Diagnostics diagnostics;
            const auto text = TextTemplate::parse(script, {1, 1, 1}, false, diagnostics);
            const auto command = text ? ShellCommand::compile(*text, {1, 1, 1}, diagnostics) : std::nullopt;
            if (!command) {
                CAPTURE(script);
                CHECK((changed || diagnostics.sorted().at(0).code != "AMP1211"));
                continue;
            }
            ++compiled;
            const Output expected =
                test::run_command(shell, *command, ValueScope(Object{{"x", harmless}}), "C", folder.path());
            if (expected.status != 0) {
                continue;
            }
            ++ran;
            const Output found =
                test::run_command(shell, *command, ValueScope(Object{{"x", value}}), "C", folder.path());
            CAPTURE(shell.name);
            CAPTURE(script);
            CHECK(found.status == 0);
            CHECK(found.text == replaced(expected.text, harmless, value));
        }
        CHECK(compiled > 400);
        CHECK(ran > 300);
    }
}

}  // namespace
}  // namespace amp
