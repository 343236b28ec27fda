#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"

namespace amp::python {

/// An expression of the file, with its value where reading decides it: numbers, texts, True, False, None,
/// lists, tuples (as lists) and dicts of such with texts as keys, and sums and products of numbers. What else
/// there is is for Python to compute.
struct SourceValue {
    std::optional<Value> value;
    std::string source;  ///< as written
    /// What a plain or dotted name stands for: "metaflow.JSONType", "float", "helper" (of this file). Else
    /// empty.
    std::string refers_to;
    Place place;

    bool computed() const { return !value; }
    /// The text that it is, or nullptr.
    const std::string* as_text() const { return value && value->is_string() ? &value->as_string() : nullptr; }
};

struct KeywordArgument {
    std::string name;  ///< empty: `**value`
    SourceValue value;
    Place place;
};

/// `name(positional, keyword=…)`, of decorators and parameters.
struct Arguments {
    std::vector<SourceValue> positional;
    std::vector<KeywordArgument> keywords;
    bool unpacks = false;  ///< with `*x` or `**x`, so that Python alone knows all of them

    const SourceValue* find(std::string_view keyword) const;
};

/// Where a name of the file comes from.
struct Origin {
    enum class Kind : std::uint8_t {
        unknown,  ///< nothing in the file binds it, or an assignment does
        builtin,
        imported,
        defined,  ///< a class or function of this file
    };
    Kind kind = Kind::unknown;
    std::string module;  ///< of what is imported: "metaflow", "..common" where it is relative
    std::string name;    ///< in that module, dotted; empty: the module itself

    /// Whether it is `wanted` of metaflow, or of amp, which is the same.
    bool is_metaflow(std::string_view wanted) const;
    bool from_metaflow() const;
    /// "metaflow.retry"
    std::string dotted() const;
};

struct Decorator {
    std::string name;  ///< as written: "retry", "mf.retry"
    Origin origin;
    Arguments arguments;
    bool called = false;      ///< with parentheses
    bool below_step = false;  ///< nearer to the function than @step
    /// The expression is more than a dotted name with arguments.
    bool computed = false;
    Place place;
};

/// `x = Parameter("x", …)` and its like in the class.
struct PythonParameter {
    enum class Kind : std::uint8_t { parameter, include_file, config };
    Kind kind = Kind::parameter;
    std::string attribute;  ///< self.ATTRIBUTE
    SourceValue name;       ///< its first argument, or `name=`
    Arguments arguments;
    std::string class_name;  ///< that it is written in
    Place place;
};

/// Any other value of the class: an artifact of every step.
struct ClassConstant {
    std::string name;
    SourceValue value;
    std::string class_name;
    Place place;
};

/// What `self.next(…)` says.
struct Transition {
    enum class Kind : std::uint8_t { none, linear, split, foreach, num_parallel, switch_, invalid };
    enum class Problem : std::uint8_t {
        no_targets,
        target_is_no_attribute,  ///< self.next("a"), self.next(a)
        target_not_of_self,      ///< self.next(other.a): its name counts all the same
        starred_target,          ///< self.next(*steps)
        several_targets,         ///< of foreach and num_parallel
        several_keywords,
        unknown_keyword,
        keyword_unpacking,  ///< self.next(self.a, **kw)
        foreach_not_literal,
        switch_without_dict,  ///< condition=, but no dict written out
        switch_without_condition,
        condition_not_literal,
        case_key_not_literal,
        case_key_none,
        case_without_key,  ///< {**cases}
        case_target_is_no_attribute,
    };
    struct Target {
        std::string name;      ///< empty where it is no attribute
        std::string receiver;  ///< "self"
        std::string source;
        Place place;
    };
    struct Case {
        SourceValue key;
        std::string config_key;  ///< "config.mode" of a key `self.config.mode`
        Target target;
    };
    struct Finding {
        Problem problem;
        Place place;
        std::string detail;  ///< the keyword, the receiver, or the text
    };

