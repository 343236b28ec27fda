#include "core/python/flow_reader.hpp"

#include <doctest/doctest.h>

#include "core/base/json.hpp"

namespace amp::python {
namespace {

PythonFlow read(const std::string& text, std::string_view wanted = {}) {
    Diagnostics diagnostics;
    PythonFlow flow = read_python_flow(text, diagnostics, wanted);
    CAPTURE(text);
    for (const Diagnostic& one : diagnostics.sorted()) {
        FAIL_CHECK(one.message);
    }
    return flow;
}

std::string steps(const PythonFlow& flow) {
    std::string out;
    for (const PythonStep& step : flow.steps) {
        out += (out.empty() ? "" : " ") + step.name;
    }
    return out;
}

std::string reasons(const PythonFlow& flow) {
    std::string out;
    for (const Undecided& one : flow.undecided) {
        out += std::to_string(one.place.line) + ": " + one.reason + "\n";
    }
    return out;
}

bool undecided(const PythonFlow& flow, Undecided::About about, std::string_view part) {
    for (const Undecided& one : flow.undecided) {
        if (one.about == about && one.reason.find(part) != std::string::npos) {
            return true;
        }
    }
    return false;
}

const std::string k_head = "from metaflow import *\n";
const std::string k_body =
    "    @step\n    def start(self):\n        self.next(self.end)\n    @step\n    def end(self):\n        "
    "pass\n";

}  // namespace

TEST_CASE("a flow, whatever FlowSpec and step are called") {
    for (const char* head : {
             "from metaflow import FlowSpec, step\nclass F(FlowSpec):\n",
             "import metaflow\nfrom metaflow import step\nclass F(metaflow.FlowSpec):\n",
             "import metaflow as mf\nstep = mf.step\nfrom metaflow import step\nclass F(mf.FlowSpec):\n",
             "from metaflow import FlowSpec as FS, step\nclass F(FS):\n",
             "from amp import FlowSpec, step\nclass F(FlowSpec):\n",
             "from metaflow import *\nclass F(FlowSpec):\n",
             "from metaflow.flowspec import FlowSpec\nfrom metaflow import step\nclass F(FlowSpec):\n",
             "try:\n    from metaflow import FlowSpec, step\nexcept ImportError:\n    FlowSpec = "
             "object\nclass F(FlowSpec):\n",
             "from typing import Generic\nfrom metaflow import FlowSpec, step\nclass F(FlowSpec, "
             "Generic[int]):\n",
         }) {
        const PythonFlow flow = read(head + k_body);
        CAPTURE(head);
        CHECK(flow.found == PythonFlow::Found::one);
        CHECK(flow.name == "F");
        CHECK(steps(flow) == "start end");
        CHECK_MESSAGE(flow.complete(), reasons(flow));
    }
    const PythonFlow dotted =
        read("import metaflow as mf\nclass F(mf.FlowSpec):\n    @mf.step\n    def start(self): pass\n");
    CHECK(steps(dotted) == "start");
}

TEST_CASE("which of several flows is run") {
    const std::string two = k_head + "class A(FlowSpec):\n" + k_body + "class B(FlowSpec):\n" + k_body;
    CHECK(read(two).found == PythonFlow::Found::several);
    CHECK(read(two).candidates.size() == 2);
    CHECK(read(two, "B").name == "B");
    CHECK(read(two, "C").found == PythonFlow::Found::none);
    CHECK(read(two + "if __name__ == '__main__':\n    A()\n").name == "A");
    CHECK(read(two + "if '__main__' == __name__:\n    B()\n").name == "B");
    CHECK(read(two + "def main():\n    B()\nif __name__ == '__main__':\n    main()\n").name == "B");
    CHECK(read(two + "A(use_cli=False)\nif __name__ == '__main__':\n    B()\n").name == "B");
    CHECK(read(two + "if __name__ == '__main__':\n    A()\n    B()\n").found == PythonFlow::Found::several);
    CHECK(read(two + "if __name__ != '__main__':\n    A()\nB()\n").name == "B");
    CHECK(read(two + "def f():\n    A()\n").found == PythonFlow::Found::several);
    CHECK(read("x = 1\n").found == PythonFlow::Found::none);
    CHECK(read("").found == PythonFlow::Found::none);

    const std::string base = k_head + "class A(FlowSpec):\n" + k_body + "class B(A):\n    pass\n";
    CHECK(read(base).name == "B");
    CHECK(steps(read(base)) == "start end");
    CHECK(read(base + "A()\n").name == "A");
}

TEST_CASE("places, documentation, parameters of steps") {
    const PythonFlow flow =
        read(k_head +
             "class F(FlowSpec):\n"
             "    \"\"\"\n    What it does.\n\n      More.\n    \"\"\"\n"
             "    @retry\n    @step\n    def start(this):\n        '''Begin.'''\n        this.next(this.j)\n"
             "    @step\n    async def j(self, inputs, *more, x=1, **kw): pass\n");
    CHECK(flow.place == Place{2, 7, 1});
    CHECK(flow.doc == "What it does.\n\n  More.");
    const PythonStep& start = *flow.find("start");
    CHECK(start.place == Place{10, 9, 5});
    CHECK(start.def_place.line == 10);
    CHECK(start.doc == "Begin.");
    CHECK(start.self_name == "this");
    CHECK_FALSE(start.is_join());
    CHECK(start.transition().kind == Transition::Kind::linear);
    CHECK(start.decorators.front().place == Place{8, 6, 5});
    const PythonStep& join = *flow.find("j");
    CHECK(join.is_join());
    CHECK(join.inputs_name == "inputs");
    CHECK(join.parameter_count == 2);  // *more is not counted, as in Metaflow
    CHECK(join.other_parameters);
    CHECK(join.async);
    CHECK(join.transition().kind == Transition::Kind::none);
    CHECK(flow.find("nobody") == nullptr);
}

TEST_CASE("decorators and their arguments") {
    const PythonFlow flow = read(
        "import metaflow as mf\nfrom metaflow import FlowSpec, step, retry as again\nfrom mine import "
        "special\nGB = 1024\n"
        "@mf.project(name='demo')\n@mf.schedule(daily=True)\n"
        "class F(FlowSpec):\n"
        "    @again(times=3, minutes_between_retries=-1)\n"
        "    @mf.resources(memory=16 * GB, cpu=2)\n"
        "    @mf.environment(vars={'A': 'x', 'B': f()})\n"
        "    @special('a', [1, (2, None)])\n"
        "    @step(start=True)\n"
        "    @mf.catch\n"
        "    def go(self): pass\n");
    REQUIRE(flow.decorators.size() == 2);
    CHECK(flow.decorators[0].origin.dotted() == "metaflow.project");
    CHECK(*flow.decorators[0].arguments.find("name")->as_text() == "demo");
    const PythonStep& step = flow.steps.front();
    REQUIRE(step.decorators.size() == 5);
    CHECK(step.decorators[0].name == "again");
    CHECK(step.decorators[0].origin.is_metaflow("retry"));
    CHECK(step.decorators[0].arguments.find("times")->value == Value(3));
    CHECK(step.decorators[0].arguments.find("minutes_between_retries")->value == Value(-1));
    CHECK(step.decorators[1].arguments.find("memory")->value == Value(16384));
    CHECK(step.decorators[2].arguments.find("vars")->computed());
    CHECK(step.decorators[2].arguments.find("vars")->source == "{'A': 'x', 'B': f()}");
    CHECK(step.decorators[2].arguments.find("vars")->place == Place{10, 26, 20});
    CHECK(step.decorators[3].origin.dotted() == "mine.special");
    CHECK(json::dump(*step.decorators[3].arguments.positional[1].value) == "[1,[2,null]]");
    CHECK_FALSE(step.decorators[3].below_step);
    CHECK(step.decorators[4].below_step);
    CHECK_FALSE(step.decorators[4].called);
    CHECK(step.step_arguments.find("start")->value == Value(true));
    CHECK(
        undecided(flow, Undecided::About::decorators, "the argument 'vars' of 'mf.environment' is computed"));
    CHECK(undecided(flow, Undecided::About::decorators, "comes from the module 'mine'"));
    CHECK(flow.undecided.size() == 2);
    CHECK(flow.undecided.front().step == "go");
}

TEST_CASE("parameters and constants") {
    const PythonFlow flow =
        read(k_head +
             "SHARED = Parameter('shared', default=1)\ndef now(context): pass\n"
             "class F(FlowSpec):\n"
             "    alpha = Parameter('alpha', default=0.5, type=float, help='how much', required=False)\n"
             "    data: str = IncludeFile(name='data', default='x.csv', is_text=True)\n"
             "    cfg = Config('cfg', default='c.json')\n"
             "    js = Parameter('js', type=JSONType, default='{}')\n"
             "    shared = SHARED\n"
             "    when = Parameter('when', default=now)\n"
             "    kind = Parameter('kind', type=click.Choice(['a']))\n"
             "    LIMIT = 3\n    names, other = ['a'], x\n    PATH = os.path.join('a')\n" +
             k_body);
    REQUIRE(flow.parameters.size() == 7);
    CHECK(flow.parameters[0].attribute == "alpha");
    CHECK(*flow.parameters[0].name.as_text() == "alpha");
    CHECK(flow.parameters[0].arguments.find("default")->value == Value(0.5));
    CHECK(flow.parameters[0].arguments.find("type")->refers_to == "float");
    CHECK(flow.parameters[1].kind == PythonParameter::Kind::include_file);
    CHECK(*flow.parameters[1].name.as_text() == "data");
    CHECK(flow.parameters[2].kind == PythonParameter::Kind::config);
    CHECK(flow.parameters[3].arguments.find("type")->refers_to == "metaflow.JSONType");
    CHECK(*flow.parameters[4].name.as_text() == "shared");
    CHECK(flow.parameters[5].arguments.find("default")->refers_to == "now");
    REQUIRE(flow.constants.size() == 4);
    CHECK(flow.constants[0].name == "LIMIT");
    CHECK(flow.constants[0].value.value == Value(3));
    CHECK(json::dump(*flow.constants[1].value.value) == "[\"a\"]");
    CHECK(flow.constants[2].value.computed());
    CHECK(undecided(flow, Undecided::About::parameters, "the 'default' of the parameter 'when' is computed"));
    CHECK(undecided(flow, Undecided::About::parameters, "the 'type' of the parameter 'kind' is computed"));
    CHECK(flow.undecided.size() == 2);
}

TEST_CASE("inheritance: what is overridden, and in which order") {
    const PythonFlow flow =
        read(k_head +
             "class Base(FlowSpec):\n"
             "    x = 1\n"
             "    @step\n    def start(self):\n        self.next(self.middle)\n"
             "    @step\n    def middle(self):\n        self.next(self.end)\n"
             "    @step\n    def end(self): pass\n"
             "class Left(Base):\n"
             "    x = 2\n"
             "    @step\n    def middle(self):\n        self.left = 1\n        self.next(self.end)\n"
             "class Right(Base):\n"
             "    x = 3\n    y = 3\n"
             "    @step\n    def middle(self):\n        self.right = 1\n        self.next(self.end)\n"
             "    def end(self): 'no step any more'\n"
             "class F(Left, Right):\n"
             "    pass\n");
    CHECK(flow.name == "F");
    CHECK(steps(flow) == "start middle");
    CHECK(flow.find("middle")->class_name == "Left");
    CHECK(flow.find("middle")->dataflow.sets.front().name == "left");
    CHECK(flow.methods == std::vector<std::string>{"end"});
    REQUIRE(flow.constants.size() == 2);
    CHECK(flow.constants[0].value.value == Value(2));
    CHECK_MESSAGE(flow.complete(), reasons(flow));

    const PythonFlow broken =
        read(k_head + "class A: pass\nclass B(A): pass\nclass F(FlowSpec, A, B):\n" + k_body);
    CHECK(undecided(broken, Undecided::About::flow, "no order"));
}

TEST_CASE("what Python has to be asked about") {
    using About = Undecided::About;
    struct Row {
        std::string text;
        About about;
        std::string part;
    };
    const std::string whole = "class F(FlowSpec):\n" + k_body;
    for (const Row& row : std::vector<Row>{
             {"from common import Base\nclass F(Base):\n" + k_body, About::steps,
              "written in another module, 'common'"},
             {"from common import *\nclass F(Base):\n" + k_body, About::steps,
              "seems to come from 'from common import *'"},
             {"class F(make()):\n" + k_body + "F()\n", About::steps, "is computed"},
             {"class F(FlowSpec, metaclass=M):\n" + k_body, About::steps, "metaclass"},
             {"class F(FlowSpec):\n    for i in x:\n        @step\n        def a(self): pass\n" + k_body,
              About::steps, "within an 'if'"},
             {"class F(FlowSpec):\n    for i in x:\n        locals()['s%d' % i] = make(i)\n" + k_body,
              About::steps, "'locals'"},
             {"class F(FlowSpec):\n    other = step(f)\n" + k_body, About::steps, "made by a call"},
             {whole + "setattr(F, 'x', f)\n", About::steps, "'setattr' changes the class"},
             {whole + "F.x = step(f)\n", About::steps, "outside of the class"},
             {whole + "F = change(F)\n", About::steps, "outside of the class"},
             {"class F(FlowSpec):\n    def __init_subclass__(cls): pass\n" + k_body, About::steps,
              "__init_subclass__"},
             {"class M(FlowMutator): pass\n@M\n" + whole, About::decorators, "is a mutator"},
             {"class M(StepMutator): pass\nclass F(FlowSpec):\n    @M\n" + k_body, About::decorators,
              "is a mutator"},
             {"def d(f): return f\nclass F(FlowSpec):\n    @d\n" + k_body, About::decorators,
              "function of this file"},
             {"class F(FlowSpec):\n    @ds[0]\n" + k_body, About::decorators, "is computed"},
             {"r3 = retry(times=3)\nclass F(FlowSpec):\n    @r3\n" + k_body, About::decorators,
              "result of a computation"},
             {"class F(FlowSpec):\n    @retry(**kw)\n" + k_body, About::decorators,
              "arguments of 'retry' are computed"},
             {"from x import y\nclass F(FlowSpec):\n    @y\n    def z(self): pass\n" + k_body, About::steps,
              "'z' may be a step"},
             {"class F(FlowSpec):\n    p = Parameter(NAME)\n" + k_body, About::parameters,
              "name of the parameter 'p' is computed"},
             {"class F(FlowSpec):\n    p = Parameter('p', **kw)\n" + k_body, About::parameters,
              "arguments of the parameter"},
             {"class F(FlowSpec):\n    if X:\n        p = Parameter('p')\n" + k_body, About::parameters,
              "within an 'if'"},
             {"def make(n): return Parameter(n)\nclass F(FlowSpec):\n    p = make('p')\n" + k_body,
              About::parameters, "which makes parameters"},
             {"from .params import make\nclass F(FlowSpec):\n    p = make('p')\n" + k_body, About::parameters,
              "may be a parameter"},
         }) {
        const PythonFlow flow = read(k_head + row.text);
        CAPTURE(row.text);
        CHECK(flow.found == PythonFlow::Found::one);
        CHECK_FALSE(flow.complete());
        CHECK_MESSAGE(undecided(flow, row.about, row.part), reasons(flow));
        for (const Undecided& one : flow.undecided) {
            CHECK(one.place.line > 0);
        }
    }
}

TEST_CASE("what only looks like it is decided by reading") {
    for (const std::string& text : {
             "from abc import ABC\nclass F(FlowSpec, ABC):\n" + k_body,
             "import functools\nclass F(FlowSpec):\n    @functools.lru_cache(maxsize=N)\n    def x(self): "
             "pass\n" +
                 k_body,
             "class F(FlowSpec):\n    @property\n    def x(self): pass\n    @x.setter\n    def x(self, v): "
             "pass\n" +
                 k_body,
             "@user_step_decorator\ndef d(step_name, flow, inputs=None, attributes=None): yield\nclass "
             "F(FlowSpec):\n    @d\n" +
                 k_body,
             "class D(UserStepDecorator): pass\nclass F(FlowSpec):\n    @D\n" + k_body,
             "import numpy as np\nclass F(FlowSpec):\n    x = np.array([1])\n    y = open\n" + k_body,
             "N = 3\nclass F(FlowSpec):\n    @retry(times=N)\n" + k_body,
         }) {
        const PythonFlow flow = read(k_head + text);
        CAPTURE(text);
        CHECK_MESSAGE(flow.complete(), reasons(flow));
    }
}

TEST_CASE("a name that is bound twice is no constant") {
    for (const char* more : {"N = 4\n", "def f():\n    global N\n    N = 5\n", "for N in x: pass\n",
                             "class A:\n    N = 2\n", "del N\n"}) {
        const PythonFlow flow =
            read(k_head + "N = 3\n" + more + "class F(FlowSpec):\n    @retry(times=N)\n" + k_body);
        CHECK_MESSAGE(flow.steps.front().decorators.front().arguments.find("times")->computed(), more);
    }
}

TEST_CASE("self that is another") {
    const PythonFlow flow = read(k_head +
                                 "class F(FlowSpec):\n    @step\n    def start(self):\n        self = "
                                 "other\n        self.next(self.end)\n");
    REQUIRE(flow.steps.front().self_rebound.has_value());
    CHECK(flow.steps.front().self_rebound->line == 5);
    CHECK_FALSE(read(k_head + "class F(FlowSpec):\n" + k_body).steps.front().self_rebound.has_value());
}

TEST_CASE("a syntax error is the only thing that is told") {
    Diagnostics diagnostics;
    const PythonFlow flow = read_python_flow(
        k_head + "class F(FlowSpec):\n    @step\n    def start(self)\n        pass\n", diagnostics);
    CHECK(flow.found == PythonFlow::Found::none);
    REQUIRE(diagnostics.sorted().size() == 1);
    const Diagnostic one = diagnostics.sorted().front();
    CHECK(one.code == "AMP3001");
    CHECK(one.message == "expected ':'");
    CHECK(one.place == Place{4, 20, 1});
}

}  // namespace amp::python
