#include "core/python/dataflow.hpp"

#include <doctest/doctest.h>

#include "core/python/flow_reader.hpp"

namespace amp::python {
namespace {

std::string indented(const std::string& body, const std::string& by) {
    std::string text;
    for (std::size_t from = 0; from <= body.size();) {
        const std::size_t end = std::min(body.find('\n', from), body.size());
        text += by + body.substr(from, end - from) + "\n";
        from = end + 1;
    }
    return text;
}

PythonFlow read(const std::string& text) {
    Diagnostics diagnostics;
    PythonFlow flow = read_python_flow("from metaflow import *\nimport contextlib\n" + text, diagnostics);
    CAPTURE(text);
    REQUIRE(!diagnostics.has_errors());
    REQUIRE(flow.found == PythonFlow::Found::one);
    return flow;
}

/// Of a join with this body, beside other members of the class.
Dataflow flow_of(const std::string& body, const std::string& members = "pass") {
    const PythonFlow flow = read("class F(FlowSpec):\n" + indented(members, "    ") +
                                 "    @step\n    def j(self, inputs):\n" + indented(body, "        "));
    REQUIRE(flow.find("j") != nullptr);
    return flow.find("j")->dataflow;
}

/// `name`, `name?` where it is conditional.
std::string names(const std::vector<Access>& list) {
    std::string out;
    for (const Access& one : list) {
        out += (out.empty() ? "" : " ") + one.name + (one.conditional ? "?" : "");
    }
    return out;
}

std::string inputs(const Dataflow& flow) {
    std::string out;
    for (const InputRead& one : flow.inputs) {
        out += (out.empty() ? "" : " ") + (one.step.empty() ? "*" : one.step) + "." + one.name;
    }
    return out;
}

struct Row {
    std::string body;
    std::string sets;
    std::string may_set;
    std::string reads;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.body);
        const Dataflow flow = flow_of(row.body);
        CHECK(names(flow.sets) == row.sets);
        CHECK(names(flow.may_set) == row.may_set);
        CHECK(names(flow.reads) == row.reads);
    }
}

}  // namespace

TEST_CASE("in a row") {
    check({
        {"self.a = 1\nself.b = self.a + self.c", "a b", "", "c"},
        {"self.a, (self.b, *self.c) = x", "a b c", "", ""},
        {"self.a = self.b = 1", "a b", "", ""},
        {"self.a += 1", "a", "", "a"},
        {"self.a: int = 1\nself.b: int", "a", "", ""},
        {"self.a[0] = 1\nself.b.c = 2\nself.d.append(self.e)", "", "", "a b d e"},
        {"with open('x') as self.a:\n    self.b = 1", "a b", "", ""},
        {"setattr(self, 'a', 1)\nprint(getattr(self, 'b'))", "a", "", "b"},
        {"x = self.a if self.b else self.c", "", "", "b a? c?"},
        {"self.a and self.b", "", "", "a b?"},
        {"self.a\nif x:\n    self.a\n    self.b", "", "", "a b?"},
        {"f'{self.a:{self.b}}'", "", "", "a b"},
        {"self.next(self.a, foreach='xs')", "", "", "xs"},
        {"self.next({'k': self.a}, condition='mode')", "", "", "mode"},
        {"self.next(self.a, num_parallel=self.n)", "", "", "n"},
    });
}

TEST_CASE("on several ways") {
    check({
        {"if x:\n    self.a = 1\nelse:\n    self.a = 2\nself.a", "a", "", ""},
        {"if x:\n    self.a = 1\nself.a", "", "a?", "a"},
        {"if x:\n    self.a = 1\nelif y:\n    self.a = 2\n    self.b = 1\nelse:\n    self.a = 3", "a", "b?",
         ""},
        {"if x:\n    self.a = 1\nelse:\n    raise E\nself.a", "a", "", ""},
        {"if x:\n    return\nself.a = 1", "", "a?", ""},
        {"if x:\n    self.a = 1\n    return\nself.a = 2\nself.b = 1", "a", "b?", ""},
        {"for x in y:\n    self.a = x\nself.a", "", "a?", "a"},
        {"for x in y:\n    self.a = x\n    self.a\nelse:\n    self.b = 1", "b", "a?", ""},
        {"for x in y:\n    break\nelse:\n    self.b = 1", "", "b?", ""},
        {"while x:\n    self.a = 1", "", "a?", ""},
        {"while True:\n    self.a = 1\n    if x:\n        break\nself.a", "a", "", ""},
        {"while True:\n    if x:\n        break\n    self.a = 1\nself.a", "", "a?", "a"},
        {"while True:\n    self.a = 1\n    return", "a", "", ""},
        {"try:\n    self.a = f()\nexcept E:\n    self.a = None", "a", "", ""},
        {"try:\n    self.a = f()\nexcept E:\n    pass", "", "a?", ""},
        {"try:\n    self.a = f()\nexcept E:\n    raise", "a", "", ""},
        {"try:\n    x()\nexcept E:\n    self.a = 1\nelse:\n    self.a = 2\nfinally:\n    self.b = 1", "a b",
         "", ""},
        {"match x:\n    case 1:\n        self.a = 1\n    case _:\n        self.a = 2", "a", "", ""},
        {"match x:\n    case 1:\n        self.a = 1", "", "a?", ""},
        {"for self.i in x:\n    pass", "", "i?", ""},
        {"with contextlib.suppress(E):\n    self.a = 1", "", "a?", ""},
        {"if x:\n    if y:\n        self.a = 1\n    else:\n        self.a = 2\nelse:\n    self.a = 3", "a",
         "", ""},
    });
}

