#include "tests/support/python_dump.hpp"

namespace amp::python {
namespace {

std::string_view with_async(bool async, std::string_view plain, std::string_view other) {
    return async ? other : plain;
}

}  // namespace

void Dumper::node(NodeId id) {
    const Kind kind = tree_[id].kind;
    if (kind <= Kind::continue_) {
        statement(id);
    } else if (kind <= Kind::slice) {
        expression(id);
    } else if (kind >= Kind::match_value) {
        pattern(id);
    } else {
        definition(id);
    }
}

void Dumper::definition(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::function_def:
            open(with_async(it.flag, "FunctionDef", "AsyncFunctionDef"), id);
            name(it.text);
            field(tree_.child(id, 2));
            list(tree_.group(id, 4));
            list(tree_.group(id, 0));
            field(tree_.child(id, 3));
            list(tree_.group(id, 1));
            break;
        case Kind::class_def:
            open("ClassDef", id);
            name(it.text);
            arguments(tree_.group(id, 2));
            list(tree_.group(id, 3));
            list(tree_.group(id, 0));
            list(tree_.group(id, 1));
            break;
        case Kind::parameters:
            parameters(id);
            return;
        case Kind::parameter:
            open("arg", id);
            name(it.text);
            field(tree_.child(id, 0));
            break;
        case Kind::type_var:
            open("TypeVar", id);
            name(it.text);
            field(tree_.child(id, 0));
            field(tree_.child(id, 1));
            break;
        default:
            open(it.kind == Kind::param_spec ? "ParamSpec" : "TypeVarTuple", id);
            name(it.text);
            field(tree_.child(id, 0));
    }
    close();
}

void Dumper::statement(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::function_def:
        case Kind::class_def:
            definition(id);
            return;
        case Kind::return_:
            plain("Return", id, 1);
            return;
        case Kind::delete_:
            open("Delete", id);
            list(tree_.children(id));
            break;
        case Kind::assign:
            open("Assign", id);
            list(tree_.children(id).subspan(1));
            field(tree_.child(id, 0));
            break;
        case Kind::type_alias:
            open("TypeAlias", id);
            name(it.text);
            list(tree_.group(id, 0));
            field(tree_.child(id, 1));
            break;
        case Kind::aug_assign:
            open("AugAssign", id);
            field(tree_.child(id, 0));
            name(operator_name(it.op));
            field(tree_.child(id, 1));
            break;
        case Kind::ann_assign:
            open("AnnAssign", id);
            for (std::size_t i = 0; i < 3; ++i) {
                field(tree_.child(id, i));
            }
            name(it.flag ? "1" : "0");
            break;
        case Kind::for_:
            plain(with_async(it.flag, "For", "AsyncFor"), id, 4);
            return;
        case Kind::while_:
            plain("While", id, 3);
            return;
        case Kind::if_:
            if_from(id, 1);
            return;
        case Kind::with_:
            plain(with_async(it.flag, "With", "AsyncWith"), id, 2);
            return;
        case Kind::try_:
            plain(it.flag ? "TryStar" : "Try", id, 4);
            return;
        default:
            small_statement(id);
            return;
    }
    close();
}

void Dumper::small_statement(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::with_item:
            put("withitem(");
            field(tree_.child(id, 0));
            field(tree_.child(id, 1));
            break;
        case Kind::match:
            open("Match", id);
            field(tree_.child(id, 0));
            list(tree_.children(id).subspan(1));
            break;
        case Kind::match_case:
            put("match_case(");
            field(tree_.child(id, 0));
            field(tree_.child(id, 1));
            list(tree_.group(id, 2));
            break;
        case Kind::raise:
            plain("Raise", id, 2);
            return;
        case Kind::except_handler:
            open("ExceptHandler", id);
            field(tree_.child(id, 0));
            name(it.text);
            list(tree_.group(id, 1));
            break;
        case Kind::assert_:
            plain("Assert", id, 2);
            return;
        case Kind::import_:
            open("Import", id);
            list(tree_.children(id));
            break;
        case Kind::import_from:
            open("ImportFrom", id);
            name(it.text);
            list(tree_.children(id));
            name(std::to_string(it.number));
            break;
        case Kind::alias:
            open("alias", id);
            name(it.text);
            name(tree_.child(id, 0) == k_no_node ? std::string_view() : tree_[tree_.child(id, 0)].text);
            break;
        case Kind::global_:
        case Kind::nonlocal_:
            open(it.kind == Kind::global_ ? "Global" : "Nonlocal", id);
            words(id);
            break;
        case Kind::expression_statement:
            plain("Expr", id, 1);
            return;
        default:
            open(it.kind == Kind::pass ? "Pass" : it.kind == Kind::break_ ? "Break" : "Continue", id);
    }
    close();
}

