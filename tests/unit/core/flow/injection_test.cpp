// The proof that no value can inject: hostile texts go through real shells, and arrive byte for byte.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/base/json.hpp"
#include "core/flow/interpolation.hpp"
#include "tests/support/shells.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::Output;
using test::Shell;
using test::ValueScope;

constexpr std::size_t k_texts = 100'000;
constexpr std::size_t k_batch = 400;

/// Texts that have broken quoting somewhere, and noise of all bytes but NUL.
class HostileTexts {
  public:
    explicit HostileTexts(std::uint64_t seed) : random_(seed) {}

    std::string next() {
        static constexpr std::string_view k_pieces[] = {"'",
                                                        "\"",
                                                        "`",
                                                        "$",
                                                        "\\",
                                                        "\n",
                                                        "*",
                                                        "?",
                                                        "[",
                                                        "]",
                                                        "{",
                                                        "}",
                                                        "~",
                                                        "!",
                                                        "#",
                                                        ";",
                                                        "&",
                                                        "|",
                                                        "<",
                                                        ">",
                                                        "(",
                                                        ")",
                                                        " ",
                                                        "\t",
                                                        "\r",
                                                        "-",
                                                        "--",
                                                        "-n",
                                                        "-e",
                                                        "%s",
                                                        "%",
                                                        "$(id)",
                                                        "`id`",
                                                        "${x}",
                                                        "$((1/0))",
                                                        "a[$(id)]",
                                                        "\\n",
                                                        "\\c",
                                                        "\\0",
                                                        "&&",
                                                        "||",
                                                        "\x1b[31m",
                                                        "\x1b]0;x\x07",
                                                        "\xff",
                                                        "\xfe\xfe",
                                                        "\xc3\xa9",
                                                        "\xe2\x80\xae",
                                                        "\x01",
                                                        "\x7f",
                                                        "\x81",
                                                        "\x83",
                                                        "\x84",
                                                        "\x88",
                                                        "\xc2\x9b",
                                                        "=",
                                                        "x=1",
                                                        "PATH=",
                                                        "EOF",
                                                        "\nEOF\n",
                                                        "'; id; '",
                                                        "\"; id; \"",
                                                        "$'\\''",
                                                        "{{",
                                                        "}}",
                                                        "${amp_v1}",
                                                        "/",
                                                        "..",
                                                        "^",
                                                        "+",
                                                        "@",
                                                        ":",
                                                        ",",
                                                        ":h",
                                                        "[1]",
                                                        "word",
                                                        "\xf0\x9f\x92\xa5"};
        std::string out;
        if (random_() % 100 == 0) {
            out.assign(random_() % 3000, static_cast<char>(1 + random_() % 255));
        } else if (random_() % 2000 == 0) {
            out.assign(random_() % 60'000, '\'');
        }
        for (std::size_t n = random_() % 12; n > 0; --n) {
            if (random_() % 3 == 0) {
                out += static_cast<char>(1 + random_() % 255);
            } else {
                out += k_pieces[random_() % std::size(k_pieces)];
            }
        }
        return out;
    }

  private:
    std::mt19937_64 random_;
};

std::string text_of(const LateText& text) {
    std::string out;
    for (const Piece& piece : text) {
        REQUIRE(piece.kind == Piece::Kind::text);
        out += piece.text;
    }
    return out;
}

ShellCommand compile(const std::string& script) {
    Diagnostics diagnostics;
    const auto text = TextTemplate::parse(script, {1, 1, 1}, false, diagnostics);
    REQUIRE(text);
    auto command = ShellCommand::compile(*text, {1, 1, 1}, diagnostics);
    REQUIRE(command);
    return std::move(*command);
}

Output run(const Shell& shell, const ShellCommand& command, const Scope& scope, const std::string& locale,
           const std::string& folder = "/") {
    const RenderedCommand rendered = render_command(command, scope);
    std::vector<std::string> argv = shell.command;
    argv.push_back(text_of(rendered.script));
    std::vector<std::pair<std::string, std::string>> env = {{"PATH", folder}, {"LC_ALL", locale}};
    for (const auto& [name, value] : rendered.variables) {
        env.emplace_back(name, text_of(value));
    }
    return test::run_program(argv, env, folder);
}

/// A script that shows each text in several contexts, and what must come out, each ended by NUL.
struct Batch {
    std::string script;
    std::string expected;

