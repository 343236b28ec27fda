#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/python/dataflow.hpp"

namespace amp::python {

/// A walk over one function in the order in which it runs, which knows at each point what has been set for
/// certain.
///
/// Names that are set are written to a log; at the end of a branch it is taken back, and what all branches
/// that go on have set stays. So the walk costs no more than the length of the function times the depth of
/// its blocks.
class FunctionFlow {
  public:
    FunctionFlow(Dataflows& flows, std::size_t place_in_order, NodeId function, std::size_t inputs_parameter);
    Dataflow run();

  private:
    /// What a local name holds of a join's inputs.
    struct Role {
        enum class Kind : std::uint8_t { none, inputs, item };
        Kind kind = Kind::none;
        std::string_view step = {};  ///< of an item: of `inputs.STEP`; empty: of any
    };
    /// What a block did, against the state before it.
    struct Outcome {
        std::vector<std::string_view> added;
        std::vector<std::string_view> removed;
        bool falls_through = true;
    };
    struct Change {
        std::string_view name;
        bool added = false;
    };
    struct Loop {
        std::size_t mark = 0;
        std::size_t breaks = 0;
        std::optional<std::unordered_set<std::string_view>> at_breaks = {};  ///< set at all of them
    };

    // function_flow.cpp: the state.
    void add(std::string_view name);
    void remove(std::string_view name);
    bool is_set(std::string_view name) const { return definite_.contains(name); }
    Outcome since(std::size_t mark, bool falls_through) const;
    void take_back(std::size_t mark);
    /// Runs `part` as one of several ways, and takes it back.
    template <class Part>
    Outcome branch(Part part) {
        const std::size_t mark = log_.size();
        ++branches_;
        const bool falls_through = part();
        --branches_;
        Outcome outcome = since(mark, falls_through);
        take_back(mark);
        return outcome;
    }
    /// After some ways of which one was gone; true when any goes on.
    bool merge(const std::vector<Outcome>& ways);
    void leave();
    Dataflow result();

    // What is found.
    void set(std::string_view name, Place place);
    void unset(std::string_view name, Place place);
    void read(std::string_view text, NodeId at);
    void read_artifact(std::string_view name, Place place);
    void probe(std::string_view name, Place place);
    void read_input(std::string_view step, std::string_view name, Place place);
    void apply(const Dataflow& callee);
    void apply_method(const Methods::Found& found, std::size_t inputs_parameter);
    void escape_self(NodeId at, std::string reason);
    void escape_inputs(NodeId at);
    static void first(std::vector<Access>& list, std::unordered_map<std::string_view, std::size_t>& index,
                      std::string_view name, Place place, bool conditional);

    // function_flow_statements.cpp; each says whether the next statement is reached.
    bool block(std::span<const NodeId> statements);
    bool statement(NodeId id);
    bool compound(NodeId id);
    bool if_statement(NodeId id);
    bool match_statement(NodeId id);
    bool for_statement(NodeId id);
    bool while_statement(NodeId id);
    bool try_statement(NodeId id);
    bool with_statement(NodeId id);
    void nested(NodeId function);
    void assign(NodeId id);
    void bind_pattern(NodeId pattern);
    void note_break();
    bool catches_missing(NodeId try_statement) const;

    // function_flow_targets.cpp
    void bind_role(std::string_view name, Role role);
    void restore_roles(std::size_t mark);
    void target(NodeId id, Role role);
    void target(NodeId id) { target(id, Role{}); }
    void target_from(NodeId id, NodeId value);
    void delete_target(NodeId id);
    Role role_of(NodeId id, int depth = 0) const;
    Role role_of_call(NodeId id, int depth) const;
    void consume(NodeId id);
    void loop_target(NodeId id, NodeId iterable);

    // function_flow_expressions.cpp
    void visit(NodeId id);
    void visit_all(std::span<const NodeId> ids);
    void name(NodeId id);
    void attribute(NodeId id);
    void comprehension(NodeId id);
    void lambda(NodeId id, Role first);
    bool is_self(NodeId id) const;
    bool shadows_self(NodeId parameters) const;

    // function_flow_calls.cpp
    void call(NodeId id);
    bool call_of_self(NodeId id);
    bool call_of_super(NodeId id);
    bool call_of_class(NodeId id);
    bool call_of_builtin(NodeId id);
    void next_call(NodeId id);
    void merge_artifacts(NodeId id);
    void call_method(const Methods::Found& found, NodeId id, std::size_t skip);
    void arguments(NodeId id, std::size_t skip = 0);
    bool attribute_builtin(NodeId id, std::string_view function);

    Dataflows& flows_;
    const Methods& methods_;
    const Names& names_;
    const Tree& tree_;
    std::size_t place_in_order_;
    NodeId function_;
    std::string_view self_;

    std::unordered_map<std::string_view, Role> roles_;
    std::vector<std::pair<std::string_view, Role>> role_log_;  ///< what names were before
    std::unordered_set<std::string_view> definite_;
    std::vector<Change> log_;
    std::vector<Loop> loops_;
    int branches_ = 0;  ///< how many conditions are around
    int nested_ = 0;    ///< functions: what is in them happens later, or never
    int guards_ = 0;    ///< `try` whose `except` takes a missing attribute
    /// A name is set on every way when it was set at each of the exits: counted here, without looking at all
    /// names at each of them.
    std::size_t exits_ = 0;
    std::unordered_map<std::string_view, std::size_t> since_exit_;
    std::unordered_map<std::string_view, std::size_t> exits_with_;

    std::vector<Access> all_sets_;
    std::unordered_map<std::string_view, std::size_t> set_index_;
    std::vector<Access> later_reads_;
    std::unordered_map<std::string_view, std::size_t> later_index_;
    std::unordered_map<std::string_view, std::size_t> read_index_;
    std::unordered_map<std::string_view, std::size_t> probe_index_;
    std::unordered_map<std::string_view, std::size_t> delete_index_;
    std::set<std::pair<std::string_view, std::string_view>> input_index_;
    std::unordered_set<std::string_view> looked_for_;  ///< by hasattr
    Dataflow out_;
};

}  // namespace amp::python
