#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

/// What stands between `for` and `in`, behind `del`: one target, or several that are a tuple.
NodeId Parser::targets() {
    const std::uint32_t from = begin();
    NodeIds all;
    bool is_tuple = false;
    do {
        if (!all.empty() && !starts_expression() && !at(TokenKind::star)) {
            break;
        }
        const std::uint32_t star = begin();
        if (accept(TokenKind::star)) {
            const NodeId value = binary(0);
            all.push_back(add(Kind::starred, star, {value}));
        } else {
            all.push_back(binary(0));
        }
        is_tuple = is_tuple || at(TokenKind::comma);
    } while (accept(TokenKind::comma));
    return is_tuple ? add(Kind::tuple, from, all) : all.front();
}

void Parser::check_target(NodeId target, Use use) {
    const Deeper deeper(*this);
    const Node& it = node(target);
    switch (it.kind) {
        case Kind::name:
        case Kind::attribute:
        case Kind::subscript:
            return;
        case Kind::starred:
            if (use == Use::delete_ || use == Use::augment) {
                break;
            }
            check_target(tree_.child(target, 0), use);
            return;
        case Kind::list:
        case Kind::tuple:
            if (use == Use::augment) {
                break;
            }
            for (std::size_t i = 0; i < tree_.children(target).size(); ++i) {
                check_target(tree_.child(target, i), use);
            }
            return;
        default:
            break;
    }
    const std::string_view what = describe(it);
    const bool constant = it.kind == Kind::none || it.kind == Kind::true_ || it.kind == Kind::false_;
    switch (use) {
        case Use::delete_:
            fail_at(target, fmt::format("cannot delete {}", what));
        case Use::augment:
            fail_at(target, fmt::format("'{}' is an illegal expression for augmented assignment", what));
        case Use::loop:
            fail_at(target, fmt::format("cannot assign to {}", what));
        case Use::assign:
            fail_at(target,
                    constant ? fmt::format("cannot assign to {}", what)
                             : fmt::format("cannot assign to {} here. Maybe you meant '==' instead of '='?",
                                           what));
    }
}

}  // namespace amp::python