TEST_CASE("functions within the step") {
    check({
        {"def f():\n    self.a = self.b\nf()", "", "a?", "b?"},
        {"def f():\n    return self.a\nself.a = 1\nf()", "a", "", ""},
        {"g = lambda: self.a", "", "", "a?"},
        {"def f(self):\n    self.a = 1", "", "", ""},
        {"[self.a for x in self.b if self.c]", "", "", "b c? a?"},
    });
}

TEST_CASE("what is deleted") {
    const Dataflow flow =
        flow_of("self.a = 1\ndel self.a\nself.b = 1\nif x:\n    del self.b\nself.c = 1\ndelattr(self, 'd')");
    CHECK(names(flow.deletes) == "a b? d");
    CHECK(names(flow.sets) == "c");
    CHECK(names(flow.may_set) == "a? b?");
}

TEST_CASE("what is only looked for") {
    const Dataflow flow = flow_of(
        "if hasattr(self, 'a'):\n    self.a\nx = getattr(self, 'b', None)\ntry:\n    self.c\nexcept "
        "AttributeError:\n    pass\nself.d");
    CHECK(names(flow.probes) == "a b c");
    CHECK(names(flow.reads) == "d");
}

TEST_CASE("input and index") {
    const Dataflow flow = flow_of("x = self.input\ny = self.index\nself.foreach_stack()");
    CHECK(flow.input == Place{7, 13, 10});
    CHECK(flow.index == Place{8, 13, 10});
    CHECK(flow.reads.empty());
    CHECK_FALSE(flow_of("pass").input.has_value());
}

TEST_CASE("inputs") {
    const auto of = [](const std::string& body) {
        const Dataflow flow = flow_of(body);
        return inputs(flow) + (flow.reads_undecided ? " !" : "");
    };
    CHECK(of("self.x = inputs.a.x + inputs.b.y") == "a.x b.y");
    CHECK(of("self.x = inputs[0].x") == "*.x");
    CHECK(of("for i in inputs:\n    print(i.x)") == "*.x");
    CHECK(of("self.x = [i.x for i in inputs]") == "*.x");
    CHECK(of("self.x = sum(i.x for i in inputs)") == "*.x");
    CHECK(of("self.x = max(inputs, key=lambda i: i.score).x") == "*.score *.x");
    CHECK(of("best = max(inputs, key=lambda i: i.score)\nself.x = best.x") == "*.score *.x");
    CHECK(of("for n, i in enumerate(inputs):\n    i.x") == "*.x");
    CHECK(of("for i, z in zip(inputs, zs):\n    i.x\n    z.y") == "*.x");
    CHECK(of("a = inputs.a\nself.x = a.x") == "a. a.x");
    CHECK(of("a, b = inputs\na.x\nb.y") == "*.x *.y");
    CHECK(of("rows = sorted(inputs, key=lambda i: i.n)\nself.x = [r.x for r in rows[:2]]") == "*.n *.x");
    CHECK(of("getattr(inputs[0], 'x')") == "*.x");
    CHECK(of("next(iter(inputs)).x") == "*.x");
    CHECK(of("list(map(lambda i: i.x, inputs))") == "*.x");
    CHECK(of("len(inputs)").empty());
    CHECK(of("f(inputs)") == " !");
    CHECK(of("xs = [f(i) for i in inputs]") == " !");
    CHECK(of("inputs = 3\ninputs.x").empty());
    CHECK(of("self.z = inputs.a") == "a.");
}