    Kind kind = Kind::none;
    std::vector<Target> targets;  ///< of a switch: those of its cases, each once
    std::vector<Case> cases;
    std::optional<SourceValue> foreach;
    std::optional<SourceValue> num_parallel;
    std::optional<SourceValue> condition;
    std::vector<Finding> problems;
    Place place;
};

/// One call of `self.next` in a step.
struct NextCall {
    /// What is around it, from the inside; `last` is the one that counts.
    enum class Where : std::uint8_t {
        last,      ///< the last statement of the step
        not_last,  ///< a statement, but others follow
        in_if,
        in_loop,
        in_try,
        in_with,
        in_match,
        in_function,    ///< of a function or lambda within the step
        in_expression,  ///< `return self.next(…)`, `x = self.next(…)`
    };
    Where where = Where::last;
    Transition transition;
};

/// A name of the step's `self`, or of an input, where it is first met.
struct Access {
    std::string name;
    Place place;
    bool conditional = false;  ///< only on some of the ways through the step
    bool operator==(const Access&) const = default;
};

/// `inputs.STEP.NAME`, `inputs[i].NAME`, `x.NAME` of `for x in inputs`.
struct InputRead {
    std::string step;  ///< empty: of any input
    std::string name;  ///< empty: inputs.STEP as such
    Place place;
};

struct MergeCall {
    std::optional<std::vector<std::string>> include;
    std::optional<std::vector<std::string>> exclude;
    bool computed = false;  ///< a list is no literal
    bool conditional = false;
    bool of_inputs = true;  ///< its first argument is the step's inputs
    Place place;
};

/// Something that reading does not decide: Python has to be asked.
struct Undecided {
    enum class About : std::uint8_t { flow, steps, decorators, parameters, artifacts };
    About about = About::steps;
    Place place;
    std::string reason;  ///< a sentence for users, as of a Diagnostic
    std::string step;    ///< where it is about one
};

/// The artifacts of one step, with the methods that it calls.
struct Dataflow {
    std::vector<Access> sets;     ///< on every way through the step that ends well
    std::vector<Access> may_set;  ///< on some way, in a loop, in a function
    std::vector<Access> deletes;
    std::vector<Access> reads;   ///< before the step has set them for certain
    std::vector<Access> probes;  ///< read where a missing one does no harm: hasattr, getattr with a default
    std::vector<InputRead> inputs;
    std::vector<MergeCall> merges;
    std::optional<Place> input;  ///< self.input
    std::optional<Place> index;  ///< self.index
    std::optional<Undecided> sets_undecided;
    std::optional<Undecided> reads_undecided;
};

struct PythonStep {
    std::string name;
    std::string doc;
    std::string class_name;  ///< that it is written in
    std::string self_name = "self";
    std::string inputs_name;          ///< the parameter of a join, else empty
    std::size_t parameter_count = 0;  ///< positional ones, `self` too
    bool other_parameters = false;    ///< *args, keyword-only ones, **kw
    bool async = false;
    std::vector<Decorator> decorators;  ///< from the top, without @step
    Arguments step_arguments;           ///< of @step(start=True)
    std::vector<NextCall> next_calls;   ///< in the order of the text
    std::optional<Place> self_rebound;  ///< `self = …`
    Dataflow dataflow;
    Place place;      ///< of its name
    Place def_place;  ///< of the line with `def`

    bool is_join() const { return parameter_count > 1; }
    /// The transition that counts: that of the last statement. Of kind none where there is none.
    const Transition& transition() const;
};

struct FlowBase {
    std::string name;  ///< as written
    Origin origin;
    Place place;
};

/// A flow class of the file.
struct FlowCandidate {
    std::string name;
    Place place;
    bool started = false;  ///< the file calls it when it is run
};

/// What the file says about the flow that it runs.
struct PythonFlow {
    enum class Found : std::uint8_t { none, one, several };
    Found found = Found::none;
    std::vector<FlowCandidate> candidates;

    std::string name;
    std::string doc;
    Place place;  ///< of the class's name
    std::vector<Decorator> decorators;
    std::vector<FlowBase> bases;
    std::vector<PythonParameter> parameters;
    std::vector<ClassConstant> constants;
    std::vector<PythonStep> steps;     ///< in the order of the text
    std::vector<std::string> methods;  ///< the other functions of the class
    std::vector<Undecided> undecided;

    const PythonStep* find(std::string_view step) const;
    /// All that is asked about has been decided by reading.
    bool complete() const { return found == Found::one && undecided.empty(); }
};

}  // namespace amp::python
