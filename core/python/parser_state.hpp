#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/python/lexer.hpp"
#include "core/python/parser.hpp"

namespace amp::python {

using NodeIds = std::vector<NodeId>;

/// Ends the parse; `parse` turns it into ParsedFile::error.
struct ParserStop {
    SyntaxError error;
};

/// A recursive descent over the tokens, of which each file parser_*.cpp has a part. Nothing is read twice:
/// where the beginning of a statement leaves open what it is, the tokens are looked at ahead, once a line.
class Parser {
  public:
    Parser(const SourceText& source, const LexedFile& lexed, Tree& tree)
        : source_(source), lexed_(lexed), tokens_(lexed.tokens), tree_(tree) {}
    void run();

  private:
    /// One more level of recursion, for as long as it lives.
    class Deeper {
      public:
        explicit Deeper(Parser& parser) : parser_(parser) {
            if (++parser.depth_ > k_max_depth) {
                --parser.depth_;  // the destructor does not run
                parser.fail_too_deep();
            }
        }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;
        ~Deeper() { --parser_.depth_; }

      private:
        Parser& parser_;
    };
    static constexpr std::uint32_t k_max_depth = 1'000;  ///< of recursion
    static constexpr std::uint32_t k_max_tree =
        1'500;  ///< of the tree: `a + b + c + …` is deep without recursion

    // Tokens (parser.cpp).
    const Token& peek(std::size_t ahead = 0) const;
    TokenKind kind(std::size_t ahead = 0) const { return peek(ahead).kind; }
    bool at(TokenKind wanted) const { return kind() == wanted; }
    std::string_view text(std::size_t ahead = 0) const;
    bool at_word(std::string_view word) const { return at(TokenKind::name) && text() == word; }
    bool accept(TokenKind wanted);
    /// Fails when another token is here.
    void expect(TokenKind wanted);
    void expect_colon();
    std::string_view expect_name();
    std::uint32_t begin() const { return peek().begin; }
    /// Where the last token ends that is more than a change of lines.
    std::uint32_t last_end() const;

    // Errors (parser_errors.cpp).
    [[noreturn]] void fail(std::string message, std::string hint = {});
    [[noreturn]] void fail_at(std::uint32_t begin, std::uint32_t end, std::string message,
                              std::string hint = {});
    [[noreturn]] void fail_at(NodeId id, std::string message, std::string hint = {});
    [[noreturn]] void fail_syntax();
    [[noreturn]] void fail_too_deep();
    void fail_python2_statement();

    // Nodes (parser.cpp).
    struct Extra {
        std::string_view text = {};
        Operator op = Operator::none;
        bool flag = false;
        std::uint32_t number = 0;
    };
    NodeId add(Kind kind, std::uint32_t begin, std::span<const NodeId> children, Extra extra);
    NodeId add(Kind kind, std::uint32_t begin, std::initializer_list<NodeId> children, Extra extra) {
        return add(kind, begin, std::span(children.begin(), children.size()), extra);
    }
    NodeId add(Kind kind, std::uint32_t begin, std::span<const NodeId> children) {
        return add(kind, begin, children, Extra{});
    }
    NodeId add(Kind kind, std::uint32_t begin, std::initializer_list<NodeId> children = {}) {
        return add(kind, begin, children, Extra{});
    }
    NodeId group(std::span<const NodeId> children) { return add(Kind::group, begin(), children); }
    const Node& node(NodeId id) const { return tree_[id]; }

    // Statements (parser_statements.cpp).
    NodeId module();
    void statement(NodeIds& out);
    void simple_statements(NodeIds& out);
    NodeId simple_statement();
    NodeId expression_statement();
    NodeId assignment(std::uint32_t from, NodeId first);
    NodeId annotated(std::uint32_t from, NodeId target, bool parenthesised);
    NodeId augmented(std::uint32_t from, NodeId target, Operator op);
    NodeId return_statement();
    NodeId raise_statement();
    NodeId delete_statement();
    NodeId assert_statement();
    NodeId names_statement(Kind what);
    NodeId type_alias();
    bool at_type_alias() const;