TEST_CASE("merge_artifacts") {
    const auto of = [](const std::string& body) {
        const Dataflow flow = flow_of(body);
        REQUIRE(flow.merges.size() == 1);
        return flow.merges.front();
    };
    CHECK(of("self.merge_artifacts(inputs)").of_inputs);
    CHECK_FALSE(of("self.merge_artifacts(inputs)").include.has_value());
    CHECK(of("self.merge_artifacts(inputs, include=['a', 'b'])").include ==
          std::vector<std::string>{"a", "b"});
    CHECK(of("self.merge_artifacts(inputs, exclude=('a',))").exclude == std::vector<std::string>{"a"});
    CHECK(of("self.merge_artifacts(inputs, ['a'])").exclude == std::vector<std::string>{"a"});
    CHECK(of("self.merge_artifacts(inputs, exclude=names)").computed);
    CHECK(of("if x:\n    self.merge_artifacts(inputs)").conditional);
    CHECK_FALSE(of("self.merge_artifacts(others)").of_inputs);
    CHECK_FALSE(of("self.merge_artifacts(inputs, include=['a'])").computed);
}

TEST_CASE("methods that are called") {
    const std::string members =
        "def helper(self, x):\n    self.a = self.b\n    return self.inner()\n"
        "def inner(self):\n    if x:\n        self.c = 1\n    self.helper(2)\n"
        "@property\ndef shown(self):\n    return self.d\n"
        "@staticmethod\ndef plain(x):\n    return x\n"
        "def joined(self, n, them):\n    return [i.z for i in them]\n"
        "limit = 3\nalpha = Parameter('alpha')";
    const auto of = [&](const std::string& body) { return flow_of(body, members); };
    const Dataflow called = of("self.helper(1)");
    CHECK(names(called.sets) == "a");
    CHECK(names(called.may_set) == "c?");
    CHECK(names(called.reads) == "b");
    CHECK(names(of("self.b = 1\nself.helper(1)\nself.a").reads).empty());
    CHECK(names(of("if x:\n    self.helper(1)").may_set) == "a? c?");
    CHECK(names(of("map(self.helper, x)").may_set) == "a? c?");
    CHECK(names(of("self.shown").reads) == "d");
    CHECK(names(of("self.plain(self.e)").reads) == "e");
    CHECK(inputs(of("self.joined(1, inputs)")) == "*.z");
    CHECK(inputs(of("self.joined(1, them=inputs)")) == "*.z");
    CHECK(of("self.limit + self.alpha").reads.empty());
    CHECK(names(of("F.helper(self, 1)").sets) == "a");
    CHECK(names(of("self.model(1)").reads) == "model");
}

TEST_CASE("methods of bases") {
    const PythonFlow flow = read(
        "class A:\n"
        "    def prepare(self):\n        self.a = 1\n"
        "class B(A):\n"
        "    def prepare(self):\n        super().prepare()\n        self.b = 1\n"
        "class F(B, FlowSpec):\n"
        "    def prepare(self):\n        super(F, self).prepare()\n        self.c = 1\n"
        "    @step\n    def start(self):\n        self.prepare()\n");
    CHECK(names(flow.steps.front().dataflow.sets) == "a b c");
    CHECK(flow.complete());
}

TEST_CASE("what is known only when it runs") {
    const auto both = [](const std::string& body) {
        const Dataflow flow = flow_of(body);
        CAPTURE(body);
        CHECK(flow.sets_undecided.has_value());
        CHECK(flow.reads_undecided.has_value());
        return flow.sets_undecided ? flow.sets_undecided->place : Place{};
    };
    CHECK(both("f(self)") == Place{7, 11, 4});
    both("me = self\nme.a = 1");
    both("setattr(self, name, 1)");
    both("getattr(self, name)");
    both("vars(self).update(x)");
    both("self.__dict__.update(x)");
    both("self = other");
    both("[self]");
    for (const char* body : {"print(self)", "isinstance(self, F)", "S3(run=self)", "self.a = 1",
                             "hasattr(self, 'x')", "setattr(self, 'a', 1)", "super().x()"}) {
        CHECK_MESSAGE(!flow_of(body).sets_undecided.has_value(), body);
    }
}

TEST_CASE("methods that call methods without end") {
    std::string members;
    for (int i = 0; i < 300; ++i) {
        const std::string next = std::to_string(i + 1);
        members += "def m" + std::to_string(i) + "(self):\n    self.m" + next + "()\n    self.m" + next +
                   "()\n    self.a" + next + " = 1\n";
    }
    members += "def m300(self):\n    pass";
    const Dataflow flow = flow_of("self.m0()", members);
    CHECK(flow.sets_undecided.has_value());
    CHECK(names(flow.sets).starts_with("a"));
}

}  // namespace amp::python