    void arguments(const List& texts) {
        script = "/usr/bin/printf '%s\\0'";
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::string& text = texts[i].as_string();
            script += fmt::format(" {{{{ xs[{0}] }}}} \"{{{{ xs[{0}] }}}}\"", i);
            expected += text + '\0' + text + '\0';
        }
        script += "\n";
    }

    void show(std::size_t i, const std::string& text, bool lists) {
        const std::string x = fmt::format("{{{{ xs[{}] }}}}", i);
        const auto line = [&](const std::string& code, const std::string& out) {
            script += code + "\n";
            expected += out + '\0';
        };
        switch (i % 12) {
            case 0:
                return line("printf '%s\\0' pre" + x + "post", "pre" + text + "post");
            case 1:
                return line("printf '%s\\0' \"pre" + x + "[1]:h\"" + x + "'lit'",
                            "pre" + text + "[1]:h" + text + "lit");
            case 2:
                return line("v=" + x + "; printf '%s\\0' \"$v\"", text);
            case 3:
                return line("for i in " + x + "; do printf '%s\\0' \"$i\"; done", text);
            case 4:
                return line("f() { printf '%s\\0' \"$@\"; }; f " + x + x + ":h", text + text + ":h");
            case 5:
                return line("case " + x + " in \"" + x + "\") printf 'same\\0';; *) printf 'other\\0';; esac",
                            "same");
            case 6:
                return line("[ " + x + " = \"" + x + "\" ] && printf 'same\\0'", "same");
            case 7:
                return line("set -- " + x + " \"--k=" + x + "\"; printf '%s\\0' \"$1$2\"",
                            text + "--k=" + text);
            case 8:
                return lists ? line("a=(" + x + " \"" + x + "\"); printf '%s\\0' \"${a[*]}\"",
                                    text + " " + text)
                             : line("printf '%s\\0' \"$(printf '%s.' \"" + x + "\")\"", text + ".");
            case 9:
                return lists ? line("if [[ " + x + " == " + x + " ]]; then printf 'same\\0'; fi", "same")
                             : line("printf '%s\\0' " + x + " # it's a comment", text);
            case 10:
                return line("printf '%s\\0' a\\\\" + x + "'b'", "a\\" + text + "b");
            default:
                return i % 48 == 11 ? line("v=$(printf '%s.' " + x + " \"" + x + "\"); printf '%s\\0' \"$v\"",
                                           text + "." + text + ".")
                                    : line("{ printf '%s\\0' " + x + "; }", text);
        }
    }
};

void compare(const std::string& found, const std::string& expected) {
    if (found == expected) {
        return;
    }
    const auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    const auto at = static_cast<std::size_t>(a - found.begin());
    const std::size_t from = at < 40 ? 0 : at - 40;
    FAIL("found ", json::quote(found.substr(from, 80)), " expected ", json::quote(expected.substr(from, 80)));
}

TEST_CASE("100,000 hostile texts arrive byte for byte through every shell") {
    for (const Shell& shell : test::installed_shells()) {
        CAPTURE(shell.name);
        HostileTexts texts(20261120);
        for (std::size_t done = 0; done < k_texts; done += k_batch) {
            List list;
            std::generate_n(std::back_inserter(list), k_batch, [&] { return Value(texts.next()); });
            Batch batch;
            batch.arguments(list);
            for (std::size_t i = 0; i < k_batch; ++i) {
                batch.show(i, list[i].as_string(), shell.name != "dash");
            }
            const ValueScope scope(Object{{"xs", list}});
            const Output out =
                run(shell, compile(batch.script), scope, done % (2 * k_batch) == 0 ? "C.UTF-8" : "C");
            REQUIRE(out.status == 0);
            compare(out.text, batch.expected);
        }
    }
}

TEST_CASE("100,000 hostile texts arrive byte for byte as arguments of the list form") {
    HostileTexts texts(7);
    Diagnostics diagnostics;
    const std::vector<TextTemplate> arguments = {
        *TextTemplate::parse("/usr/bin/printf", {}, false, diagnostics),
        *TextTemplate::parse("%s\\0", {}, false, diagnostics),
        *TextTemplate::parse("a{{ xs[0] }}b", {}, false, diagnostics),
        *TextTemplate::parse("{{ *xs }}", {}, false, diagnostics)};
    constexpr std::size_t k_many = 2000;
    for (std::size_t done = 0; done < k_texts; done += k_many) {
        List list;
        std::string expected;
        std::generate_n(std::back_inserter(list), k_many, [&] { return Value(texts.next()); });
        expected = "a" + list[0].as_string() + "b" + '\0';
        for (const Value& text : list) {
            expected += text.as_string() + '\0';
        }
        std::vector<std::string> argv;
        for (const LateText& argument : render_arguments(arguments, ValueScope(Object{{"xs", list}}))) {
            argv.push_back(text_of(argument));
        }
        const Output out = test::run_program(argv, {});
        REQUIRE(out.status == 0);
        compare(out.text, expected);
    }
}

TEST_CASE("the longest value that is allowed arrives") {
    const std::string longest(131'072 - 8, '\'');
    for (const Shell& shell : test::installed_shells()) {
        CAPTURE(shell.name);
        const Output out = run(shell, compile("printf %s {{ x }}"), ValueScope(Object{{"x", longest}}), "C");
        CHECK(out.status == 0);
        CHECK(out.text == longest);
    }
}

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
                run(shell, *command, ValueScope(Object{{"x", harmless}}), "C", folder.path());
            if (expected.status != 0) {
                continue;
            }
            ++ran;
            const Output found = run(shell, *command, ValueScope(Object{{"x", value}}), "C", folder.path());
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
