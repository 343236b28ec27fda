#include "core/python/transition.hpp"

#include <algorithm>
#include <unordered_set>

namespace amp::python {
namespace {

using Problem = Transition::Problem;

class Reader {
  public:
    Reader(const Names& names, std::string_view self) : names_(names), tree_(names.tree()), self_(self) {}

    Transition run(NodeId call) {
        out_.place = names_.place(call);
        std::vector<NodeId> positional;
        std::vector<NodeId> keywords;
        for (const NodeId id : tree_.children(call).subspan(1)) {
            (tree_.is(id, Kind::keyword) ? keywords : positional).push_back(id);
        }
        for (const NodeId id : keywords) {
            keyword(id);
        }
        if (keywords.size() > 1) {
            problem(Problem::several_keywords, keywords[1], std::string(tree_[keywords[1]].text));
        }
        const bool is_dict = positional.size() == 1 && tree_.is(positional.front(), Kind::dict);
        if (is_dict || out_.condition) {
            switch_cases(positional, call);
        } else {
            for (const NodeId id : positional) {
                if (tree_.is(id, Kind::starred)) {
                    problem(Problem::starred_target, id, names_.text(id));
                } else {
                    out_.targets.push_back(target(id, Problem::target_is_no_attribute));
                }
            }
            if (positional.empty()) {
                problem(Problem::no_targets, call, {});
            }
        }
        if (out_.targets.size() > 1 && (out_.foreach || out_.num_parallel)) {
            out_.problems.push_back(
                {Problem::several_targets, out_.targets[1].place, out_.targets[1].source});
        }
        out_.kind = kind();
        return std::move(out_);
    }

  private:
    void problem(Problem what, NodeId id, std::string detail) {
        out_.problems.push_back({what, names_.place(id), std::move(detail)});
    }

    void keyword(NodeId id) {
        const std::string_view name = tree_[id].text;
        SourceValue value = names_.value(tree_.child(id, 0));
        if (name == "foreach") {
            if (value.as_text() == nullptr) {
                problem(Problem::foreach_not_literal, tree_.child(id, 0), value.source);
            }
            out_.foreach = std::move(value);
        } else if (name == "num_parallel") {
            out_.num_parallel = std::move(value);
        } else if (name == "condition") {
            if (value.as_text() == nullptr) {
                problem(Problem::condition_not_literal, tree_.child(id, 0), value.source);
            }
            out_.condition = std::move(value);
        } else {
            problem(name.empty() ? Problem::keyword_unpacking : Problem::unknown_keyword, id,
                    std::string(name));
        }
    }

    Transition::Target target(NodeId id, Problem otherwise) {
        Transition::Target out;
        out.source = names_.text(id);
        out.place = names_.place(id);
        if (!tree_.is(id, Kind::attribute)) {
            problem(otherwise, id, out.source);
            return out;
        }
        out.name = std::string(tree_[id].text);
        out.receiver = names_.text(tree_.child(id, 0));
        if (out.receiver != self_) {
            problem(Problem::target_not_of_self, id, out.receiver);
        }
        return out;
    }

    void switch_cases(const std::vector<NodeId>& positional, NodeId call) {
        if (!out_.condition) {
            problem(Problem::switch_without_condition, positional.front(), {});
        }
        if (positional.size() != 1 || !tree_.is(positional.front(), Kind::dict)) {
            problem(Problem::switch_without_dict, positional.empty() ? call : positional.front(), {});
            return;
        }
        const auto entries = tree_.children(positional.front());
        std::unordered_set<std::string_view> seen;
        for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
            if (entries[i] == k_no_node) {
                problem(Problem::case_without_key, entries[i + 1], names_.text(entries[i + 1]));
                continue;
            }
            Transition::Case one;
            one.key = names_.value(entries[i]);
            case_key(entries[i], one);
            one.target = target(entries[i + 1], Problem::case_target_is_no_attribute);
            if (!one.target.name.empty() && seen.insert(tree_[entries[i + 1]].text).second) {
                out_.targets.push_back(one.target);
            }
            out_.cases.push_back(std::move(one));
        }
    }

