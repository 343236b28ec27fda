#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/python/names.hpp"

namespace amp::python {

/// What is bound to a name in the body of a class.
struct Member {
    std::string_view name;
    NodeId node = k_no_node;   ///< a function_def, class_def, assign or ann_assign
    NodeId value = k_no_node;  ///< of an assignment that has just this target
    bool conditional = false;  ///< within an `if`, a loop, a `try`
};

/// A class of the file's top level.
struct ClassInfo {
    std::string_view name;
    NodeId node = k_no_node;
    std::vector<FlowBase> bases;
    std::vector<std::size_t> local_bases;  ///< those that are classes of the file
    bool from_flowspec = false;            ///< FlowSpec of metaflow is among what it is made of
    bool from_elsewhere = false;           ///< a class of another module is
    std::vector<Member> members;           ///< the last of each name, in the order of the text
    std::unordered_map<std::string_view, std::size_t> member_index;

    const Member* find(std::string_view member) const;
};

/// The classes of a file, and Python's order of looking up names in them.
class Classes {
  public:
    explicit Classes(const Names& names);

    const std::vector<ClassInfo>& all() const { return classes_; }
    /// The last class of that name.
    std::optional<std::size_t> find(std::string_view name) const;
    /// The classes of the file that `index` is made of, itself first, in Python's order (C3). nullopt where
    /// Python would refuse the bases, and where they are absurdly many.
    std::optional<std::vector<std::size_t>> order(std::size_t index) const;

  private:
    void collect(std::span<const NodeId> statements, std::vector<NodeId>& out) const;
    void add(NodeId node);
    void resolve_bases(ClassInfo& info);
    void add_members(ClassInfo& info, std::span<const NodeId> statements, bool conditional);
    void add_member(ClassInfo& info, Member member);
    void add_targets(ClassInfo& info, NodeId statement, bool conditional);

    /// `index` and all classes of the file that it derives from, bases first.
    std::vector<std::size_t> ancestry(std::size_t index) const;

    const Names& names_;
    std::vector<ClassInfo> classes_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace amp::python
