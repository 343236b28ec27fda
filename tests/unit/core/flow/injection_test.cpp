// The proof that no value can inject: hostile texts go through real shells, and arrive byte for byte.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/base/json.hpp"
#include "core/flow/interpolation.hpp"
#include "tests/support/shells.hpp"
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

ShellCommand compile(const std::string& script) {
    Diagnostics diagnostics;
    const auto text = TextTemplate::parse(script, {1, 1, 1}, false, diagnostics);
    REQUIRE(text);
    auto command = ShellCommand::compile(*text, {1, 1, 1}, diagnostics);
    REQUIRE(command);
    return std::move(*command);
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
            const Output out = test::run_command(shell, compile(batch.script), scope,
                                                 done % (2 * k_batch) == 0 ? "C.UTF-8" : "C");
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
            argv.push_back(test::plain_text(argument));
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
        const Output out =
            test::run_command(shell, compile("printf %s {{ x }}"), ValueScope(Object{{"x", longest}}), "C");
        CHECK(out.status == 0);
        CHECK(out.text == longest);
    }
}

}  // namespace
}  // namespace amp
