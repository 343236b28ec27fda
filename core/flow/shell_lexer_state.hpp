#pragma once

#include <set>
#include <utility>

#include "core/flow/shell_lexer.hpp"

namespace amp {

/// Something opened and not closed yet.
struct ShellFrame {
    enum class Kind {
        commands,       ///< the script, $( … ), <( … )
        subshell,       ///< ( … )
        array,          ///< a=( … )
        group,          ///< a parenthesis within a word: @(a|b)
        condition,      ///< [[ … ]]
        double_quotes,  ///< " … "
        parameter,      ///< ${ … }
        arithmetic,     ///< $(( … )), (( … ))
        brackets,       ///< $[ … ]
    };
    /// What the next word is.
    enum class Position {
        command,   ///< a reserved word, assignment or command
        assigned,  ///< the same after an assignment: no reserved word any more
        argument,
        name,           ///< after `for`, `select`
        loop,           ///< after that name: `in` or `do`
        function_name,  ///< after `function`
        declaration,    ///< after `export`, `declare` …: assignments follow
        integers,       ///< after `let`, `declare -i`: arithmetic follows
    };
    enum class CaseState { subject, in, pattern, body };
    struct HereDocument {
        std::size_t begin = 0;
        std::string delimiter;
        bool quoted = false;
        bool strip_tabs = false;
    };

    Kind kind = Kind::commands;
    std::size_t begin = 0;
    Position position = Position::command;
    std::size_t word = std::string_view::npos;  ///< where the current word begins
    std::size_t subscripts = 0;                 ///< open `[` of a subscript in the word
    bool redirect = false;                      ///< the next word is the target of a redirection
    bool duplicates = false;                    ///< … of `>&`
    bool pattern_started = false;
    bool compared = false;        ///< condition: the last word was -eq or the like
    bool literal_quotes = false;  ///< parameter: a single quote is text, or so some shells say
    std::size_t depth = 0;        ///< arithmetic, brackets: open parentheses or brackets
    std::size_t previous = 0;     ///< condition: begin and end of the word before
    std::size_t previous_end = 0;
    std::vector<CaseState> cases;
    std::vector<HereDocument> pending;  ///< commands: here-documents that begin after this line
    std::vector<std::pair<std::size_t, std::size_t>> words;  ///< begin and end of those of the command
    std::string_view loop_variable;

    bool has_words() const { return kind <= Kind::condition; }
    bool in_word() const { return word != std::string_view::npos; }
};

/// One pass over a script with a stack of frames. Split by constructs (shell_lexer.cpp), words
/// (shell_lexer_words.cpp), redirections, and what commands do with their words (shell_lexer_uses.cpp).
class ShellLexer {
  public:
    ShellLexer(std::string_view script, ShellDialect dialect)
        : script_(script), dialect_(dialect), frames_(1) {}
    ShellScan run();

  private:
    using Frame = ShellFrame;
    using Kind = ShellFrame::Kind;
    using Position = ShellFrame::Position;
    using CaseState = ShellFrame::CaseState;
    using Context = ShellSlot::Context;

    Frame& top() { return frames_.back(); }
    /// The byte `ahead` of here; a newline past the end.
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\n';
    }
    bool starts_with(std::string_view text) const { return script_.substr(at_, text.size()) == text; }
    void push(Kind kind, std::size_t begin);
    void pop();
    void stop(std::size_t offset, std::string message);

    // Slots.
    void add_slot(Context context, std::size_t offset, std::size_t begin, std::size_t end);
    void add_slots(Context context, std::size_t begin, std::size_t end);
    void value_slot();
    void mark(std::size_t from, std::size_t to, Context context);

    // Constructs.
    void in_double_quotes();
    void in_parameter();
    void in_arithmetic();
    void in_brackets();
    void not_arithmetic();
    bool common(char c);
    void backslash();
    void single_quotes();
    void doubtful_quotes();
    void ansi_quotes();
    void backquotes();
    void dollar();
    void dollar_name();
    void open_parameter();

    // Words.
    void in_words();
    void other_in_words(char c);
    void begin_word();
    void end_word();
    void command_word(std::string_view word);
    bool case_word(std::string_view word);
    void reserved_or_plain(std::string_view word);
    void assignment_name(std::string_view word);
    void condition_word(std::string_view word);
    void newline();
    void control();
    void redirection();
    void open_parenthesis();
    void open_parenthesis_in_word();
    void close_parenthesis();
    void comment();
    void here_document();
    void here_delimiter(Frame::HereDocument& document);
    void here_body(const Frame::HereDocument& document);
    Frame& unit();

    // What commands do with their words.
    void end_command();
    void assigned(std::string_view name, std::size_t begin, std::size_t end);
    void use_word(std::size_t begin, std::size_t end, Context context);
    void judge_variables();
    Context parameter_context(const Frame& frame) const;
    Context in_parameter_head(const Frame& frame) const;

    /// What is assigned to a variable: it matters whether that is an integer anywhere in the script.
    struct Assigned {
        std::string name;
        std::size_t begin;
        std::size_t end;
        bool declared;  ///< by `declare` or the like
    };

    std::string_view script_;
    ShellDialect dialect_;
    std::size_t at_ = 0;
    std::vector<Frame> frames_;
    ShellScan out_;
    std::size_t dollar_end_ = std::string_view::npos;  ///< a slot here follows a `$` that would swallow it
    std::size_t dollar_begin_ = 0;
    std::size_t subscript_end_ = 0;  ///< up to here a slot is in a subscript for zsh
    std::size_t subscript_begin_ = 0;
    std::vector<Assigned> assigned_;
    std::set<std::string, std::less<>> integers_;
    std::set<std::string, std::less<>> arrays_;
    std::set<std::size_t> not_arithmetic_;  ///< where `((` turned out to be two parentheses
};

}  // namespace amp
