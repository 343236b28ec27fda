#include "core/flow/text_template.hpp"

#include <doctest/doctest.h>

#include "tests/support/cpu_time.hpp"

namespace amp {
namespace {

/// The parts: texts as they are, expressions in angle brackets; or the codes of the mistakes.
std::string parts(std::string_view text, bool escaped = false) {
    Diagnostics diagnostics;
    const auto parsed = TextTemplate::parse(text, {3, 10, 7}, escaped, diagnostics);
    std::string out;
    if (!parsed) {
        for (const Diagnostic& d : diagnostics.sorted()) {
            out += d.code + "@" + std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " ";
        }
        return out;
    }
    CHECK(parsed->source() == text);
    CHECK(parsed->spans().size() == parsed->parts().size());
    for (const TextTemplate::Part& part : parsed->parts()) {
        const auto* expression = std::get_if<Expression>(&part);
        out += expression != nullptr ? "<" + expression->text() + ">" : std::get<std::string>(part);
    }
    return out + (parsed->is_spread() ? "*" : "");
}

TEST_CASE("texts and expressions") {
    CHECK(parts("") == "");
    CHECK(parts("plain { } }} $") == "plain { } }} $");
    CHECK(parts("a {{ x }} b{{y}}{{ z+1 }}") == "a <x> b<y><z+1>");
    CHECK(parts("{{ '}}' }}{{ \"a\\\"}}\" }}") == "<'}}'><\"a\\\"}}\">");
    CHECK(parts("{{ '{{' }}") == "<'{{'>");
    CHECK(parts("{{ {'a': {'b': 1}} }}}") == "<{'a': {'b': 1}}>}");
    CHECK(parts("{{ {'a': {'b': 1}}}}x") == "<{'a': {'b': 1}}>x");
    CHECK(parts("{{\n  x\n}}") == "<x>");
    CHECK(parts("{{ *xs }}") == "<xs>*");
    CHECK(parts("{{*xs}}") == "<xs>*");
}

TEST_CASE("mistakes have their place, and all are found") {
    CHECK(parts("ab {{ x") == "AMP1201@3:13 ");
    CHECK(parts("ab\ncd {{ 1 + }} e {{ ) }}") == "AMP1101@4:11 AMP1101@4:19 ");
    CHECK(parts("ab\ncd {{ 1 + }} e {{ ) }}", true) == "AMP1101@3:10 AMP1101@3:10 ");
    CHECK(parts("a {{ it's }} b") == "AMP1102@3:17 ");
    CHECK(parts("a {{ }} b") == "AMP1109@3:15 ");
    CHECK(parts("a {{ *xs }}") == "AMP1212@3:12 ");
    CHECK(parts("{{ { }} {{ x }}") == "AMP1101@3:15 ");
    CHECK(parts("{{ a }} {{ 'b }}") == "AMP1102@3:21 ");
}

TEST_CASE("what a template is") {
    Diagnostics d;
    CHECK(TextTemplate::parse("a", {}, false, d)->is_plain());
    CHECK_FALSE(TextTemplate::parse("a", {}, false, d)->is_single());
    CHECK(TextTemplate::parse("{{ a }}", {}, false, d)->is_single());
    CHECK_FALSE(TextTemplate::parse("{{ a }} ", {}, false, d)->is_single());
    CHECK_FALSE(TextTemplate::parse("{{ a }}{{ b }}", {}, false, d)->is_single());
    CHECK(TextTemplate::parse("{{ a }}{{ b }}", {}, false, d)->expressions().size() == 2);
    const auto parsed = TextTemplate::parse("ab {{ c }}", {2, 5, 1}, false, d);
    CHECK(parsed->spans()[1].begin == 3);
    CHECK(parsed->spans()[1].end == 10);
    CHECK(parsed->expressions()[0].place() == Place{2, 11, 1});
    CHECK_FALSE(d.has_errors());
}

TEST_CASE("hostile texts take no time") {
    const double begin = cpu_seconds();
    for (const std::string_view piece :
         {"{{", "{{ { }}", "{{ ' }}", "}}", "{{ x }}", "{", "{{ {{ }}\n", "{{'\"}}"}) {
        std::string text;
        while (text.size() < (1U << 20)) {
            text += piece;
        }
        Diagnostics d;
        TextTemplate::parse(text, {1, 1, 1}, false, d);
    }
    CHECK(cpu_seconds() - begin < 10.0 * k_slower);
}

}  // namespace
}  // namespace amp
