#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/python/literal.hpp"
#include "core/python/python_flow.hpp"
#include "core/python/source_text.hpp"
#include "core/python/tree.hpp"

namespace amp::python {

/// A file and what its names mean at the top level: the ground that all parts of the reader stand on.
class Names {
  public:
    Names(const SourceText& source, const Tree& tree);

    const Tree& tree() const { return tree_; }
    const SourceText& source() const { return source_; }

    Place place(NodeId id) const { return source_.place(tree_[id].begin, tree_[id].end); }
    /// Of a text of the file, such as the name of a class.
    Place place(std::string_view text) const;
    std::string text(NodeId id) const { return std::string(source_.slice(tree_[id].begin, tree_[id].end)); }
    /// The same for messages: in quotes, and cut where it is long.
    std::string quoted(NodeId id) const;

    /// What `x` or `x.y.z` stands for.
    Origin origin(NodeId expression) const { return origin(expression, 0); }
    SourceValue value(NodeId expression) const;
    Arguments arguments(std::span<const NodeId> given) const;

    /// `from X import *`, but for metaflow, whose names are known.
    const std::vector<NodeId>& star_imports() const { return star_imports_; }
    /// The function of this file's top level that has the name, or k_no_node.
    NodeId function(std::string_view name) const;
    /// What a name of the top level is given, if by one statement alone; else k_no_node.
    NodeId assigned(std::string_view name) const;
    /// The names of `x.y.z`; empty when it is no such chain. The first is a plain name.
    std::vector<std::string_view> chain(NodeId expression) const;

  private:
    struct Binding {
        Origin origin;
        bool sure = true;  ///< no other statement gives it another meaning
    };
    Origin origin(NodeId expression, int renamed) const;
    void scan(std::span<const NodeId> statements);
    void statement(NodeId id);
    void bind(std::string_view name, Origin origin);
    void bind_target(NodeId target);
    void find_constants();
    void count_targets(NodeId target);
    void import(NodeId id);
    void import_from(NodeId id);

    const SourceText& source_;
    const Tree& tree_;
    std::unordered_map<std::string_view, Binding> bindings_;
    std::unordered_map<std::string_view, NodeId> functions_;
    std::unordered_map<std::string_view, std::size_t> times_bound_;  ///< in the whole file
    std::unordered_map<std::string_view, NodeId> assigned_;          ///< those that are bound once
    Constants constants_;
    std::vector<NodeId> star_imports_;
    bool metaflow_star_ = false;
};

/// Whether metaflow has the public name (facts 1.10, and the decorators that extensions add).
bool is_metaflow_name(std::string_view name);

}  // namespace amp::python
