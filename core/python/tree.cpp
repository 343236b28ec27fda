#include "core/python/tree.hpp"

#include <algorithm>

namespace amp::python {

NodeId Tree::add(Node node, std::span<const NodeId> children) {
    node.first_child = static_cast<std::uint32_t>(children_.size());
    node.child_count = static_cast<std::uint32_t>(children.size());
    std::uint16_t below = 0;
    for (const NodeId child : children) {
        children_.push_back(child);
        below = std::max(below, nodes_[child].depth);
    }
    node.depth = static_cast<std::uint16_t>(below + 1);
    nodes_.push_back(node);
    return static_cast<NodeId>(nodes_.size() - 1);
}

std::string_view Tree::keep(std::string text) {
    return texts_.emplace_back(std::move(text));
}

}  // namespace amp::python
