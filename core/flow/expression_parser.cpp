#include "core/flow/expression_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.hpp"
#include "core/flow/expression_cursor.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

using Node = ExpressionNode;
using Token = ExpressionToken;

constexpr int k_max_depth = 64;

constexpr std::array<std::string_view, 6> k_comparisons = {"==", "!=", "<", "<=", ">", ">="};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> k_python_words = {
    {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
constexpr std::array<std::string_view, 6> k_keywords = {"and", "or", "not", "in", "if", "else"};

class Parser : ExpressionCursor {
  public:
    Parser(const TextPlaces& source, std::vector<Token> tokens)
        : ExpressionCursor(source, std::move(tokens)) {}

    ParsedExpression run() {
        if (peek().kind == Token::Kind::end) {
            fail(peek(), "AMP1109", "the expression is empty",
                 "write `{{ '{{' }}` for braces that are meant as text");
        }
        out_.root = expression();
        if (peek().kind != Token::Kind::end) {
            unexpected();
        }
        if (out_.raw && !(out_.root.kind == Node::Kind::call && out_.root.function->name == "raw")) {
            throw ExpressionMistake{"AMP1110", raw_place_, "raw() must be the whole expression",
                                    "put all that is meant as shell text into its parentheses"};
        }
        return std::move(out_);
    }

  private:
    /// Counts the nesting on the way down.
    class Nesting {
      public:
        explicit Nesting(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > k_max_depth) {
                parser_.fail(parser_.peek(), "AMP1106",
                             fmt::format("the expression is nested deeper than {} levels", k_max_depth),
                             "split it, or compute the value in a step");
            }
        }
        ~Nesting() { --parser_.depth_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

      private:
        Parser& parser_;
    };

    Node expression() {
        const Nesting nesting(*this);
        const std::size_t first = out_.uses.size();
        Node value = chain(Node::Kind::disjunction, "or", &Parser::conjunction);
        if (!accept("if")) {
            return value;
        }
        mark_conditional(first);
        Node out;
        out.kind = Node::Kind::conditional;
        out.operands.push_back(std::move(value));
        out.operands.push_back(chain(Node::Kind::disjunction, "or", &Parser::conjunction));
        expect("else");
        const std::size_t otherwise = out_.uses.size();
        out.operands.push_back(expression());
        mark_conditional(otherwise);
        return out;
    }

    /// The uses from the place `first` on.
    void mark_conditional(std::size_t first) {
        for (; first < out_.uses.size(); ++first) {
            out_.uses[first].conditional = true;
        }
    }

    Node conjunction() { return chain(Node::Kind::conjunction, "and", &Parser::inversion); }

    Node chain(Node::Kind kind, std::string_view op, Node (Parser::*operand)()) {
        Node first = (this->*operand)();
        if (!peek().is(op)) {
            return first;
        }
        Node out;
        out.kind = kind;
        out.operands.push_back(std::move(first));
        const std::size_t behind = out_.uses.size();
        while (accept(op)) {
            out.operands.push_back((this->*operand)());
        }
        mark_conditional(behind);
        return out;
    }

    Node inversion() {
        if (!accept("not")) {
            return comparison();
        }
        const Nesting nesting(*this);
        Node out;
        out.kind = Node::Kind::invert;
        out.operands.push_back(inversion());
        return out;
    }

    std::string comparison_operator() {
        const Token& token = peek();
        if (token.kind == Token::Kind::op &&
            std::find(k_comparisons.begin(), k_comparisons.end(), token.text) != k_comparisons.end()) {
            return std::string(take().text);
        }
        if (token.is("not") && peek(1).is("in")) {
            take();
            take();
            return "not in";
        }
        return accept("in") ? "in" : "";
    }

    Node comparison() {
        Node left = sum();
        std::string op = comparison_operator();
        if (op.empty()) {
            return left;
        }
        Node out;
        out.kind = Node::Kind::compare;
        out.operands.push_back(std::move(left));
        out.operators.push_back(std::move(op));
        out.operands.push_back(sum());
        const Token& next = peek();
        if (!comparison_operator().empty()) {
            fail(next, "AMP1108", "comparisons cannot be chained", "join two comparisons with `and`");
        }
        return out;
    }

    Node sum() { return arithmetic_chain("+", "-", "-", &Parser::product); }
    Node product() { return arithmetic_chain("*", "/", "%", &Parser::unary); }

    Node arithmetic_chain(std::string_view a, std::string_view b, std::string_view c,
                          Node (Parser::*operand)()) {
        Node first = (this->*operand)();
        if (!peek().is(a) && !peek().is(b) && !peek().is(c)) {
            return first;
        }
        Node out;
        out.kind = Node::Kind::arithmetic;
        while (peek().is(a) || peek().is(b) || peek().is(c)) {
            out.operators.emplace_back(take().text);
            out.operands.push_back((this->*operand)());
        }
        out.operands.insert(out.operands.begin(), std::move(first));
        return out;
    }

    Node unary() {
        if (peek().is("+")) {
            take();
            const Nesting nesting(*this);
            return unary();
        }
        if (!peek().is("-")) {
            return postfix();
        }
        take();
        if (peek().kind == Token::Kind::integer) {
            return tail_of(literal(integer(take(), true)));
        }
        const Nesting nesting(*this);
        Node out;
        out.kind = Node::Kind::negate;
        out.operands.push_back(unary());
        return out;
    }

    static Node literal(Value value) {
        Node out;
        out.value = std::move(value);
        return out;
    }

    Node postfix() {
        const Token& token = peek();
        if (token.kind == Token::Kind::name &&
            std::find(k_keywords.begin(), k_keywords.end(), token.text) == k_keywords.end()) {
            return peek(1).is("(") ? tail_of(call()) : named();
        }
        return tail_of(primary());
    }

    Node primary() {
        const Token& token = peek();
        switch (token.kind) {
            case Token::Kind::integer:
                return literal(integer(take(), false));
            case Token::Kind::floating:
                return literal(floating(take()));
            case Token::Kind::string:
                return literal(take().value);
            default:
                break;
        }
        if (accept("(")) {
            Node inner = expression();
            expect(")");
            return inner;
        }
        if (accept("[")) {
            Node out;
            out.kind = Node::Kind::list;
            out.operands = arguments("]");
            return out;
        }
        if (accept("{")) {
            return object();
        }
        unexpected("a value");
    }

    /// Comma-separated expressions and the closing bracket; one comma may trail.
    std::vector<Node> arguments(std::string_view close) {
        std::vector<Node> out;
        while (!accept(close)) {
            out.push_back(expression());
            if (!accept(",") && !peek().is(close)) {
                unexpected(fmt::format("',' or '{}'", close));
            }
        }
        return out;
    }

    Node object() {
        Node out;
        out.kind = Node::Kind::object;
        while (!accept("}")) {
            out.operands.push_back(expression());
            expect(":");
            out.operands.push_back(expression());
            if (!accept(",") && !peek().is("}")) {
                unexpected("',' or '}'");
            }
        }
        return out;
    }

    Node named() {
        const Token& token = take();
        for (const auto& [python, ours] : k_python_words) {
            if (token.text == python) {
                fail(token, "AMP1112", fmt::format("'{}' is written {} here", python, ours),
                     fmt::format("write {}", ours));
            }
        }
        if (token.text == "true" || token.text == "false") {
            return tail_of(literal(token.text == "true"));
        }
        if (token.text == "null") {
            return tail_of(literal({}));
        }
        return reference(token);
    }

    Node reference(const Token& root) {
        const bool guarded = guards_ > 0;
        // Reserved first, so that what an index mentions comes after what it is an index of.
        const std::size_t slot = out_.uses.size();
        out_.uses.emplace_back();
        Node out;
        out.kind = Node::Kind::reference;
        out.reference.root = root.text;
        std::size_t end = root.offset + root.text.size();
        for (std::optional<Node::Step> step = access(out, end); step; step = access(out, end)) {
            out.reference.dynamic = out.reference.dynamic || step->operand.has_value();
            if (out.reference.dynamic) {
                out.tail.push_back(std::move(*step));
            } else {
                out.reference.path.push_back(std::move(step->access));
            }
        }
        out.reference.place = place(root.offset, end);
        out_.uses[slot] = {out.reference, guarded, false};
        return out;
    }

    Node tail_of(Node base) {
        if (!peek().is(".") && !peek().is("[")) {
            return base;
        }
        Node out;
        out.kind = Node::Kind::postfix;
        out.operands.emplace_back();
        std::size_t end = 0;
        for (std::optional<Node::Step> step = access(out, end); step; step = access(out, end)) {
            out.tail.push_back(std::move(*step));
        }
        out.operands.front() = std::move(base);
        return out;
    }

    /// One `.name`, `.*` or `[…]`, whose index may become an operand of `owner`.
    std::optional<Node::Step> access(Node& owner, std::size_t& end) {
        Node::Step step;
        if (accept(".")) {
            const Token& name = take();
            if (name.is("*")) {
                step.access.kind = Access::Kind::star;
            } else if (name.kind == Token::Kind::name) {
                step.access.name = name.text;
                refuse_method(name);
            } else {
                fail(name, "AMP1101", fmt::format("expected a name or '*' after '.', found {}", shown(name)));
            }
            end = name.offset + name.text.size();
            return step;
        }
        if (!accept("[")) {
            return std::nullopt;
        }
        Node index = expression();
        end = peek().offset + 1;
        expect("]");
        if (index.kind == Node::Kind::literal && index.value.is_int()) {
            step.access.kind = Access::Kind::index;
            step.access.index = index.value.as_int();
        } else if (index.kind == Node::Kind::literal && index.value.is_string()) {
            step.access.name = index.value.as_string();
        } else {
            step.operand = owner.operands.size();
            owner.operands.push_back(std::move(index));
        }
        return step;
    }

    void refuse_method(const Token& name) const {
        if (peek().is("(")) {
            const bool known = find_function(name.text) != nullptr;
            fail(name, "AMP1101", fmt::format("values have no methods: '.{}(…)'", name.text),
                 known ? fmt::format("write {}(x)", name.text) : "");
        }
    }

    Node call() {
        const Token& name = take();
        const Function* function = find_function(name.text);
        if (function == nullptr) {
            std::vector<std::string> names;
            for (const Function& f : functions()) {
                names.emplace_back(f.name);
            }
            const auto near = did_you_mean(name.text, names);
            fail(name, "AMP1104", fmt::format("unknown function '{}'", name.text.substr(0, 60)),
                 near ? fmt::format("did you mean '{}'?", *near) : "functions: " + join(names, ", "));
        }
        take();
        const std::size_t first = peek().offset;
        guards_ += function->kind == Function::Kind::plain ? 0 : 1;
        Node out;
        out.kind = Node::Kind::call;
        out.function = function;
        out.operands = arguments(")");
        guards_ -= function->kind == Function::Kind::plain ? 0 : 1;
        check_call(name, out, first);
        return out;
    }

    void check_call(const Token& name, const Node& call, std::size_t first) {
        const Function& f = *call.function;
        const std::size_t count = call.operands.size();
        if (count < f.min_arguments || count > f.max_arguments) {
            fail(name, "AMP1105",
                 fmt::format("{}() does not take {} argument{}", f.name, count, count == 1 ? "" : "s"),
                 fmt::format("write {}", f.usage));
        }
        out_.cleanup = out_.cleanup || f.name == "failed" || f.name == "always";
        if (f.name == "failed" && count == 1) {
            const Node& step = call.operands.front();
            if (step.kind != Node::Kind::literal || !step.value.is_string()) {
                throw ExpressionMistake{"AMP1105", place(first, first + 1),
                                        "failed() takes the name of a step as a text",
                                        "write failed(\"train\")"};
            }
            out_.failed_steps.push_back(step.value.as_string());
        }
        if (f.name == "raw") {
            out_.raw = true;
            raw_place_ = place(name);
        }
    }

    int depth_ = 0;
    int guards_ = 0;
    Place raw_place_;
    ParsedExpression out_;
};

}  // namespace

std::optional<ParsedExpression> parse_expression(const TextPlaces& source, Diagnostics& diagnostics) {
    auto tokens = lex_expression(source, diagnostics);
    if (!tokens) {
        return std::nullopt;
    }
    try {
        return Parser(source, std::move(*tokens)).run();
    } catch (const ExpressionMistake& mistake) {
        diagnostics.error(mistake.code, mistake.place, mistake.message, mistake.hint);
        return std::nullopt;
    }
}

}  // namespace amp
