#include "tests/support/python_dump.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace amp::python {
namespace {

constexpr std::array<const char*, 30> k_operator_names = {
    "-",      "And",    "Or",    "Add",    "Sub",    "Mult",     "MatMult", "Div",   "Mod",  "Pow",
    "LShift", "RShift", "BitOr", "BitXor", "BitAnd", "FloorDiv", "Invert",  "Not",   "UAdd", "USub",
    "Eq",     "NotEq",  "Lt",    "LtE",    "Gt",     "GtE",      "Is",      "IsNot", "In",   "NotIn"};

}  // namespace

std::string dump_tree(const SourceText& source, const Tree& tree, bool places) {
    return Dumper(source, tree, places).run();
}

std::string_view Dumper::operator_name(Operator op) {
    return k_operator_names[static_cast<std::size_t>(op)];
}

void Dumper::place(std::uint32_t begin, std::uint32_t end) {
    if (no_places_ > 0) {
        return;
    }
    const bool mark = source_.text().starts_with("\xef\xbb\xbf");
    const auto column = [&](amp::Place at) { return at.column - 1 - (mark && at.line == 1 ? 3 : 0); };
    const amp::Place from = source_.place(begin, begin + 1);
    const amp::Place to = source_.place(end, end + 1);
    fmt::format_to(std::back_inserter(out_), "@{}:{}-{}:{}", from.line, column(from), to.line, column(to));
}

void Dumper::quoted(char letter, std::string_view text) {
    put(std::string(1, letter) + "\"");
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            fmt::format_to(std::back_inserter(out_), "\\x{:02x}", byte);
        } else {
            out_.push_back(c);
        }
    }
    put("\"");
}

void Dumper::number(NodeId id) {
    std::string digits;
    for (const char c : tree_[id].text) {
        if (c != '_') {
            digits.push_back(c);
        }
    }
    if (tree_[id].kind == Kind::integer) {
        const char second = digits.size() > 1 ? static_cast<char>(digits[1] | 0x20) : '0';
        const int base = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 10;
        const char* begin = digits.data() + (base == 10 ? 0 : 2);
        std::int64_t value = 0;
        const auto result = std::from_chars(begin, digits.data() + digits.size(), value, base);
        put(result.ec == std::errc() ? fmt::format("i{}", value) : "i#");
        return;
    }
    const double value = std::strtod(digits.c_str(), nullptr);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    fmt::format_to(std::back_inserter(out_), "{}{:016x}", tree_[id].kind == Kind::floating ? 'f' : 'j', bits);
}

void Dumper::constant(NodeId id) {
    open("Constant", id);
    put(",");
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::true_:
            put("True");
            break;
        case Kind::false_:
            put("False");
            break;
        case Kind::none:
            put("None");
            break;
        case Kind::ellipsis:
            put("...");
            break;
        case Kind::string:
            quoted('s', it.text);
            break;
        case Kind::bytes:
            quoted('b', it.text);
            break;
        default:
            number(id);
    }
    close();
}

void Dumper::parameters(NodeId id) {
    const auto of = [&](std::initializer_list<ParameterKind> kinds) {
        std::vector<NodeId> some;
        for (const NodeId child : tree_.children(id)) {
            for (const ParameterKind kind : kinds) {
                if (tree_[child].number == static_cast<std::uint32_t>(kind)) {
                    some.push_back(child);
                }
            }
        }
        return some;
    };
    const auto defaults = [&](const std::vector<NodeId>& some, bool absent_too) {
        std::vector<NodeId> values;
        for (const NodeId child : some) {
            if (const NodeId value = tree_.child(child, 1); value != k_no_node || absent_too) {
                values.push_back(value);
            }
        }
        return values;
    };
    const auto one = [&](ParameterKind kind) {
        const auto some = of({kind});
        field(some.empty() ? k_no_node : some.front());
    };
    put("arguments(");
    list(of({ParameterKind::positional_only}));
    list(of({ParameterKind::positional}));
    one(ParameterKind::var_positional);
    list(of({ParameterKind::keyword_only}));
    list(defaults(of({ParameterKind::keyword_only}), true));
    one(ParameterKind::var_keyword);
    list(defaults(of({ParameterKind::positional_only, ParameterKind::positional}), false));
    close();
}

void Dumper::arguments(std::span<const NodeId> given) {
    std::vector<NodeId> positional;
    std::vector<NodeId> keywords;
    for (const NodeId id : given) {
        (tree_[id].kind == Kind::keyword ? keywords : positional).push_back(id);
    }
    list(positional);
    list(keywords);
}

void Dumper::if_from(NodeId id, std::size_t branch) {
    const NodeId here = tree_.child(id, branch);
    put("If");
    place(tree_[here].begin, tree_[id].end);
    put("(");
    field(tree_.child(here, 0));
    list(tree_.group(here, 1));
    if (branch + 1 < tree_.children(id).size()) {
        put(",[");
        if_from(id, branch + 1);
        put(";]");
    } else {
        list(tree_.group(id, 0));
    }
    close();
}

void Dumper::compare(NodeId id) {
    open("Compare", id);
    field(tree_.child(id, 0));
    put(",[");
    std::vector<NodeId> operands;
    for (const NodeId child : tree_.children(id).subspan(1)) {
        put(operator_name(tree_[child].op));
        put(";");
        operands.push_back(tree_.child(child, 0));
    }
    put("]");
    list(operands);
    close();
}

void Dumper::match_class(NodeId id) {
    open("MatchClass", id);
    field(tree_.child(id, 0));
    std::vector<NodeId> patterns;
    std::vector<NodeId> keyword_patterns;
    std::string names;
    for (const NodeId child : tree_.children(id).subspan(1)) {
        if (tree_[child].kind == Kind::keyword) {
            keyword_patterns.push_back(tree_.child(child, 0));
            names.append(tree_[child].text).append(";");
        } else {
            patterns.push_back(child);
        }
    }
    list(patterns);
    put(",[" + names + "]");
    list(keyword_patterns);
    close();
}

}  // namespace amp::python
