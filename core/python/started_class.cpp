#include "core/python/started_class.hpp"

#include <algorithm>
#include <unordered_set>

namespace amp::python {
namespace {

class Starts {
  public:
    Starts(const Names& names, const Classes& classes)
        : names_(names), tree_(names.tree()), classes_(classes) {}

    std::vector<std::size_t> run() {
        block(tree_.children(tree_.root()));
        return std::move(found_);
    }

  private:
    void block(std::span<const NodeId> statements) {
        for (const NodeId id : statements) {
            visit(id);
        }
    }

    /// `__name__ != "__main__"` says what does not happen; of all other conditions either may hold.
    bool happens(NodeId test) const {
        if (!tree_.is(test, Kind::compare) || tree_.children(test).size() != 2) {
            return true;
        }
        const NodeId other = tree_.child(test, 1);
        const auto is_name = [&](NodeId id) {
            return tree_.is(id, Kind::name) && tree_[id].text == "__name__";
        };
        return tree_[other].op != Operator::not_equal ||
               (!is_name(tree_.child(test, 0)) && !is_name(tree_.child(other, 0)));
    }

    void visit(NodeId id) {
        if (id == k_no_node) {
            return;
        }
        switch (tree_[id].kind) {
            case Kind::function_def:
            case Kind::class_def:
            case Kind::lambda:
                return;  // what happens when they are called
            case Kind::branch:
                if (happens(tree_.child(id, 0))) {
                    block(tree_.group(id, 1));
                }
                return;
            case Kind::call:
                call(id);
                break;
            default:
                break;
        }
        block(tree_.children(id));
    }

    void call(NodeId id) {
        const NodeId callee = tree_.child(id, 0);
        if (!tree_.is(callee, Kind::name)) {
            return;
        }
        const std::string_view name = tree_[callee].text;
        if (const auto index = classes_.find(name)) {
            if (!only_builds(id) && std::find(found_.begin(), found_.end(), *index) == found_.end()) {
                found_.push_back(*index);
            }
        } else if (const NodeId function = names_.function(name);
                   function != k_no_node && entered_.insert(function).second) {
            block(tree_.group(function, 4));
        }
    }

    /// F(use_cli=False) makes the object, and runs nothing.
    bool only_builds(NodeId call) const {
        for (const NodeId argument : tree_.children(call).subspan(1)) {
            if (tree_.is(argument, Kind::keyword) && tree_[argument].text == "use_cli" &&
                tree_.is(tree_.child(argument, 0), Kind::false_)) {
                return true;
            }
        }
        return false;
    }

    const Names& names_;
    const Tree& tree_;
    const Classes& classes_;
    std::unordered_set<NodeId> entered_;
    std::vector<std::size_t> found_;
};

}  // namespace

std::vector<std::size_t> started_classes(const Names& names, const Classes& classes) {
    return Starts(names, classes).run();
}

}  // namespace amp::python
