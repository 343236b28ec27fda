#include "core/flow/interpolation.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "tests/support/value_scope.hpp"

namespace amp {
namespace {

using test::ValueScope;

TextTemplate make(std::string_view text) {
    Diagnostics diagnostics;
    auto parsed = TextTemplate::parse(text, {1, 1, 1}, false, diagnostics);
    REQUIRE(parsed);
    return std::move(*parsed);
}

/// The compiled script (raw expressions in angle brackets), or "CODE: hint".
std::string compiled(std::string_view text) {
    Diagnostics diagnostics;
    const auto command = ShellCommand::compile(make(text), {1, 1, 1}, diagnostics);
    if (!command) {
        const Diagnostic first = diagnostics.sorted().at(0);
        return first.code + ": " + first.hint;
    }
    CHECK_FALSE(diagnostics.has_errors());
    std::string out;
    for (const TextTemplate::Part& part : command->script()) {
        const auto* expression = std::get_if<Expression>(&part);
        out += expression != nullptr ? "<" + expression->text() + ">" : std::get<std::string>(part);
    }
    return out;
}

std::string shown(const LateText& text) {
    std::string out;
    for (const Piece& piece : text) {
        out += piece.kind == Piece::Kind::text
                   ? piece.text
                   : (piece.kind == Piece::Kind::input ? "<in:" : "<out:") + piece.text + ">";
    }
    return out;
}

ValueScope scope() {
    return ValueScope(Object{
        {"x", "a b"},
        {"n", 3},
        {"xs", List{"p q", 2, List{1}}},
        {"none", List{}},
        {"data", FileRef{"prepare/data", "00", 1, false}},
        {"files", List{FileRef{"train/0/m", "", 0, false}, FileRef{"train/1/m", "", 0, false}}},
        {"out", output_value("model")},
        {"nul", std::string("a\0b", 3)},
        {"big", std::string(131'072, 'x')},
    });
}

TEST_CASE("values become references to variables") {
    CHECK(compiled("echo plain") == "echo plain");
    CHECK(compiled("echo {{ x }}") == "echo \"${amp_v1}\"");
    CHECK(compiled("echo \"{{ x }}\"") == "echo \"${amp_v1}\"");
    CHECK(compiled("echo a{{ x }}b \"c{{ y }}d\"") == "echo a\"${amp_v1}\"b \"c${amp_v2}d\"");
    CHECK(compiled("echo {{ x }}{{ x }} {{x}} {{ y }}") ==
          "echo \"${amp_v1}\"\"${amp_v1}\" \"${amp_v1}\" \"${amp_v2}\"");
    CHECK(compiled("echo \"$(cat {{ x }} \"{{ y }}\")\"") == "echo \"$(cat \"${amp_v1}\" \"${amp_v2}\")\"");
    CHECK(compiled("x={{ x }} > {{ y }}") == "x=\"${amp_v1}\" > \"${amp_v2}\"");
    CHECK(compiled("amp_v1=3 amp_v22=4; echo {{ x }} {{ y }}") ==
          "amp_v1=3 amp_v22=4; echo \"${amp_v3}\" \"${amp_v4}\"");
    CHECK(compiled("echo '{{ raw(x) }}' {{ raw(y) }} {{ z }}") == "echo '<raw(x)>' <raw(y)> \"${amp_v1}\"");
    CHECK(compiled("awk '{{ '{{' }} print }}' {{ x }}") == "awk '{{ print }}' \"${amp_v1}\"");
}

TEST_CASE("where a value would not be data, the mended line is shown") {
    struct Row {
        std::string script;
        std::string expected;
    };
    const Row rows[] = {
        {"cd x\n  echo 'a {{ x }} b' c\nls", "AMP1202: use double quotes: echo \"a {{ x }} b\" c"},
        {"echo '$a {{ x }}'", "AMP1202: close the quotes around it: echo '$a '{{ x }}''"},
        {"echo a # {{ x }}\nls", "AMP1203: leave the braces out: echo a # x"},
        {"cat <<E\na {{ x }}\nE\n",
         "AMP1204: set a variable before, and use it here:\nvalue={{ x }}\na ${value}"},
        {"cat <<'E'\na {{ x }}\nE\n",
         "AMP1204: set a variable before, and use it here:\nvalue={{ x }}\na ${value}\nand write the "
         "delimiter without quotes"},
        {"cat <<{{ x }}\n", "AMP1204: write the delimiter out"},
        {"echo $'a\\t{{ x }}'", "AMP1205: close the quotes around it: echo $'a\\t'{{ x }}$''"},
        {"echo `ls {{ x }}` b", "AMP1206: use $(…): echo $(ls {{ x }}) b"},
        {"echo \"${y:-{{ x }}}\"",
         "AMP1207: set a variable before, and use it here:\nvalue={{ x }}\necho \"${y:-$value}\""},
        {"echo $((1 + {{ n }}))",
         "AMP1208: set a variable before, and use it here:\nvalue={{ int(n) }}\necho $((1 + value))\n"
         "(int() lets nothing but a number through; or compute it all within {{ }})"},
        {"echo \"$a[{{ n }}]\"", "AMP1208: put the name in braces: echo \"${a}[{{ n }}]\""},
        {"if [[ {{ n }} -gt 3 ]]; then a; fi", "AMP1208: use [ … ]: if [ {{ n }} -gt 3 ]; then a; fi"},
        {"echo \\{{ x }}", "AMP1209: leave it out: echo {{ x }}"},
        {"echo ${{ x }}", "AMP1209: leave it out, or write \\$ for the sign itself: echo {{ x }}"},
        {"a; {{ x }}=1 b", "AMP1210: set it for one command: a; env {{ x }}=1 b"},
        {"for {{ x }} in a; do b; done",
         "AMP1210: write the name out, or write raw(…) where the value is a checked name"},
        {"echo \"{{ x }}", "AMP1211: close it, so that it is clear what `{{ }}` stands in: \"{{ x }}"},
        {"{{ *xs }}", "AMP1212: write run = [\"program\", \"{{ *xs }}\"], or join(xs, \" \") for one text"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.script);
        CHECK(compiled(row.script) == row.expected);
    }
}

TEST_CASE("each mended line that is whole compiles") {
    for (const std::string script :
         {"echo \"a {{ x }} b\" c", "echo '$a '{{ x }}''", "value={{ x }}\ncat <<E\na ${value}\nE\n",
          "echo $'a\\t'{{ x }}$''", "echo $(ls {{ x }}) b", "value={{ int(n) }}\necho $((1 + value))",
          "echo \"${a}[{{ n }}]\"", "if [ {{ n }} -gt 3 ]; then a; fi", "env {{ x }}=1 b"}) {
        CAPTURE(script);
        CHECK(compiled(script).find("amp_v1") != std::string::npos);
    }
}

TEST_CASE("every mistake of a script is found, at its place") {
    Diagnostics diagnostics;
    const auto text = TextTemplate::parse("echo '{{ x }}'\n# {{ y }}\n", {4, 8, 1}, false, diagnostics);
    CHECK_FALSE(ShellCommand::compile(*text, {4, 8, 1}, diagnostics));
    const auto found = diagnostics.sorted();
    REQUIRE(found.size() == 2);
    CHECK(found[0].place == Place{4, 17, 1});
    CHECK(found[1].place == Place{5, 6, 1});
}

TEST_CASE("a NUL in a script is refused") {
    Diagnostics diagnostics;
    CHECK_FALSE(ShellCommand::compile(make(std::string("echo \0 {{ x }}", 14)), {1, 1, 1}, diagnostics));
    CHECK(diagnostics.sorted().at(0).code == "AMP1213");
}

TEST_CASE("files and outputs are late, all else is text") {
    const ValueScope s = scope();
    CHECK(shown(render(make("a {{ x }}{{ n }}"), s)) == "a a b3");
    CHECK(render(make("a {{ x }}{{ n }}"), s).size() == 1);
    CHECK(shown(render(make("--in={{ data }}.gz {{ out }}"), s)) == "--in=<in:prepare/data>.gz <out:model>");
    CHECK(shown(render(make("{{ xs }}"), s)) == "[\"p q\",2,[1]]");
    CHECK(shown(render(make("{{ files }}"), s)) == "[\"<in:train/0/m>\",\"<in:train/1/m>\"]");
    CHECK(shown(render(make("{{ {'a': data, 'b': [out], 'c': 1} }}"), s)) ==
          R"({"a":"<in:prepare/data>","b":["<out:model>"],"c":1})");
    CHECK(shown(render(make("{{ null }}"), s)).empty());
    CHECK(shown(render(make("{{ '{{' }}"), s)) == "{{");
}

TEST_CASE("the list form") {
    const ValueScope s = scope();
    const auto render_all = [&](std::initializer_list<const char*> list) {
        std::vector<TextTemplate> templates;
        for (const char* text : list) {
            templates.push_back(make(text));
        }
        std::vector<std::string> out;
        for (const LateText& argument : render_arguments(templates, s)) {
            out.push_back(shown(argument));
        }
        return out;
    };
    CHECK(render_all({"a", "{{ x }}", "{{ *xs }}", "{{ *none }}", "", "{{ *files }}"}) ==
          std::vector<std::string>{"a", "a b", "p q", "2", "[1]", "", "<in:train/0/m>", "<in:train/1/m>"});
    CHECK_THROWS_WITH_AS(render_all({"{{ *n }}"}), "'*' needs a list, not int", Error);
}

TEST_CASE("what the kernel does not take names $AMP_IN") {
    const ValueScope s = scope();
    const auto refused = [&](const auto& action) {
        try {
            action();
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::invalid);
            CHECK_FALSE(error.where().empty());
            return error.hint().find("$AMP_IN") != std::string::npos;
        }
        return false;
    };
    CHECK(refused([&] { render(make("{{ nul }}"), s); }));
    CHECK(refused([&] { render(make("{{ big }}"), s); }));
    CHECK(refused([&] { render_arguments({make("{{ *[big] }}")}, s); }));
    CHECK_FALSE(refused([&] { render(make("{{ '" + std::string(8000, 'x') + "' }}"), s); }));

    Diagnostics diagnostics;
    const auto command = ShellCommand::compile(make("echo {{ v }}"), {1, 1, 1}, diagnostics);
    REQUIRE(command);
    // "amp_v1=" and the NUL count.
    const auto with = [&](std::size_t size) {
        return refused([&] { render_command(*command, ValueScope(Object{{"v", std::string(size, 'x')}})); });
    };
    CHECK_FALSE(with(131'072 - 8));
    CHECK(with(131'072 - 7));
    const auto long_script = ShellCommand::compile(make(std::string(140'000, ' ')), {1, 1, 1}, diagnostics);
    CHECK_THROWS_AS(render_command(*long_script, s), Error);
}

TEST_CASE("a rendered command") {
    Diagnostics diagnostics;
    const auto command =
        ShellCommand::compile(make("cp {{ data }} {{ out }} {{ raw(x) }}"), {1, 1, 1}, diagnostics);
    REQUIRE(command);
    const RenderedCommand rendered = render_command(*command, scope());
    CHECK(shown(rendered.script) == "cp \"${amp_v1}\" \"${amp_v2}\" a b");
    REQUIRE(rendered.variables.size() == 2);
    CHECK(rendered.variables[0].first == "amp_v1");
    CHECK(shown(rendered.variables[0].second) == "<in:prepare/data>");
    CHECK(shown(rendered.variables[1].second) == "<out:model>");
}

}  // namespace
}  // namespace amp
