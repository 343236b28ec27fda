#include <algorithm>

#include "core/python/parser_state.hpp"

namespace amp::python {

NodeId Parser::decorated() {
    NodeIds decorators;
    while (accept(TokenKind::at)) {
        decorators.push_back(named_expression());
        expect(TokenKind::newline);
    }
    const std::uint32_t from = begin();
    if (at(TokenKind::kw_class)) {
        return class_definition(std::move(decorators));
    }
    const bool async = accept(TokenKind::kw_async);
    if (!at(TokenKind::kw_def)) {
        fail_syntax();
    }
    return function(from, std::move(decorators), async);
}

NodeId Parser::function(std::uint32_t from, NodeIds decorators, bool async) {
    const NodeId all = group(decorators);
    const std::uint32_t line = source_.line_of(begin());
    expect(TokenKind::kw_def);
    const std::string_view name = expect_name();
    const NodeId types = type_parameters();
    if (!accept(TokenKind::left_paren)) {
        if (at(TokenKind::error)) {
            fail_syntax();
        }
        fail("expected '('");
    }
    const NodeId params = parameters(TokenKind::right_paren, true);
    expect(TokenKind::right_paren);
    const NodeId returns = accept(TokenKind::arrow) ? expression() : k_no_node;
    expect_colon();
    const NodeId body = block("function definition", line);
    return add(Kind::function_def, from, {all, types, params, returns, body}, {.text = name, .flag = async});
}

NodeId Parser::class_definition(NodeIds decorators) {
    const std::uint32_t from = begin();
    const NodeId all = group(decorators);
    expect(TokenKind::kw_class);
    const std::string_view name = expect_name();
    const NodeId types = type_parameters();
    NodeIds bases;
    if (const std::uint32_t open = begin(); accept(TokenKind::left_paren)) {
        arguments(bases, open);
    }
    const NodeId base_group = group(bases);
    expect_colon();
    const NodeId body = block("class definition", source_.line_of(from));
    return add(Kind::class_def, from, {all, types, base_group, body}, {.text = name});
}

NodeId Parser::type_parameters() {
    NodeIds all;
    if (accept(TokenKind::left_bracket)) {
        do {
            if (!all.empty() && at(TokenKind::right_bracket)) {
                break;
            }
            all.push_back(type_parameter());
        } while (accept(TokenKind::comma));
        expect(TokenKind::right_bracket);
    }
    return group(all);
}

NodeId Parser::type_parameter() {
    const std::uint32_t from = begin();
    const Kind what = accept(TokenKind::star)          ? Kind::type_var_tuple
                      : accept(TokenKind::double_star) ? Kind::param_spec
                                                       : Kind::type_var;
    const std::string_view name = expect_name();
    NodeId bound = k_no_node;
    if (what == Kind::type_var && accept(TokenKind::colon)) {
        bound = expression();
    }
    NodeId fallback = k_no_node;
    if (accept(TokenKind::assign)) {
        fallback = what == Kind::type_var_tuple ? star_expression(false) : expression();
    }
    return what == Kind::type_var ? add(what, from, {bound, fallback}, {.text = name})
                                  : add(what, from, {fallback}, {.text = name});
}

/// Up to `close`, which is left: `)` of a function, `:` of a lambda, whose parameters have no types.
NodeId Parser::parameters(TokenKind close, bool annotated) {
    const std::uint32_t from = begin();
    NodeIds all;
    ParameterKind mode = ParameterKind::positional;
    while (!at(close)) {
        if (at(TokenKind::slash)) {
            slash_parameter(all, mode);
        } else {
            parameter(all, mode, annotated);
        }
        if (!accept(TokenKind::comma) && !at(close)) {
            if (at(TokenKind::error) || lexed_.open_bracket || !starts_expression()) {
                fail_syntax();
            }
            fail("invalid syntax. Perhaps you forgot a comma?");
        }
    }
    check_parameters(all);
    return add(Kind::parameters, from, all);
}

/// Those before `/` are given by position alone.
void Parser::slash_parameter(NodeIds& out, ParameterKind mode) {
    const bool second = std::any_of(out.begin(), out.end(), [&](NodeId id) {
        return node(id).number == static_cast<std::uint32_t>(ParameterKind::positional_only);
    });
    if (second) {
        fail("/ may appear only once");
    }
    if (mode != ParameterKind::positional) {
        fail("/ must be ahead of *");
    }
    if (out.empty()) {
        fail("at least one argument must precede /");
    }
    ++position_;
    for (const NodeId id : out) {
        tree_.edit(id).number = static_cast<std::uint32_t>(ParameterKind::positional_only);
    }
}

/// `mode` is what a plain name is here: positional, or keyword_only behind a star; var_keyword behind `**x`.
void Parser::parameter(NodeIds& out, ParameterKind& mode, bool annotated) {
    if (mode == ParameterKind::var_keyword) {
        fail("arguments cannot follow var-keyword argument");
    }
    if (at(TokenKind::star)) {
        if (const NodeId made = star_parameter(mode, annotated); made != k_no_node) {
            out.push_back(made);
        }
        return;
    }
    const bool rest = accept(TokenKind::double_star);
    if (rest) {
        mode = ParameterKind::var_keyword;
    }
    const std::uint32_t from = begin();
    const std::string_view name = expect_name();
    const NodeId annotation = annotated && accept(TokenKind::colon) ? expression() : k_no_node;
    const std::uint32_t name_end = last_end();
    NodeId fallback = k_no_node;
    if (at(TokenKind::assign)) {
        if (rest) {
            fail("var-keyword argument cannot have default value");
        }
        ++position_;
        if (at(TokenKind::right_paren) || at(TokenKind::comma)) {
            fail("expected default value expression");
        }
        fallback = expression();
    }
    const NodeId made = add(Kind::parameter, from, {annotation, fallback},
                            {.text = name, .number = static_cast<std::uint32_t>(mode)});
    tree_.edit(made).end = name_end;
    out.push_back(made);
}

/// `*name`, or a bare `*`, which is no parameter itself.
NodeId Parser::star_parameter(ParameterKind& mode, bool annotated) {
    if (mode == ParameterKind::keyword_only) {
        fail("* argument may appear only once");
    }
    ++position_;
    mode = ParameterKind::keyword_only;
    if (at(TokenKind::comma)) {
        const TokenKind next = kind(1);
        if (next == TokenKind::right_paren || next == TokenKind::colon || next == TokenKind::double_star) {
            fail_at(last_end() - 1, last_end(), "named arguments must follow bare *");
        }
        return k_no_node;
    }
    if (!at(TokenKind::name)) {
        fail_at(last_end() - 1, last_end(), "named arguments must follow bare *");
    }
    const std::uint32_t from = begin();
    const std::string_view name = expect_name();
    const NodeId annotation = annotated && accept(TokenKind::colon) ? star_expression(false) : k_no_node;
    if (at(TokenKind::assign)) {
        fail("var-positional argument cannot have default value");
    }
    return add(Kind::parameter, from, {annotation, k_no_node},
               {.text = name, .number = static_cast<std::uint32_t>(ParameterKind::var_positional)});
}

void Parser::check_parameters(const NodeIds& all) {
    bool defaults = false;
    for (const NodeId id : all) {
        const auto what = static_cast<ParameterKind>(node(id).number);
        if (what != ParameterKind::positional && what != ParameterKind::positional_only) {
            return;
        }
        const bool has_default = tree_.child(id, 1) != k_no_node;
        if (defaults && !has_default) {
            fail_at(id, "parameter without a default follows parameter with a default");
        }
        defaults = has_default;
    }
}

}  // namespace amp::python
