#include "core/python/validate_transition.hpp"

#include <algorithm>
#include <vector>

#include "core/base/near.hpp"

namespace amp::python {
namespace {

using Problem = Transition::Problem;
using Where = NextCall::Where;

std::string around(Where where) {
    switch (where) {
        case Where::in_if:
            return "within an 'if'";
        case Where::in_loop:
            return "within a loop";
        case Where::in_try:
            return "within a 'try'";
        case Where::in_with:
            return "within a 'with'";
        case Where::in_match:
            return "within a 'match'";
        case Where::in_function:
            return "within a function of the step";
        case Where::in_expression:
            return "as part of another statement";
        case Where::last:
        case Where::not_last:
            break;
    }
    return "before other statements";
}

std::string mended(Where where) {
    if (where == Where::in_if || where == Where::in_match) {
        return R"(to choose when it runs: self.next({"a": self.a, "b": self.b}, condition="choice"))";
    }
    return "make it the last statement of the step, by itself";
}

/// The message and the hint of a problem.
std::pair<std::string, std::string> text_of(const Transition::Finding& finding) {
    const std::string& what = finding.detail;
    switch (finding.problem) {
        case Problem::no_targets:
            return {"self.next names no step", "name it: self.next(self.end)"};
        case Problem::target_is_no_attribute:
        case Problem::case_target_is_no_attribute:
            return {"'" + what + "' is no step of self",
                    "write it as self.STEP, not called and without quotes"};
        case Problem::starred_target:
            return {"'" + what + "': which steps come next has to be written out",
                    "name each: self.a, self.b"};
        case Problem::several_targets:
            return {"a foreach, or num_parallel, leads to one step, but '" + what + "' is another",
                    "name one step"};
        case Problem::several_keywords:
            return {"'" + what + "' does not go with the keyword before it", "give one of them"};
        case Problem::unknown_keyword:
            return {"self.next has no '" + what + "'", "it has foreach, num_parallel and condition"};
        case Problem::keyword_unpacking:
            return {"what self.next is given has to be written out", "foreach=\"items\", say"};
        case Problem::switch_without_dict:
            return {"with 'condition', self.next takes its cases as a dict that is written out",
                    R"(self.next({"a": self.a, "b": self.b}, condition="choice"))"};
        case Problem::switch_without_condition:
            return {"the cases have no 'condition'", "name the artifact that chooses: condition=\"choice\""};
        case Problem::condition_not_literal:
            return {"the condition is the name of an artifact, as text, and not '" + what + "'",
                    "condition=\"choice\""};
        case Problem::case_key_not_literal:
        case Problem::case_key_none:
            return {"'" + what + "' cannot be a case",
                    "a case is a text, a number, True or False written out, or self.CONFIG.KEY"};
        case Problem::case_without_key:
            return {"'" + what + "': the cases have to be written out", "\"a\": self.a"};
        case Problem::foreach_not_literal:
        case Problem::target_not_of_self:
            break;
    }
    return {};
}

void foreach_of(const SourceValue& foreach, Diagnostics& diagnostics) {
    if (foreach.value && !foreach.value->is_string()) {
        diagnostics.error("AMP3009", foreach.place,
                          "foreach takes the name of an artifact, as text, and not '" + foreach.source + "'",
                          "put the list into an artifact: self.items = …, and foreach=\"items\"");
    } else if (foreach.computed()) {
        const std::string name =
            foreach.source.starts_with("self.") ? foreach.source.substr(5) : std::string("items");
        diagnostics.warning(
            "AMP3009", foreach.place,
            "what foreach goes over is only known when the step runs: '" + foreach.source + "'",
            "foreach takes the name of an artifact: foreach=\"" + name + "\"");
    }
}

}  // namespace

void transition_in_place(const PythonStep& step, bool demanded, Diagnostics& diagnostics) {
    const bool has_last = step.transition().kind != Transition::Kind::none;
    for (const NextCall& call : step.next_calls) {
        if (call.where == Where::last) {
            continue;
        }
        const std::string message =
            "self.next of '" + step.name + "' stands " + around(call.where) + ", where it ";
        if (has_last) {
            diagnostics.warning("AMP3008", call.transition.place,
                                message + "does not count: the last statement of the step has another",
                                mended(call.where));
        } else {
            diagnostics.error("AMP3008", call.transition.place, message + "does not count",
                              mended(call.where));
        }
    }
    if (step.next_calls.empty() && demanded) {
        diagnostics.error("AMP3008", step.place, "'" + step.name + "' does not say which step comes next",
                          "let it end with self.next(self.STEP)");
    }
}

void transition_form(const PythonStep& step, Diagnostics& diagnostics) {
    const Transition& next = step.transition();
    for (const auto& finding : next.problems) {
        const auto [message, hint] = text_of(finding);
        if (!message.empty()) {
            diagnostics.error("AMP3009", finding.place, message, hint);
        }
    }
    if (next.foreach) {
        foreach_of(*next.foreach, diagnostics);
    }
    if (next.kind == Transition::Kind::switch_ && next.cases.size() < 2) {
        diagnostics.error(
            "AMP3015", next.place,
            "'" + step.name + "' chooses, but has " + (next.cases.empty() ? "no case" : "only one case"),
            "name two cases at least, or the next step alone: self.next(self.STEP)");
    }
}

std::string near_step(const PythonFlow& flow, const std::string& name, const std::string& otherwise) {
    std::vector<std::string> names;
    std::transform(flow.steps.begin(), flow.steps.end(), std::back_inserter(names),
                   [](const PythonStep& step) { return step.name; });
    return near_hint(name, names, otherwise);
}

}  // namespace amp::python