    // parser_imports.cpp
    NodeId import_statement();
    NodeId from_statement();
    NodeId alias(bool dotted);
    std::string_view dotted_name();

    // parser_compound.cpp
    NodeId block(std::string_view what, std::uint32_t line);
    NodeId else_block();
    NodeId compound_statement();
    NodeId if_statement();
    NodeId branch();
    NodeId while_statement();
    NodeId for_statement(std::uint32_t from, bool async);
    NodeId with_statement(std::uint32_t from, bool async);
    NodeId with_item();
    bool with_is_parenthesised() const;
    NodeId try_statement();
    NodeId except_handler(bool& star);
    NodeId async_statement();

    // parser_definitions.cpp
    NodeId decorated();
    NodeId function(std::uint32_t from, NodeIds decorators, bool async);
    NodeId class_definition(NodeIds decorators);
    NodeId type_parameters();
    NodeId type_parameter();
    NodeId parameters(TokenKind close, bool annotated);
    void parameter(NodeIds& out, ParameterKind& mode, bool annotated);
    NodeId star_parameter(ParameterKind& mode, bool annotated);
    void check_parameters(const NodeIds& all);
    void slash_parameter(NodeIds& out, ParameterKind mode);

    // parser_match.cpp
    bool at_match() const;
    NodeId match_statement();
    NodeId match_case();
    NodeId open_pattern();
    NodeId star_pattern();
    NodeId as_pattern();
    NodeId or_pattern();
    NodeId closed_pattern();
    NodeId literal_pattern();
    NodeId name_pattern();
    NodeId class_pattern(std::uint32_t from, NodeId callee);
    NodeId sequence_pattern();
    NodeId mapping_pattern();

    // parser_expressions.cpp
    NodeId expression();
    NodeId named_expression();
    NodeId star_expressions();
    NodeId star_expression(bool named);
    NodeId disjunction();
    NodeId conjunction();
    NodeId inversion();
    NodeId comparison();
    bool comparison_operator(Operator& op);
    NodeId binary(int lowest);
    NodeId factor();
    NodeId power();
    NodeId lambda();
    NodeId yield_expression();
    NodeId yield_or_star_expressions();
    NodeId slices();
    NodeId slice();

    // parser_atoms.cpp
    NodeId primary();
    NodeId call(std::uint32_t from, NodeId callee);
    void arguments(NodeIds& out, std::uint32_t open_begin);
    NodeId argument(std::uint32_t open_begin, bool first);
    NodeId atom();
    NodeId constant(Kind what);
    NodeId parenthesised();
    NodeId list_display();
    NodeId brace_display();
    NodeId dict_rest(std::uint32_t from, NodeId key, NodeId value);
    NodeId set_rest(std::uint32_t from, NodeId first);
    void comprehensions(NodeIds& out);
    bool at_comprehension() const;
    bool starts_expression() const;
    void comma_or(TokenKind close);

    // parser_strings.cpp
    NodeId strings();
    NodeId plain_strings(std::uint32_t from);
    NodeId joined_strings(std::uint32_t from);
    struct Piece;
    void fstring(NodeIds& parts, Piece& piece);
    void fstring_field(NodeIds& parts, Piece& piece, bool raw);
    NodeId format_spec(bool raw);
    void append_middle(Piece& piece, bool raw, bool doubled_braces);
    void flush(NodeIds& parts, Piece& piece);

    // parser_targets.cpp
    enum class Use : std::uint8_t { assign, loop, delete_, augment };
    NodeId targets();
    void check_target(NodeId target, Use use);

    const SourceText& source_;
    const LexedFile& lexed_;
    const std::vector<Token>& tokens_;
    Tree& tree_;
    std::size_t position_ = 0;
    std::uint32_t depth_ = 0;
};

/// Of messages: "function call".
std::string_view describe(const Node& node);

}  // namespace amp::python
