#include "core/flow/shell_check.hpp"

#include <algorithm>
#include <array>

#include "core/flow/expression_parser.hpp"
#include "core/flow/functions.hpp"
#include "core/flow/shell_lexer_hints.hpp"
#include "core/flow/shell_text.hpp"

namespace amp {
namespace {

using Names = std::set<std::string, std::less<>>;

bool is_number_node(const ExpressionNode& node, const Names& numbers) {
    using Kind = ExpressionNode::Kind;
    const auto all = [&](std::size_t step) {
        for (std::size_t i = 0; i < node.operands.size(); i += step) {
            if (!is_number_node(node.operands[i], numbers)) {
                return false;
            }
        }
        return true;
    };
    switch (node.kind) {
        case Kind::literal:
            return true;  // the author's own
        case Kind::reference: {
            const Reference& reference = node.reference;
            if (!node.tail.empty() || reference.dynamic) {
                return false;
            }
            if (reference.root == "params") {
                return reference.path.size() == 1 && reference.path[0].kind == Access::Kind::member &&
                       numbers.contains(reference.path[0].name);
            }
            const bool counter =
                reference.root == "index" || reference.root == "round" || reference.root == "attempt";
            return counter && reference.path.empty();
        }
        case Kind::negate:
        case Kind::invert:
        case Kind::compare:
            return true;
        case Kind::arithmetic:
            return all(1);
        case Kind::conjunction:
        case Kind::disjunction:
            return all(1);
        case Kind::conditional:
            return all(2);
        case Kind::call: {
            static constexpr std::array<std::string_view, 4> k_numbers = {"int", "float", "len", "exists"};
            static constexpr std::array<std::string_view, 3> k_of_arguments = {"min", "max", "default"};
            const std::string_view name = node.function->name;
            return std::find(k_numbers.begin(), k_numbers.end(), name) != k_numbers.end() ||
                   (std::find(k_of_arguments.begin(), k_of_arguments.end(), name) != k_of_arguments.end() &&
                    all(1));
        }
        default:
            return false;
    }
}

}  // namespace

ShellDialect dialect_of(const std::vector<std::string>& shell) {
    for (const std::string& word : shell) {
        const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
        if (name.starts_with("zsh")) {
            return ShellDialect::zsh;
        }
        if (name.find("ksh") != std::string_view::npos) {
            return ShellDialect::ksh;
        }
    }
    return ShellDialect::bash;
}

bool is_number(const Expression& expression, const Names& numbers) {
    Diagnostics told_before;
    const auto parsed = parse_expression({expression.text(), {}, true}, told_before);
    return parsed && is_number_node(parsed->root, numbers);
}

void check_shell_words(const TextTemplate& text, ShellDialect dialect, const Names& numbers,
                       Diagnostics& diagnostics) {
    if (text.is_plain() || text.is_spread()) {
        return;
    }
    const ShellText flat(text);
    const ShellScan scan = scan_shell(flat.text(), dialect);
    std::size_t slot = 0;
    for (std::size_t i = 0; i < text.parts().size() && slot < scan.slots.size(); ++i) {
        const auto* expression = std::get_if<Expression>(&text.parts()[i]);
        if (expression == nullptr) {
            continue;
        }
        const ShellSlot& found = scan.slots[slot++];
        if (!found.word_use || expression->is_raw() || is_number(*expression, numbers)) {
            continue;
        }
        const WrittenSlot written{text.source(),
                                  text.spans()[i].begin,
                                  text.spans()[i].end,
                                  flat.written_offset(found.word_begin),
                                  0,
                                  expression->text()};
        ShellMistake mistake = explain_use(*found.word_use, written);
        diagnostics.error(std::move(mistake.code), expression->place(), std::move(mistake.message),
                          std::move(mistake.hint));
    }
}

}  // namespace amp
