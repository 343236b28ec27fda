#include "core/python/validate_flow.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/python/flow_reader.hpp"
#include "tests/support/cpu_time.hpp"
#include "tests/support/patience.hpp"

namespace amp::python {
namespace {

const std::string k_head = "from metaflow import *\nclass F(FlowSpec):\n";

/// A step: "name", "name(self, inputs)", with the lines of its body.
std::string step(const std::string& signature, const std::string& body,
                 const std::string& decorator = "@step") {
    const std::string arguments = signature.find('(') == std::string::npos ? "(self)" : "";
    std::string out = "    " + decorator + "\n    def " + signature + arguments + ":\n        ";
    for (const char c : body) {
        out += c;
        out += c == '\n' ? "        " : "";
    }
    return out + "\n";
}

std::string to(const std::string& from, const std::string& targets) {
    return step(from, "self.next(" + targets + ")");
}

const std::string k_end = step("end", "pass");

std::vector<Diagnostic> found_in(const std::string& text) {
    Diagnostics diagnostics;
    const PythonFlow flow = read_python_flow(text, diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    validate_flow(flow, diagnostics);
    return diagnostics.sorted();
}

/// "CODE: message" of each finding, a line each; `?` after the code of a warning.
std::string found(const std::string& steps) {
    std::string out;
    for (const Diagnostic& one : found_in(k_head + steps)) {
        const bool warning = one.severity == Diagnostic::Severity::warning;
        out += (out.empty() ? "" : "\n") + one.code + (warning ? "?" : "") + ": " + one.message;
        CHECK(one.place.line > 0);
    }
    return out;
}

}  // namespace

TEST_CASE("flows that are right") {
    for (const std::string& flow : {
             to("start", "self.end") + k_end,
             step("alone", "pass"),
             step("go", "self.next(self.stop)", "@step(start=True)") +
                 step("stop", "pass", "@step(end=True)"),
             to("start", "self.a, self.b") + to("a", "self.j") + to("b", "self.j") +
                 to("j(self, inputs)", "self.end") + k_end,
             // A foreach within a split within a foreach.
             to("start", "self.s, foreach='xs'") + to("s", "self.a, self.b") +
                 to("a", "self.x, foreach='ys'") + to("x", "self.jx") + to("jx(self, inputs)", "self.j") +
                 to("b", "self.j") + to("j(self, inputs)", "self.all") + to("all(self, inputs)", "self.end") +
                 k_end,
             // A choice in a branch, whose cases come together without a join, and one that goes to itself.
             to("start", "self.a, self.b") + to("a", "{'x': self.p, 'y': self.q}, condition='c'") +
                 to("p", "self.r") + to("q", "self.r") +
                 to("r", "{True: self.r, False: self.t}, condition='again'") + to("t", "self.j") +
                 to("b", "self.j") + to("j(self, inputs)", "self.end") + k_end,
             to("start", "self.w, num_parallel=4") + step("w", "self.next(self.j)", "@parallel\n    @step") +
                 to("j(self, inputs)", "self.end") + k_end,
         }) {
        CAPTURE(flow);
        CHECK(found(flow).empty());
    }
}

TEST_CASE("which flow") {
    const auto only = [](const std::string& text) {
        const auto all = found_in(text);
        return all.size() == 1 ? all.front().code + ": " + all.front().message : std::to_string(all.size());
    };
    CHECK(only("x = 1\n") == "AMP3004: the file has no flow");
    const std::string two = k_head + k_end + "class G(FlowSpec):\n" + k_end;
    CHECK(only(two) == "AMP3004: the file has several flows: 'F', 'G'");
    CHECK(only(two + "F()\nG()\n") == "AMP3004: the file starts several flows: 'F', 'G'");
    CHECK(found_in(two + "if __name__ == '__main__':\n    G()\n").empty());
}

TEST_CASE("the first step and the last one") {
    CHECK(found(to("start", "self.en")) ==
          "AMP3005: the flow 'F' has no step 'end'\nAMP3010: there is no step 'en'");
    CHECK(found("    pass\n") == "AMP3005: the flow 'F' has no steps");
    CHECK(found(to("begin", "self.end") + k_end) == "AMP3005: the flow 'F' has no step 'start'");
    CHECK(found(to("start", "self.finish") + step("finish", "pass")) ==
          "AMP3005: the flow 'F' has no step 'end'");
    CHECK(found_in(k_head + to("strat", "self.end") + k_end).front().hint == "did you mean 'strat'?");
    CHECK(found(step("a", "self.next(self.end)", "@step(start=True)") +
                step("b", "self.next(self.end)", "@step(start=True)") + k_end)
              .starts_with("AMP3005: two steps are marked @step(start=True): 'a' and 'b'"));
    CHECK(found(step("a", "self.next(self.end)", "@step(start=True)") + to("start", "self.end") + k_end)
              .starts_with(
                  "AMP3005: the step 'start' is not the one that is marked @step(start=True), which is 'a'"));
    CHECK(found(to("start", "self.a") + to("a", "self.start") + k_end)
              .starts_with("AMP3011: 'start' is the first"));
    CHECK(found(to("start", "self.end") + to("end", "self.start")) ==
          "AMP3011: 'end' is the last step, and goes nowhere");
    CHECK(found(to("start(self, inputs)", "self.end") + k_end) ==
          "AMP3007: 'start' is the first step, and has nothing to join");
    CHECK(found(to("start", "self.end") + step("end(self, inputs)", "pass")) ==
          "AMP3007: 'end' is the last step, and cannot join");
}

TEST_CASE("names and arguments of steps") {
    for (const char* name : {"name", "next", "input", "index", "cmd", "Train", "_a", "zürich"}) {
        CAPTURE(name);
        CHECK(found(to("start", std::string("self.") + name) + to(name, "self.end") + k_end)
                  .starts_with(std::string("AMP3006: a step cannot be called '") + name + "'"));
    }
    CHECK(found(step("start()", "pass") + k_end).starts_with("AMP3007: the step 'start' takes nothing"));
    CHECK(found(to("start(self, a, b)", "self.end") + k_end) ==
          "AMP3007: the step 'start' takes 3 arguments");
    for (const char* next :
         {"self.a, self.b", "self.a, foreach='x'", "{1: self.a, 2: self.b}, condition='x'"}) {
        CHECK(found(to("start", "self.a, self.b") + to("a", "self.j") + to("b", "self.j") +
                    to("j(self, inputs)", next) + k_end) ==
              "AMP3007: 'j' takes inputs, so it joins, and cannot split as well");
    }
}

TEST_CASE("where self.next stands") {
    const auto with = [](const std::string& body) { return found(step("start", body) + k_end); };
    CHECK(with("pass") == "AMP3008: 'start' does not say which step comes next");
    const std::string next = "self.next(self.end)";
    const std::string what = "AMP3008: self.next of 'start' stands ";
    CHECK(with(next + "\nprint()") == what + "before other statements, where it does not count");
    CHECK(with("if x:\n    " + next) == what + "within an 'if', where it does not count");
    CHECK(with("for x in y:\n    " + next) == what + "within a loop, where it does not count");
    CHECK(with("try:\n    " + next + "\nfinally:\n    pass") ==
          what + "within a 'try', where it does not count");
    CHECK(with("with x:\n    " + next) == what + "within a 'with', where it does not count");
    CHECK(with("match x:\n    case 1:\n        " + next) ==
          what + "within a 'match', where it does not count");
    CHECK(with("def f():\n    " + next) == what + "within a function of the step, where it does not count");
    CHECK(with("return " + next) == what + "as part of another statement, where it does not count");
    CHECK(with("if x:\n    " + next + "\n    return\n" + next) ==
          "AMP3008?: self.next of 'start' stands within an 'if', where it does not count: the last statement "
          "of "
          "the step has another");
}

TEST_CASE("forms of self.next") {
    const auto with = [](const std::string& arguments) {
        return found(to("start", arguments) + to("a", "self.end") + k_end);
    };
    CHECK(with("") == "AMP3009: self.next names no step");
    CHECK(with("'a'") == "AMP3009: ''a'' is no step of self");
    CHECK(with("self.a()") == "AMP3009: 'self.a()' is no step of self");
    CHECK(with("*steps").starts_with("AMP3009: '*steps': which steps"));
    CHECK(with("self.a, self.end, foreach='x'")
              .starts_with("AMP3009: a foreach, or num_parallel, leads to one step"));
    CHECK(with("self.a, forech='x'") == "AMP3009: self.next has no 'forech'");
    CHECK(with("self.a, **more").starts_with("AMP3009: what self.next is given has to be written out"));
    CHECK(with("self.a, condition='x'").starts_with("AMP3009: with 'condition', self.next takes its cases"));
    CHECK(with("{1: self.a, 2: self.end}") == "AMP3009: the cases have no 'condition'");
    CHECK(with("{1: self.a, 2: self.end}, condition=x").starts_with("AMP3009: the condition is the name"));
    CHECK(with("{None: self.a, 2: self.end}, condition='x'") == "AMP3009: 'None' cannot be a case");
    CHECK(with("{f(): self.a, 2: self.end}, condition='x'") == "AMP3009: 'f()' cannot be a case");
    CHECK(with("{1: self.a, **c}, condition='x'").starts_with("AMP3009: 'c': the cases have to be written"));
    CHECK(with("{1: self.a, 2: 'end'}, condition='x'") == "AMP3009: ''end'' is no step of self");
    CHECK(with("{1: self.a}, condition='x'").starts_with("AMP3015: 'start' chooses, but has only one case"));
    CHECK(with("{}, condition='x'").find("AMP3015: 'start' chooses, but has no case") != std::string::npos);
}

TEST_CASE("what foreach goes over") {
    const auto with = [](const std::string& foreach) {
        return found_in(k_head + to("start", "self.a, foreach=" + foreach) + to("a", "self.j") +
                        to("j(self, inputs)", "self.end") + k_end);
    };
    CHECK(with("'xs'").empty());
    CHECK(with("[1, 2]").front().message ==
          "foreach takes the name of an artifact, as text, and not '[1, 2]'");
    const Diagnostic own = with("self.xs").front();
    CHECK(own.severity == Diagnostic::Severity::warning);  // it may be a text
    CHECK(own.message == "what foreach goes over is only known when the step runs: 'self.xs'");
    CHECK(own.hint == "foreach takes the name of an artifact: foreach=\"xs\"");
}

TEST_CASE("steps that are not there") {
    const auto all = found_in(k_head + to("start", "self.trian") + to("train", "self.end") + k_end);
    REQUIRE(all.size() == 1);
    CHECK(all.front().message == "there is no step 'trian'");
    CHECK(all.front().hint == "did you mean 'train'?");
    CHECK(all.front().place == Place{5, 19, 10});
    CHECK(found(to("start", "self.help, self.end") + "    def help(self): pass\n" + k_end) ==
          "AMP3010: 'help' is no step, but another method");
    CHECK(found(to("start", "{1: self.x, 2: self.end}, condition='c'") + k_end) ==
          "AMP3010: there is no step 'x'");
}

TEST_CASE("circles, and steps that are never reached") {
    CHECK(found(to("start", "self.a") + to("a", "self.b") + to("b", "self.a") + k_end).find("a → b → a") !=
          std::string::npos);
    CHECK(found(to("start", "self.a") + to("a", "self.a") + k_end).find("circle: a → a") !=
          std::string::npos);
    CHECK(found(to("start", "self.a") + to("a", "{1: self.b, 2: self.end}, condition='c'") +
                to("b", "self.a") + k_end)
              .find("circle: ") != std::string::npos);
    CHECK(found(to("start", "self.end") + to("x", "self.end") + k_end) == "AMP3013: no step leads to 'x'");
    std::string ring = to("start", "self.s0");
    for (int i = 0; i < 100; ++i) {
        ring += to("s" + std::to_string(i), "self.s" + std::to_string((i + 1) % 100));
    }
    CHECK(found(ring + k_end).size() < 300);
}

TEST_CASE("splits and joins that do not match") {
    const std::string split = to("start", "self.a, self.b");
    const std::string ab = to("a", "self.j") + to("b", "self.j");
    CHECK(found(split + ab + to("j", "self.end") + k_end) ==
          "AMP3014: several branches come together in 'j', from 'a' and 'b', but it takes no inputs");
    CHECK(found(to("start", "self.a, foreach='x'") + to("a", "self.end") + k_end) ==
          "AMP3014: what 'start' splits is not joined before the end");
    CHECK(found(to("start", "self.j") + to("j(self, inputs)", "self.end") + k_end) ==
          "AMP3014: 'j' takes inputs, but 'start', which leads to it, is in no split");
    CHECK(found(to("start", "self.j, foreach='x'") + to("j(self, inputs)", "self.end") + k_end) ==
          "AMP3014: 'start' splits, and goes right to 'j', which joins");
    CHECK(found(to("start", "self.a, self.b, self.c") + ab + to("c", "self.k") +
                to("j(self, inputs)", "self.k") + to("k(self, inputs)", "self.end") + k_end) ==
          "AMP3014: 'j' does not join all branches of 'start': that of 'c' does not come to it");
    CHECK(found(split + to("a", "self.x, self.y") + to("x", "self.j") + to("y", "self.j") +
                to("b", "self.j") + to("j(self, inputs)", "self.end") + k_end)
              .starts_with("AMP3014: 'j' joins branches of different splits: "));
    CHECK(found(split + to("a", "{1: self.j, 2: self.c}, condition='x'") + to("c", "self.j") +
                to("b", "self.j") + to("j(self, inputs)", "self.end") + k_end) ==
          "AMP3014: a case of 'a' goes right to 'j', which joins");
}

TEST_CASE("num_parallel and @parallel") {
    const std::string parallel = "@parallel\n    @step";
    const std::string rest = to("j(self, inputs)", "self.end") + k_end;
    CHECK(found(to("start", "self.w, num_parallel=2") + to("w", "self.j") + rest) ==
          "AMP3016: 'w' is entered with num_parallel, but is no @parallel step");
    CHECK(found(to("start", "self.w, foreach='x'") + step("w", "self.next(self.j)", parallel) + rest) ==
          "AMP3016: 'w' is a @parallel step, and is entered without num_parallel");
    CHECK(found(to("start", "self.w, num_parallel=2") + step("w", "self.next(self.x)", parallel) +
                to("x", "self.j") + rest) ==
          "AMP3016: 'x' comes after the @parallel step 'w', but does not join");
}

TEST_CASE("what reading has not decided is no mistake") {
    const std::string text = "from metaflow import *\nfrom base import Base\nclass F(Base, FlowSpec):\n" +
                             to("start", "self.middle") + "F()\n";
    CHECK(found_in(text).empty());
    CHECK(found_in("from metaflow import *\nfrom mine import gang\nclass F(FlowSpec):\n" +
                   to("start", "self.w, num_parallel=2") +
                   step("w", "self.next(self.j)", "@gang\n    @step") + to("j(self, inputs)", "self.end") +
                   k_end)
              .empty());
}

TEST_CASE("many ways, many steps and many mistakes take linear time") {
    std::string text = to("start", "self.s0");
    std::string wrong = to("start", "self.s0x");
    for (int i = 0; i < 2'500; ++i) {
        const std::string n = std::to_string(i);
        const std::string next = i + 1 < 2'500 ? "self.s" + std::to_string(i + 1) : "self.end";
        text += to("s" + n, "self.a" + n + ", self.b" + n) + to("a" + n, "self.j" + n) +
                to("b" + n, "self.j" + n) + to("j" + n + "(self, inputs)", next);
        wrong += to("s" + n, "self.unknown_" + n + ", self.missing_" + n);
    }
    const auto took = [](const std::string& steps) {
        const double begin = cpu_seconds();
        found_in(k_head + steps + k_end);
        return cpu_seconds() - begin;
    };
    CHECK(took(text) < test::k_linear_seconds / 2);
    CHECK(took(wrong) < test::k_linear_seconds / 2);
}

}  // namespace amp::python
