#include "core/python/transition.hpp"

#include <doctest/doctest.h>

#include <array>

#include "core/python/flow_reader.hpp"

namespace amp::python {
namespace {

using Form = Transition::Kind;
using Problem = Transition::Problem;
using Where = NextCall::Where;

/// The calls of `self.next` of a step with this body.
std::vector<NextCall> calls(const std::string& body) {
    std::string text =
        "from metaflow import FlowSpec, step\nclass F(FlowSpec):\n    @step\n    def start(self):\n";
    std::size_t from = 0;
    while (from <= body.size()) {
        const std::size_t end = std::min(body.find('\n', from), body.size());
        text += "        " + body.substr(from, end - from) + "\n";
        from = end + 1;
    }
    Diagnostics diagnostics;
    const PythonFlow flow = read_python_flow(text, diagnostics);
    REQUIRE(!diagnostics.has_errors());
    REQUIRE(flow.steps.size() == 1);
    return flow.steps.front().next_calls;
}

Transition only(const std::string& call) {
    const auto found = calls(call);
    REQUIRE(found.size() == 1);
    CHECK(found.front().where == Where::last);
    return found.front().transition;
}

bool has(const Transition& transition, Problem problem) {
    for (const auto& one : transition.problems) {
        if (one.problem == problem) {
            return true;
        }
    }
    return false;
}

std::string targets(const Transition& transition) {
    std::string out;
    for (const auto& target : transition.targets) {
        out += (out.empty() ? "" : " ") + target.name;
    }
    return out;
}

}  // namespace

TEST_CASE("linear and split") {
    const Transition linear = only("self.next(self.a)");
    CHECK(linear.kind == Form::linear);
    CHECK(targets(linear) == "a");
    CHECK(linear.targets.front().receiver == "self");
    CHECK(linear.place == Place{5, 9, 17});
    CHECK(linear.targets.front().place == Place{5, 19, 6});
    CHECK(linear.problems.empty());

    const Transition split = only("self.next(\n  self.a,\n  self.b,\n  self.c,\n)");
    CHECK(split.kind == Form::split);
    CHECK(targets(split) == "a b c");
}

TEST_CASE("foreach") {
    const Transition plain = only("self.next(self.a, foreach='xs')");
    CHECK(plain.kind == Form::foreach);
    CHECK(*plain.foreach->as_text() == "xs");
    const Transition computed = only("self.next(self.a, foreach=name)");
    CHECK(computed.kind == Form::foreach);
    CHECK(computed.foreach->computed());
    CHECK(computed.foreach->source == "name");
    CHECK(has(computed, Problem::foreach_not_literal));
    const Transition many = only("self.next(self.a, self.b, foreach='xs')");
    CHECK(many.kind == Form::invalid);
    CHECK(has(many, Problem::several_targets));
}

TEST_CASE("num_parallel") {
    const Transition literal = only("self.next(self.a, num_parallel=4)");
    CHECK(literal.kind == Form::num_parallel);
    CHECK(literal.num_parallel->value == Value(4));
    const Transition computed = only("self.next(self.a, num_parallel=self.nodes)");
    CHECK(computed.kind == Form::num_parallel);
    CHECK(computed.num_parallel->source == "self.nodes");
    CHECK(computed.problems.empty());
    CHECK(only("self.next(self.a, foreach='x', num_parallel=2)").kind == Form::invalid);
}

TEST_CASE("switch") {
    const Transition plain =
        only("self.next({'x': self.a, 1: self.b, True: self.a, self.cfg.mode: self.c}, condition='mode')");
    CHECK(plain.kind == Form::switch_);
    CHECK(*plain.condition->as_text() == "mode");
    REQUIRE(plain.cases.size() == 4);
    CHECK(*plain.cases[0].key.as_text() == "x");
    CHECK(plain.cases[1].key.value == Value(1));
    CHECK(plain.cases[2].key.value == Value(true));
    CHECK(plain.cases[3].config_key == "cfg.mode");
    CHECK(plain.cases[3].target.name == "c");
    CHECK(targets(plain) == "a b c");
    CHECK(plain.problems.empty());
}

TEST_CASE("switches of a form that there is not") {
    const auto is = [](const std::string& call, Problem problem) {
        const Transition found = only(call);
        CAPTURE(call);
        CHECK(found.kind == Form::invalid);
        CHECK(has(found, problem));
    };
    is("self.next({'x': self.a})", Problem::switch_without_condition);
    is("self.next(cases, condition='m')", Problem::switch_without_dict);
    is("self.next(self.a, condition='m')", Problem::switch_without_dict);
    is("self.next({'x': self.a}, condition=m)", Problem::condition_not_literal);
    is("self.next({None: self.a}, condition='m')", Problem::case_key_none);
    is("self.next({k: self.a}, condition='m')", Problem::case_key_not_literal);
    is("self.next({self.cfg: self.a}, condition='m')", Problem::case_key_not_literal);
    is("self.next({**cases}, condition='m')", Problem::case_without_key);
    is("self.next({'x': a}, condition='m')", Problem::case_target_is_no_attribute);
    is("self.next({'x': self.a}, condition='m', foreach='x')", Problem::several_keywords);
}

TEST_CASE("transitions of a form that there is not") {
    const auto is = [](const std::string& call, Problem problem) {
        const Transition found = only(call);
        CAPTURE(call);
        CHECK(found.kind == Form::invalid);
        CHECK(has(found, problem));
    };
    is("self.next()", Problem::no_targets);
    is("self.next('a')", Problem::target_is_no_attribute);
    is("self.next(a)", Problem::target_is_no_attribute);
    is("self.next(*steps)", Problem::starred_target);
    is("self.next(self.a, forech='x')", Problem::unknown_keyword);
    is("self.next(self.a, **kw)", Problem::keyword_unpacking);

    const Transition other = only("self.next(foo.a)");
    CHECK(other.kind == Form::linear);
    CHECK(has(other, Problem::target_not_of_self));
    CHECK(other.targets.front().receiver == "foo");
}

TEST_CASE("where the call stands") {
    const std::vector<std::pair<std::string, Where>> rows = {
        {"self.next(self.a)\npass", Where::not_last},
        {"if x:\n    self.next(self.a)", Where::in_if},
        {"if x:\n    pass\nelse:\n    self.next(self.a)", Where::in_if},
        {"if x:\n    pass\nelif y:\n    self.next(self.a)", Where::in_if},
        {"for x in y:\n    self.next(self.a)", Where::in_loop},
        {"while x:\n    self.next(self.a)", Where::in_loop},
        {"try:\n    self.next(self.a)\nexcept E:\n    pass", Where::in_try},
        {"try:\n    pass\nexcept E:\n    self.next(self.a)", Where::in_try},
        {"with x:\n    self.next(self.a)", Where::in_with},
        {"match x:\n    case 1:\n        self.next(self.a)", Where::in_match},
        {"def f():\n    self.next(self.a)\nf()", Where::in_function},
        {"f = lambda: self.next(self.a)", Where::in_function},
        {"return self.next(self.a)", Where::in_expression},
        {"x = self.next(self.a)", Where::in_expression},
        {"x and self.next(self.a)", Where::in_expression},
    };
    for (const auto& [body, where] : rows) {
        CAPTURE(body);
        const auto found = calls(body);
        REQUIRE(found.size() == 1);
        CHECK(found.front().where == where);
        CHECK(found.front().transition.kind == Form::linear);
    }
}

TEST_CASE("all calls, in the order of the text") {
    const auto found = calls("if x:\n    self.next(self.a)\nelse:\n    self.next(self.b)\nself.next(self.c)");
    REQUIRE(found.size() == 3);
    CHECK(targets(found[0].transition) == "a");
    CHECK(targets(found[1].transition) == "b");
    CHECK(found[2].where == Where::last);
    CHECK(calls("other.next(self.a)").empty());
}

}  // namespace amp::python
