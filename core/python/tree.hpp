#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amp::python {

/// What a node is, and its children in order. `x?` may be absent (k_no_node); `[x]` is one `group` node with
/// any number of children; `x...` takes the rest. `text` is the node's own.
enum class Kind : std::uint8_t {
    group,   ///< a list of nodes that belongs to its parent
    module,  ///< statement...

    // Statements.
    function_def,    ///< [decorator] [type parameter] parameters returns? [statement]; text: name
    class_def,       ///< [decorator] [type parameter] [argument] [statement]; text: name
    return_,         ///< value?
    delete_,         ///< target...
    assign,          ///< value, target...
    type_alias,      ///< [type parameter] value; text: name
    aug_assign,      ///< target value; op
    ann_assign,      ///< target annotation value?; flag: the target is a name without parentheses
    for_,            ///< target iterable [statement] [else statement]; flag: async
    while_,          ///< test [statement] [else statement]
    if_,             ///< [else statement], branch...
    branch,          ///< test [statement]: an `if` or `elif`
    with_,           ///< [with_item] [statement]; flag: async
    with_item,       ///< context target?
    match,           ///< subject, match_case...
    match_case,      ///< pattern guard? [statement]
    raise,           ///< exception? cause?
    try_,            ///< [statement] [except_handler] [else statement] [finally statement]; flag: except*
    except_handler,  ///< type? [statement]; text: name, or empty
    assert_,         ///< test message?
    import_,         ///< alias...
    import_from,     ///< alias...; text: module, perhaps empty; number: leading dots
    alias,           ///< name? (behind `as`); text: dotted name, or "*"
    global_,         ///< name...
    nonlocal_,       ///< name...
    expression_statement,  ///< value
    pass,
    break_,
    continue_,

    // Expressions.
    bool_op,        ///< operand...; op: and, or
    named,          ///< name value: `x := y`
    binary,         ///< left right; op
    unary,          ///< operand; op
    lambda,         ///< parameters body
    conditional,    ///< test body orelse
    dict,           ///< key? value... in pairs; without a key: `**value`
    set,            ///< element...
    list_comp,      ///< element, comprehension...
    set_comp,       ///< element, comprehension...
    generator,      ///< element, comprehension...
    dict_comp,      ///< key value, comprehension...
    comprehension,  ///< target iterable, condition...; flag: async
    await,          ///< value
    yield,          ///< value?
    yield_from,     ///< value
    compare,        ///< left, comparator...
    comparator,     ///< operand; op
    call,           ///< callee, argument... (expression, starred, keyword)
    keyword,        ///< value; text: name, empty for `**value`
    joined_string,  ///< (string, formatted)...: an f-string
    formatted,      ///< value format?; number: the letter of the conversion, or 0
    integer,        ///< text: as written
    floating,       ///< text: as written
    imaginary,      ///< text: as written
    string,         ///< text: its value; flag: with \N{…} not decoded
    bytes,          ///< text: its value
    true_,
    false_,
    none,
    ellipsis,
    attribute,  ///< value; text: name
    subscript,  ///< value index
    starred,    ///< value
    name,       ///< text
    list,       ///< element...
    tuple,      ///< element...
    slice,      ///< lower? upper? step?

    // Parts of functions and types.
    parameters,      ///< parameter...
    parameter,       ///< annotation? default?; text: name; number: a ParameterKind
    type_var,        ///< bound? default?; text: name
    param_spec,      ///< default?; text: name
    type_var_tuple,  ///< default?; text: name

    // Patterns.
    match_value,      ///< value
    match_singleton,  ///< None, True or False
    match_sequence,   ///< pattern...
    match_mapping,    ///< key pattern... in pairs; text: name of the rest, or empty
    match_class,      ///< class, pattern..., keyword... (whose values are patterns)
    match_star,       ///< text: name, empty for `_`
    match_as,         ///< pattern?; text: name, empty for `_`
    match_or,         ///< pattern...
};

enum class ParameterKind : std::uint8_t {
    positional_only,
    positional,
    var_positional,
    keyword_only,
    var_keyword
};

enum class Operator : std::uint8_t {
    none,
    and_,
    or_,
    add,
    subtract,
    multiply,
    matrix_multiply,
    divide,
    modulo,
    power,
    left_shift,
    right_shift,
    bit_or,
    bit_xor,
    bit_and,
    floor_divide,
    invert,
    not_,
    positive,
    negative,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    is,
    is_not,
    in,
    not_in,
};

using NodeId = std::uint32_t;
constexpr NodeId k_no_node = 0;

struct Node {
    Kind kind = Kind::group;
    Operator op = Operator::none;
    bool flag = false;
    std::uint16_t depth = 0;   ///< of the tree below
    std::uint32_t number = 0;  ///< the node's kind says what
    std::uint32_t begin = 0;   ///< bytes from the start of the file
    std::uint32_t end = 0;
    std::uint32_t first_child = 0;
    std::uint32_t child_count = 0;
    std::string_view text;
};

/// A parsed file. Nodes are numbered so that children come before their parents.
class Tree {
  public:
    Tree() : nodes_(1) {}
    // Texts of nodes point into it.
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    Tree(Tree&&) = default;
    Tree& operator=(Tree&&) = default;
    ~Tree() = default;

    NodeId root() const { return root_; }
    const Node& operator[](NodeId id) const { return nodes_[id]; }
    std::span<const NodeId> children(NodeId id) const {
        return std::span(children_).subspan(nodes_[id].first_child, nodes_[id].child_count);
    }
    /// k_no_node when it is absent.
    NodeId child(NodeId id, std::size_t index) const {
        return index < nodes_[id].child_count ? children_[nodes_[id].first_child + index] : k_no_node;
    }
    /// The children of the group that is child `index`.
    std::span<const NodeId> group(NodeId id, std::size_t index) const { return children(child(id, index)); }
    bool is(NodeId id, Kind kind) const { return id != k_no_node && nodes_[id].kind == kind; }
    std::size_t size() const { return nodes_.size(); }

    // Building.
    NodeId add(Node node, std::span<const NodeId> children);
    NodeId add(Node node, std::initializer_list<NodeId> children) {
        return add(node, std::span(children.begin(), children.size()));
    }
    Node& edit(NodeId id) { return nodes_[id]; }
    void set_root(NodeId root) { root_ = root; }
    /// Keeps a text that is none of the file's.
    std::string_view keep(std::string text);

  private:
    std::vector<Node> nodes_;
    std::vector<NodeId> children_;
    std::deque<std::string> texts_;
    NodeId root_ = k_no_node;
};

}  // namespace amp::python
