#include "core/python/function_flow.hpp"

#include <algorithm>

namespace amp::python {

FunctionFlow::FunctionFlow(Dataflows& flows, std::size_t place_in_order, NodeId function,
                           std::size_t inputs_parameter)
    : flows_(flows),
      methods_(flows.methods()),
      names_(methods_.names()),
      tree_(names_.tree()),
      place_in_order_(place_in_order),
      function_(function) {
    const auto parameters = tree_.children(tree_.child(function, 2));
    if (!parameters.empty()) {
        self_ = tree_[parameters.front()].text;
    }
    if (inputs_parameter > 0 && inputs_parameter < parameters.size()) {
        roles_[tree_[parameters[inputs_parameter]].text] = {Role::Kind::inputs};
    }
}

Dataflow FunctionFlow::run() {
    if (block(tree_.group(function_, 4))) {
        leave();
    }
    return result();
}

/// An exit that ends well.
void FunctionFlow::leave() {
    if (nested_ == 0) {
        ++exits_;
    }
}

Dataflow FunctionFlow::result() {
    for (const std::string_view name : definite_) {
        exits_with_[name] += exits_ - since_exit_[name];
    }
    for (Access& access : all_sets_) {
        const auto it = exits_with_.find(access.name);
        const bool always = exits_ > 0 && it != exits_with_.end() && it->second == exits_;
        access.conditional = !always;
        (always ? out_.sets : out_.may_set).push_back(access);
    }
    for (Access& access : later_reads_) {
        if (!set_index_.contains(access.name)) {
            first(out_.reads, read_index_, access.name, access.place, true);
        }
    }
    return std::move(out_);
}

void FunctionFlow::add(std::string_view name) {
    if (definite_.insert(name).second) {
        log_.push_back({name, true});
        since_exit_[name] = exits_;
    }
}

void FunctionFlow::remove(std::string_view name) {
    if (definite_.erase(name) > 0) {
        log_.push_back({name, false});
        exits_with_[name] += exits_ - since_exit_[name];
    }
}

FunctionFlow::Outcome FunctionFlow::since(std::size_t mark, bool falls_through) const {
    Outcome outcome;
    outcome.falls_through = falls_through;
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = mark; i < log_.size(); ++i) {
        const auto& [name, added] = log_[i];
        if (seen.insert(name).second && added == is_set(name)) {
            (added ? outcome.added : outcome.removed).push_back(name);
        }
    }
    return outcome;
}

void FunctionFlow::take_back(std::size_t mark) {
    while (log_.size() > mark) {
        const Change change = log_.back();
        log_.pop_back();
        if (change.added) {
            definite_.erase(change.name);
            exits_with_[change.name] += exits_ - since_exit_[change.name];
        } else {
            definite_.insert(change.name);
            since_exit_[change.name] = exits_;
        }
    }
}

bool FunctionFlow::merge(const std::vector<Outcome>& ways) {
    std::unordered_map<std::string_view, std::size_t> added;
    std::vector<std::string_view> in_order;
    std::size_t going_on = 0;
    for (const Outcome& way : ways) {
        if (!way.falls_through) {
            continue;
        }
        ++going_on;
        for (const std::string_view name : way.added) {
            if (++added[name] == 1) {
                in_order.push_back(name);
            }
        }
    }
    for (const Outcome& way : ways) {
        for (const std::string_view name :
             way.falls_through ? way.removed : std::vector<std::string_view>()) {
            remove(name);
        }
    }
    for (const std::string_view name : in_order) {
        if (added[name] == going_on) {
            add(name);
        }
    }
    return going_on > 0;
}

void FunctionFlow::first(std::vector<Access>& list, std::unordered_map<std::string_view, std::size_t>& index,
                         std::string_view name, Place place, bool conditional) {
    const auto [it, fresh] = index.try_emplace(name, list.size());
    if (fresh) {
        list.push_back({std::string(name), place, conditional});
    } else {
        list[it->second].conditional = list[it->second].conditional && conditional;
    }
}

void FunctionFlow::set(std::string_view name, Place place) {
    first(all_sets_, set_index_, name, place, true);
    if (nested_ == 0) {
        add(name);
    }
}

void FunctionFlow::unset(std::string_view name, Place place) {
    first(out_.deletes, delete_index_, name, place, branches_ > 0 || nested_ > 0);
    remove(name);
}

void FunctionFlow::probe(std::string_view name, Place place) {
    if (!is_set(name)) {
        first(out_.probes, probe_index_, name, place, branches_ > 0);
    }
}

void FunctionFlow::read_artifact(std::string_view name, Place place) {
    if (is_set(name)) {
        return;
    }
    if (guards_ > 0 || looked_for_.contains(name)) {
        probe(name, place);
    } else if (nested_ > 0) {
        first(later_reads_, later_index_, name, place, true);
    } else {
        first(out_.reads, read_index_, name, place, branches_ > 0);
    }
}

void FunctionFlow::read_input(std::string_view step, std::string_view name, Place place) {
    if (input_index_.emplace(step, name).second) {
        out_.inputs.push_back({std::string(step), std::string(name), place});
    }
}

/// What a method that is called does, as if it stood here. Names of `callee` lie in the file or in its tree.
void FunctionFlow::apply(const Dataflow& callee) {
    for (const Access& access : callee.reads) {
        if (branches_ > 0 || access.conditional) {
            ++branches_;
            read_artifact(access.name, access.place);
            --branches_;
        } else {
            read_artifact(access.name, access.place);
        }
    }
    for (const Access& access : callee.probes) {
        probe(access.name, access.place);
    }
    for (const Access& access : callee.deletes) {
        unset(access.name, access.place);
    }
    for (const Access& access : callee.sets) {
        set(access.name, access.place);
    }
    for (const Access& access : callee.may_set) {
        first(all_sets_, set_index_, access.name, access.place, true);
    }
    for (const InputRead& one : callee.inputs) {
        read_input(one.step, one.name, one.place);
    }
    for (MergeCall one : callee.merges) {
        one.conditional = one.conditional || branches_ > 0;
        out_.merges.push_back(std::move(one));
    }
    out_.input = out_.input ? out_.input : callee.input;
    out_.index = out_.index ? out_.index : callee.index;
    out_.sets_undecided = out_.sets_undecided ? out_.sets_undecided : callee.sets_undecided;
    out_.reads_undecided = out_.reads_undecided ? out_.reads_undecided : callee.reads_undecided;
}

void FunctionFlow::apply_method(const Methods::Found& found, std::size_t inputs_parameter) {
    apply(flows_.of(found.member->node, found.place_in_order, inputs_parameter));
}

void FunctionFlow::escape_self(NodeId at, std::string reason) {
    Undecided why;
    why.about = Undecided::About::artifacts;
    why.place = names_.place(at);
    why.reason = std::move(reason);
    out_.reads_undecided = out_.reads_undecided ? out_.reads_undecided : why;
    out_.sets_undecided = out_.sets_undecided ? out_.sets_undecided : std::move(why);
}

void FunctionFlow::escape_inputs(NodeId at) {
    if (!out_.reads_undecided) {
        Undecided why;
        why.about = Undecided::About::artifacts;
        why.place = names_.place(at);
        why.reason =
            names_.quoted(at) + " is passed on, so what is read of the inputs is known only when it runs";
        out_.reads_undecided = std::move(why);
    }
}

}  // namespace amp::python
