#include "core/python/literal.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "core/base/text.hpp"

namespace amp::python {
namespace {

std::string without_underscores(std::string_view text) {
    std::string plain;
    for (const char c : text) {
        if (c != '_') {
            plain.push_back(c);
        }
    }
    return plain;
}

std::optional<Value> integer(std::string_view written) {
    const std::string digits = without_underscores(written);
    const char second = digits.size() > 1 ? static_cast<char>(digits[1] | 0x20) : '0';
    const int base = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 10;
    const char* const begin = digits.data() + (base == 10 ? 0 : 2);
    const char* const end = digits.data() + digits.size();
    std::int64_t value = 0;
    const auto result = std::from_chars(begin, end, value, base);
    return result.ec == std::errc() && result.ptr == end ? std::optional(Value(value)) : std::nullopt;
}

std::optional<Value> floating(std::string_view written) {
    const std::string digits = without_underscores(written);
    double value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return result.ec == std::errc() ? std::optional(Value(value)) : std::nullopt;
}

std::optional<Value> of_integers(Operator op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    switch (op) {
        case Operator::add:
            return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(Value(out));
        case Operator::subtract:
            return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(Value(out));
        case Operator::multiply:
            return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(Value(out));
        case Operator::divide:
            return b == 0 ? std::nullopt
                          : std::optional(Value(static_cast<double>(a) / static_cast<double>(b)));
        case Operator::floor_divide:  // of positive numbers: the others round in a way of their own
            return a < 0 || b <= 0 ? std::nullopt : std::optional(Value(a / b));
        case Operator::power:
            if (b < 0 || b > 63) {
                return std::nullopt;
            }
            out = 1;
            for (std::int64_t i = 0; i < b; ++i) {
                if (__builtin_mul_overflow(out, a, &out)) {
                    return std::nullopt;
                }
            }
            return Value(out);
        case Operator::left_shift:
            return a < 0 || b < 0 || b > 62 || a > (INT64_MAX >> b) ? std::nullopt
                                                                    : std::optional(Value(a << b));
        default:
            return std::nullopt;
    }
}

std::optional<Value> of_floats(Operator op, double a, double b) {
    switch (op) {
        case Operator::add:
            return Value(a + b);
        case Operator::subtract:
            return Value(a - b);
        case Operator::multiply:
            return Value(a * b);
        case Operator::divide:
            return b == 0 ? std::nullopt : std::optional(Value(a / b));
        default:
            return std::nullopt;
    }
}

std::optional<Value> binary(const Tree& tree, NodeId id, const Constants& constants) {
    const auto left = literal_value(tree, tree.child(id, 0), constants);
    const auto right = left ? literal_value(tree, tree.child(id, 1), constants) : std::nullopt;
    if (!right) {
        return std::nullopt;
    }
    const Operator op = tree[id].op;
    if (left->is_int() && right->is_int()) {
        return of_integers(op, left->as_int(), right->as_int());
    }
    if (left->is_number() && right->is_number()) {
        return of_floats(op, left->as_float(), right->as_float());
    }
    if (left->is_string() && right->is_string() && op == Operator::add) {
        return Value(left->as_string() + right->as_string());
    }
    return std::nullopt;
}

std::optional<Value> unary(const Tree& tree, NodeId id, const Constants& constants) {
    const auto operand = literal_value(tree, tree.child(id, 0), constants);
    if (!operand) {
        return std::nullopt;
    }
    switch (tree[id].op) {
        case Operator::negative:
            if (operand->is_int()) {
                return Value(-operand->as_int());  // a literal is never the least one
            }
            return operand->is_float() ? std::optional(Value(-operand->as_float())) : std::nullopt;
        case Operator::positive:
            return operand->is_number() ? operand : std::nullopt;
        case Operator::not_:
            return operand->is_bool() ? std::optional(Value(!operand->as_bool())) : std::nullopt;
        default:
            return std::nullopt;
    }
}

std::optional<Value> list(const Tree& tree, NodeId id, const Constants& constants) {
    List out;
    for (const NodeId child : tree.children(id)) {
        auto value = literal_value(tree, child, constants);
        if (!value) {
            return std::nullopt;
        }
        out.push_back(std::move(*value));
    }
    return Value(std::move(out));
}

std::optional<Value> dict(const Tree& tree, NodeId id, const Constants& constants) {
    Object out;
    const auto children = tree.children(id);
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
        const auto key =
            children[i] == k_no_node ? std::nullopt : literal_value(tree, children[i], constants);
        auto value = literal_value(tree, children[i + 1], constants);
        if (!key || !key->is_string() || !value) {
            return std::nullopt;
        }
        out.insert_or_assign(key->as_string(), std::move(*value));
    }
    return Value(std::move(out));
}

}  // namespace

std::optional<Value> literal_value(const Tree& tree, NodeId id, const Constants& constants) {
    const Node& node = tree[id];
    switch (node.kind) {
        case Kind::name: {
            const auto found = constants.find(node.text);
            return found == constants.end() ? std::nullopt : std::optional(found->second);
        }
        case Kind::none:
            return Value();
        case Kind::true_:
            return Value(true);
        case Kind::false_:
            return Value(false);
        case Kind::integer:
            return integer(node.text);
        case Kind::floating:
            return floating(node.text);
        case Kind::string:  // lone surrogates are no UTF-8
            return node.flag || !is_utf8(node.text) ? std::nullopt : std::optional(Value(node.text));
        case Kind::list:
        case Kind::tuple:
            return list(tree, id, constants);
        case Kind::dict:
            return dict(tree, id, constants);
        case Kind::unary:
            return unary(tree, id, constants);
        case Kind::binary:
            return binary(tree, id, constants);
        case Kind::joined_string:  // without anything to compute
            return tree.children(id).empty()       ? std::optional(Value(""))
                   : tree.children(id).size() == 1 ? (tree[tree.child(id, 0)].kind == Kind::string
                                                          ? literal_value(tree, tree.child(id, 0), constants)
                                                          : std::nullopt)
                                                   : std::nullopt;
        default:
            return std::nullopt;
    }
}

}  // namespace amp::python
