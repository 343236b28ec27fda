#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/python/source_text.hpp"
#include "core/python/tree.hpp"

namespace amp::python {

/// The tree as one line of text, which python_trees.py makes of CPython's `ast` too. Without places (if
/// asked) it is short enough for tests.
std::string dump_tree(const SourceText& source, const Tree& tree, bool places = true);

/// Of dump_tree: a function for each form that nodes have.
class Dumper {
  public:
    Dumper(const SourceText& source, const Tree& tree, bool places)
        : source_(source), tree_(tree), no_places_(places ? 0 : 1) {}

    std::string run() {
        all(tree_.children(tree_.root()));
        return std::move(out_);
    }

  private:
    void put(std::string_view text) { out_.append(text); }
    void name(std::string_view text) {
        put(",");
        put(text.empty() ? "-" : text);
    }

    void place(NodeId id) { place(tree_[id].begin, tree_[id].end); }
    void place(std::uint32_t begin, std::uint32_t end);

    void open(std::string_view word, NodeId id) {
        put(word);
        place(id);
        put("(");
    }
    void close() { put(")"); }

    void optional(NodeId id) {
        if (id == k_no_node) {
            put("-");
        } else {
            node(id);
        }
    }
    void field(NodeId id) {
        put(",");
        optional(id);
    }
    void all(std::span<const NodeId> nodes) {
        put("[");
        for (const NodeId id : nodes) {
            optional(id);
            put(";");
        }
        put("]");
    }
    void list(std::span<const NodeId> nodes) {
        put(",");
        all(nodes);
    }
    /// Every second child, from `first`.
    void every_second(NodeId id, std::size_t first) {
        std::vector<NodeId> some;
        for (std::size_t i = first; i < tree_.children(id).size(); i += 2) {
            some.push_back(tree_.child(id, i));
        }
        list(some);
    }
    void words(NodeId id) {
        put(",[");
        for (const NodeId child : tree_.children(id)) {
            put(tree_[child].text);
            put(";");
        }
        put("]");
    }

    void quoted(char letter, std::string_view text);

    void number(NodeId id);

    void constant(NodeId id);

    void parameters(NodeId id);

    /// Positional and keyword arguments, apart.
    void arguments(std::span<const NodeId> given);

    void if_from(NodeId id, std::size_t branch);

    void compare(NodeId id);

    void match_class(NodeId id);

    void node(NodeId id);
    void statement(NodeId id);
    void small_statement(NodeId id);
    void access(NodeId id);
    void comprehension(NodeId id);
    static std::string_view operator_name(Operator op);
    void definition(NodeId id);
    void expression(NodeId id);
    void pattern(NodeId id);
    /// `word(child,child,…)`: for what has the same fields in the same order.
    void plain(std::string_view word, NodeId id, std::size_t fields) {
        open(word, id);
        for (std::size_t i = 0; i < fields; ++i) {
            const NodeId child = tree_.child(id, i);
            if (tree_.is(child, Kind::group)) {
                list(tree_.children(child));
            } else {
                field(child);
            }
        }
        close();
    }

    const SourceText& source_;
    const Tree& tree_;
    std::string out_;
    int no_places_ = 0;  ///< how many f-strings are around: CPython 3.11 is unsure of places there
};

}  // namespace amp::python