void Dumper::expression(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::bool_op:
            open("BoolOp", id);
            name(operator_name(it.op));
            list(tree_.children(id));
            break;
        case Kind::named:
            plain("NamedExpr", id, 2);
            return;
        case Kind::binary:
            open("BinOp", id);
            field(tree_.child(id, 0));
            name(operator_name(it.op));
            field(tree_.child(id, 1));
            break;
        case Kind::unary:
            open("UnaryOp", id);
            name(operator_name(it.op));
            field(tree_.child(id, 0));
            break;
        case Kind::lambda:
            plain("Lambda", id, 2);
            return;
        case Kind::conditional:
            plain("IfExp", id, 3);
            return;
        case Kind::dict:
            open("Dict", id);
            every_second(id, 0);
            every_second(id, 1);
            break;
        case Kind::set:
        case Kind::list:
        case Kind::tuple:
            open(it.kind == Kind::set ? "Set" : it.kind == Kind::list ? "List" : "Tuple", id);
            list(tree_.children(id));
            break;
        case Kind::compare:
            compare(id);
            return;
        case Kind::call:
            open("Call", id);
            field(tree_.child(id, 0));
            arguments(tree_.children(id).subspan(1));
            break;
        default:
            access(id);
            return;
    }
    close();
}

void Dumper::access(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::list_comp:
        case Kind::set_comp:
        case Kind::generator:
        case Kind::dict_comp:
        case Kind::comprehension:
            comprehension(id);
            return;
        case Kind::await:
            plain("Await", id, 1);
            return;
        case Kind::yield:
            plain("Yield", id, 1);
            return;
        case Kind::yield_from:
            plain("YieldFrom", id, 1);
            return;
        case Kind::keyword:
            open("keyword", id);
            name(it.text);
            field(tree_.child(id, 0));
            break;
        case Kind::joined_string:
            open("JoinedStr", id);
            ++no_places_;
            list(tree_.children(id));
            --no_places_;
            break;
        case Kind::formatted:
            open("FormattedValue", id);
            field(tree_.child(id, 0));
            name(it.number == 0 ? "-1" : std::to_string(it.number));
            field(tree_.child(id, 1));
            break;
        case Kind::attribute:
            open("Attribute", id);
            field(tree_.child(id, 0));
            name(it.text);
            break;
        case Kind::subscript:
            plain("Subscript", id, 2);
            return;
        case Kind::starred:
            plain("Starred", id, 1);
            return;
        case Kind::name:
            open("Name", id);
            name(it.text);
            break;
        case Kind::slice:
            plain("Slice", id, 3);
            return;
        default:
            constant(id);
            return;
    }
    close();
}

void Dumper::comprehension(NodeId id) {
    const Node& it = tree_[id];
    std::size_t parts = 1;
    switch (it.kind) {
        case Kind::comprehension:
            put("comprehension(");
            field(tree_.child(id, 0));
            field(tree_.child(id, 1));
            list(tree_.children(id).subspan(2));
            name(it.flag ? "1" : "0");
            close();
            return;
        case Kind::dict_comp:
            open("DictComp", id);
            parts = 2;
            break;
        default:
            open(it.kind == Kind::list_comp  ? "ListComp"
                 : it.kind == Kind::set_comp ? "SetComp"
                                             : "GeneratorExp",
                 id);
    }
    for (std::size_t i = 0; i < parts; ++i) {
        field(tree_.child(id, i));
    }
    list(tree_.children(id).subspan(parts));
    close();
}

void Dumper::pattern(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::match_value:
            plain("MatchValue", id, 1);
            return;
        case Kind::match_singleton:
            open("MatchSingleton", id);
            name(tree_[tree_.child(id, 0)].text);
            break;
        case Kind::match_sequence:
        case Kind::match_or:
            open(it.kind == Kind::match_or ? "MatchOr" : "MatchSequence", id);
            list(tree_.children(id));
            break;
        case Kind::match_mapping:
            open("MatchMapping", id);
            every_second(id, 0);
            every_second(id, 1);
            name(it.text);
            break;
        case Kind::match_class:
            match_class(id);
            return;
        case Kind::match_star:
            open("MatchStar", id);
            name(it.text);
            break;
        default:
            open("MatchAs", id);
            field(tree_.child(id, 0));
            name(it.text);
    }
    close();
}

}  // namespace amp::python
