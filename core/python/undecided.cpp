#include "core/python/undecided.hpp"

#include <algorithm>

namespace amp::python {
namespace {

class Search {
  public:
    Search(const Methods& methods, std::vector<Undecided>& out)
        : methods_(methods), names_(methods.names()), tree_(names_.tree()), out_(out) {}

    void run() {
        for (std::size_t i = 0; i < methods_.order().size(); ++i) {
            class_statement(methods_.at(i));
        }
        for (const NodeId id : tree_.children(tree_.root())) {
            outside(id);
        }
    }

  private:
    using About = Undecided::About;

    void add(About about, NodeId at, std::string reason) {
        out_.push_back({about, names_.place(at), std::move(reason), {}});
    }
    void add(About about, Place place, std::string reason) {
        out_.push_back({about, place, std::move(reason), {}});
    }

    void class_statement(const ClassInfo& info) {
        const std::string name(info.name);
        for (const NodeId base : tree_.group(info.node, 2)) {
            if (tree_.is(base, Kind::keyword) && tree_[base].text != "total") {
                add(About::steps, base,
                    tree_[base].text == "metaclass"
                        ? "the class '" + name + "' has a metaclass, which may change it"
                        : names_.quoted(base) + " is given to what makes the class '" + name + "'");
            }
        }
        for (const FlowBase& base : info.bases) {
            const Origin& from = base.origin;
            const bool local =
                from.kind == Origin::Kind::defined && methods_.classes().find(from.name).has_value();
            const bool known = local || from.from_metaflow() || from.kind == Origin::Kind::builtin ||
                               from.module == "abc" || from.module == "typing";
            if (known) {
                continue;
            }
            if (from.kind == Origin::Kind::imported) {
                add(About::steps, base.place,
                    "the base class '" + base.name + "' is written in another module, '" + from.module + "'");
            } else if (!names_.star_imports().empty()) {
                add(About::steps, base.place,
                    "the base class '" + base.name + "' seems to come from 'from " + star_module() +
                        " import *'");
            } else {
                add(About::steps, base.place, "the base class '" + base.name + "' is computed");
            }
        }
        for (const NodeId id : tree_.group(info.node, 3)) {
            body(id);
        }
    }

    std::string star_module() const {
        const Node& it = tree_[names_.star_imports().front()];
        return std::string(it.number, '.').append(it.text);
    }

    /// A statement of the class's body: what is called there may make steps.
    void body(NodeId id) {
        if (id == k_no_node) {
            return;
        }
        const Node& it = tree_[id];
        if (it.kind == Kind::function_def || it.kind == Kind::class_def || it.kind == Kind::lambda) {
            return;
        }
        if (it.kind == Kind::call && tree_.is(tree_.child(id, 0), Kind::name)) {
            const std::string_view name = tree_[tree_.child(id, 0)].text;
            if (name == "locals" || name == "vars" || name == "exec" || name == "globals" ||
                name == "setattr") {
                add(About::steps, id,
                    "'" + std::string(name) + "' in the body of the class may make steps and parameters");
                return;
            }
        }
        for (const NodeId child : tree_.children(id)) {
            body(child);
        }
    }

    bool is_of_flow(NodeId id) const {
        if (!tree_.is(id, Kind::name)) {
            return false;
        }
        const auto& order = methods_.order();
        return std::any_of(order.begin(), order.end(), [&](std::size_t index) {
            return methods_.classes().all()[index].name == tree_[id].text;
        });
    }

    /// Code outside of the class that changes it: `F.x = …`, `setattr(F, …)`, `F = deco(F)`.
    void outside(NodeId id) {
        if (id == k_no_node) {
            return;
        }
        const Node& it = tree_[id];
        switch (it.kind) {
            case Kind::function_def:
            case Kind::class_def:
            case Kind::lambda:
                return;
            case Kind::assign:
                for (const NodeId target : tree_.children(id).subspan(1)) {
                    if (is_of_flow(target) ||
                        (tree_.is(target, Kind::attribute) && is_of_flow(tree_.child(target, 0)))) {
                        add(About::steps, target, names_.quoted(target) + " is set outside of the class");
                    }
                }
                break;
            case Kind::call:
                if (const NodeId callee = tree_.child(id, 0);
                    tree_.is(callee, Kind::name) &&
                    (tree_[callee].text == "setattr" || tree_[callee].text == "delattr") &&
                    is_of_flow(tree_.child(id, 1))) {
                    add(About::steps, id,
                        "'" + std::string(tree_[callee].text) + "' changes the class outside of it");
                }
                break;
            default:
                break;
        }
        for (const NodeId child : tree_.children(id)) {
            outside(child);
        }
    }

    const Methods& methods_;
    const Names& names_;
    const Tree& tree_;
    std::vector<Undecided>& out_;
};

}  // namespace

void find_undecided(const Methods& methods, std::vector<Undecided>& out) {
    Search(methods, out).run();
}

}  // namespace amp::python