    void case_key(NodeId id, Transition::Case& one) {
        const auto chain = names_.chain(id);
        if (chain.size() == 3 && chain.front() == self_) {
            one.config_key = std::string(chain[1]) + "." + std::string(chain[2]);
            return;
        }
        if (one.key.value && one.key.value->is_null()) {
            problem(Problem::case_key_none, id, one.key.source);
            return;
        }
        const bool plain = one.key.value && (one.key.value->is_string() || one.key.value->is_number() ||
                                             one.key.value->is_bool());
        if (!plain) {
            problem(Problem::case_key_not_literal, id, one.key.source);
        }
    }

    Transition::Kind kind() const {
        using Kind = Transition::Kind;
        for (const auto& [problem, place, detail] : out_.problems) {
            // Of these Metaflow's reader takes no notice: the validator has to.
            if (problem != Problem::target_not_of_self && problem != Problem::foreach_not_literal) {
                return Kind::invalid;
            }
        }
        if (out_.condition) {
            return Kind::switch_;
        }
        if (out_.foreach || out_.num_parallel) {
            return out_.targets.size() != 1 ? Kind::invalid
                   : out_.foreach           ? Kind::foreach
                                            : Kind::num_parallel;
        }
        return out_.targets.size() == 1 ? Kind::linear : Kind::split;
    }

    const Names& names_;
    const Tree& tree_;
    std::string_view self_;
    Transition out_;
};

/// Walks over a function, and knows what is around.
class Calls {
  public:
    using Where = NextCall::Where;

    Calls(const Names& names, std::string_view self) : names_(names), tree_(names.tree()), self_(self) {}

    std::vector<NextCall> run(NodeId function) {
        const auto body = tree_.group(function, 4);
        for (std::size_t i = 0; i < body.size(); ++i) {
            visit(body[i], i + 1 == body.size() ? Where::last : Where::not_last);
        }
        std::sort(found_.begin(), found_.end(), [](const NextCall& a, const NextCall& b) {
            const Place& left = a.transition.place;
            const Place& right = b.transition.place;
            return std::pair(left.line, left.column) < std::pair(right.line, right.column);
        });
        return std::move(found_);
    }

  private:
    bool is_next(NodeId id) const {
        if (!tree_.is(id, Kind::call)) {
            return false;
        }
        const NodeId callee = tree_.child(id, 0);
        return tree_.is(callee, Kind::attribute) && tree_[callee].text == "next" &&
               tree_.is(tree_.child(callee, 0), Kind::name) && tree_[tree_.child(callee, 0)].text == self_;
    }

    /// What `id` is to the statements in it.
    Where inside(NodeId id, Where where) const {
        switch (tree_[id].kind) {
            case Kind::if_:
                return Where::in_if;
            case Kind::for_:
            case Kind::while_:
                return Where::in_loop;
            case Kind::try_:
                return Where::in_try;
            case Kind::with_:
                return Where::in_with;
            case Kind::match:
                return Where::in_match;
            case Kind::function_def:
            case Kind::class_def:
            case Kind::lambda:
                return Where::in_function;
            default:
                return where;
        }
    }

    void visit(NodeId id, Where where) {
        if (id == k_no_node) {
            return;
        }
        if (is_next(id)) {
            found_.push_back(
                {where == Where::last ? Where::in_expression : where, read_transition(names_, id, self_)});
        } else if (tree_.is(id, Kind::expression_statement) && is_next(tree_.child(id, 0))) {
            found_.push_back({where, read_transition(names_, tree_.child(id, 0), self_)});
            return;
        }
        const bool block = tree_[id].kind <= Kind::continue_;
        for (const NodeId child : tree_.children(id)) {
            const bool expression = child != k_no_node && tree_[child].kind > Kind::continue_;
            const Where below = inside(id, where);
            const bool plain = below == Where::last || below == Where::not_last;
            visit(child, block && expression && plain ? Where::in_expression : below);
        }
    }

    const Names& names_;
    const Tree& tree_;
    std::string_view self_;
    std::vector<NextCall> found_;
};

}  // namespace

Transition read_transition(const Names& names, NodeId call, std::string_view self) {
    return Reader(names, self).run(call);
}

std::vector<NextCall> read_next_calls(const Names& names, NodeId function, std::string_view self) {
    return Calls(names, self).run(function);
}

}  // namespace amp::python
