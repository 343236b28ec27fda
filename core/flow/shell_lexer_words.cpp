#include <algorithm>
#include <array>

#include "core/flow/shell_lexer_state.hpp"

namespace amp {
namespace {

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_names(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_name);
}
bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <std::size_t N>
bool is_in(std::string_view word, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// After these stands a command, or another reserved word.
constexpr std::array<std::string_view, 15> k_before_command = {"if",    "then",  "else", "elif", "fi",
                                                               "while", "until", "do",   "done", "esac",
                                                               "!",     "{",     "}",    "time", "coproc"};
constexpr std::array<std::string_view, 7> k_declarations = {"export",   "declare", "typeset", "local",
                                                            "readonly", "integer", "float"};
constexpr std::array<std::string_view, 6> k_comparisons = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};

/// `NAME`, `NAME+` or `NAME[…]` before the `=`.
bool is_assignment(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return false;
    }
    std::string_view name = word.substr(0, equals);
    name.remove_suffix(name.back() == '+' ? 1 : 0);
    name = name.substr(0, name.find('['));
    return !name.empty() && is_names(name) && !is_digits(name.substr(0, 1));
}

}  // namespace

void ShellLexer::in_words() {
    const char c = peek();
    switch (c) {
        case ' ':
        case '\t':
            end_word();
            ++at_;
            break;
        case '\n':
            end_word();
            newline();
            break;
        case ';':
        case '&':
        case '|':
            end_word();
            control();
            break;
        case '<':
        case '>':
            redirection();
            break;
        case '(':
            open_parenthesis();
            break;
        case ')':
            close_parenthesis();
            break;
        case '#':
            if (!top().in_word() && top().kind != Kind::group) {
                comment();
                break;
            }
            [[fallthrough]];
        default:
            other_in_words(c);
    }
}

/// What begins or continues a word.
void ShellLexer::other_in_words(char c) {
    if (c == '\\' && peek(1) == '\n') {
        at_ += 2;
        return;
    }
    begin_word();
    if (c == '\'') {
        single_quotes();
    } else if (c == '"') {
        push(Kind::double_quotes, at_++);
    } else if (!common(c)) {
        Frame& frame = top();
        const bool assigns = frame.position == Position::command || frame.position == Position::assigned ||
                             frame.position == Position::declaration;
        const std::string_view before = script_.substr(frame.word, at_ - frame.word);
        if (c == '[' && (frame.subscripts > 0 || (frame.kind == Kind::array && before.empty()) ||
                         (assigns && !before.empty() && before.size() < 256 && is_names(before)))) {
            ++frame.subscripts;
        }
        frame.subscripts -= c == ']' && frame.subscripts > 0 ? 1 : 0;
        ++at_;
    }
}

void ShellLexer::begin_word() {
    if (!top().in_word()) {
        top().word = at_;
        top().subscripts = 0;
    }
}

void ShellLexer::end_word() {
    const std::size_t level = frames_.size() - 1;
    if (!top().in_word()) {
        return;
    }
    const std::string_view word = script_.substr(top().word, at_ - top().word);
    if (top().kind == Kind::condition) {
        condition_word(word);
    } else if (top().redirect) {
        if (top().duplicates) {
            use_word(top().word, at_, Context::twice);
        }
        top().redirect = top().duplicates = false;
    } else if (top().kind <= Kind::subshell) {
        command_word(word);
    }
    // The word may have opened a frame (`[[`) or closed its own (`]]`).
    if (level < frames_.size()) {
        frames_[level].word = std::string_view::npos;
    }
}

void ShellLexer::command_word(std::string_view word) {
    if (!top().cases.empty() && case_word(word)) {
        return;
    }
    Frame& frame = top();
    const std::size_t begin = frame.word;
    if (!frame.words.empty()) {
        frame.words.emplace_back(begin, at_);
    }
    switch (frame.position) {
        case Position::command:
        case Position::assigned:
            reserved_or_plain(word);
            break;
        case Position::name:
        case Position::function_name:
            mark(begin, at_, Context::name);
            frame.loop_variable = frame.position == Position::name ? word : std::string_view();
            frame.position = frame.position == Position::name ? Position::loop : Position::command;
            break;
        case Position::loop:
            frame.position = word == "do" ? Position::command : Position::argument;
            break;
        case Position::declaration:
            assignment_name(word);
            if (word.front() == '-' && word.find('i') != std::string_view::npos) {
                frame.position = Position::integers;
            }
            break;
        case Position::integers:
            mark(begin, at_, Context::arithmetic);
            break;
        case Position::argument:
            if (!frame.loop_variable.empty()) {
                assigned(frame.loop_variable, begin, at_);
            }
            break;
    }
}

/// The words of `case` itself; false for those of its commands.
bool ShellLexer::case_word(std::string_view word) {
    Frame& frame = top();
    CaseState& state = frame.cases.back();
    switch (state) {
        case CaseState::subject:
            state = CaseState::in;
            return true;
        case CaseState::in:
            state = CaseState::pattern;
            frame.pattern_started = false;
            return true;
        case CaseState::pattern:
            break;
        case CaseState::body:
            if (word != "esac" || frame.position != Position::command) {
                return false;
            }
            break;
    }
    if (word == "esac" && !(state == CaseState::pattern && frame.pattern_started)) {
        frame.cases.pop_back();
        frame.position = Position::command;
    }
    frame.pattern_started = true;
    return true;
}

void ShellLexer::reserved_or_plain(std::string_view word) {
    Frame& frame = top();
    const bool reserved = frame.position == Position::command;
    if (reserved && is_in(word, k_before_command)) {
        return;
    }
    if (is_assignment(word)) {
        assignment_name(word);
        assigned(word.substr(0, word.find_first_of("=+[")), frame.word, at_);
        frame.position = Position::assigned;
    } else if (reserved && word == "case") {
        frame.cases.push_back(CaseState::subject);
        frame.position = Position::argument;
    } else if (reserved && (word == "for" || word == "select" || word == "foreach")) {
        frame.position = Position::name;
    } else if (reserved && word == "function") {
        frame.position = Position::function_name;
    } else if (reserved && word == "[[") {
        frame.position = Position::argument;
        push(Kind::condition, frame.word);
    } else if (is_in(word, k_declarations)) {
        frame.position = word == "integer" ? Position::integers : Position::declaration;
        frame.words.assign({{frame.word, at_}});
    } else if (word == "let") {
        frame.position = Position::integers;
    } else {
        assignment_name(word);
        frame.words.assign({{frame.word, at_}});
        frame.loop_variable = {};
        frame.position = Position::argument;
    }
}

/// A slot before the `=` of what would be an assignment: the shell takes it for a command instead.
void ShellLexer::assignment_name(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals == std::string_view::npos ? 0 : equals);
    if (name.find(k_shell_slot) == std::string_view::npos) {
        return;
    }
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return is_name(c) || c == k_shell_slot || c == '[' || c == ']' || c == '+';
    });
    if (plain) {
        mark(top().word, top().word + equals, Context::name);
    }
}

void ShellLexer::condition_word(std::string_view word) {
    Frame& frame = top();
    if (word == "]]") {
        pop();
        return;
    }
    const bool compares = is_in(word, k_comparisons);
    if (compares) {
        mark(frame.previous, frame.previous_end, Context::comparison);
    }
    if (frame.compared || script_.substr(frame.previous, frame.previous_end - frame.previous) == "-v") {
        mark(frame.word, at_, frame.compared ? Context::comparison : Context::name);
    }
    frame.compared = compares;
    frame.previous = frame.word;
    frame.previous_end = at_;
}

void ShellLexer::control() {
    Frame& frame = top();
    if (peek() == '&' && peek(1) == '>') {
        ++at_;
        redirection();
        return;
    }
    if (frame.kind <= Kind::subshell) {
        const bool ends_case = starts_with(";;") || starts_with(";&") || starts_with(";|");
        const bool in_pattern = !frame.cases.empty() && frame.cases.back() == CaseState::pattern;
        if (ends_case && !frame.cases.empty() && frame.cases.back() == CaseState::body) {
            frame.cases.back() = CaseState::pattern;
            frame.pattern_started = false;
            at_ += starts_with(";;&") ? 2 : 1;
        } else if (!in_pattern) {
            frame.position = Position::command;
        }
        if (!in_pattern) {
            end_command();
        }
        frame.redirect = false;
    }
    ++at_;
}

void ShellLexer::open_parenthesis() {
    Frame& frame = top();
    if (frame.kind == Kind::condition) {
        end_word();
        ++at_;
    } else if (frame.in_word() || frame.kind == Kind::group) {
        open_parenthesis_in_word();
    } else if (!frame.cases.empty() && frame.cases.back() == CaseState::pattern && !frame.pattern_started) {
        frame.pattern_started = true;
        ++at_;
    } else if (peek(1) == '(' && (frame.position == Position::command || frame.position == Position::name) &&
               !not_arithmetic_.contains(at_)) {
        push(Kind::arithmetic, at_);
        at_ += 2;
    } else {
        push(Kind::subshell, at_++);
    }
}

/// A list of values, a function's parentheses, or a pattern.
void ShellLexer::open_parenthesis_in_word() {
    Frame& frame = top();
    const std::size_t close = script_.find_first_not_of(" \t", at_ + 1);
    if (frame.kind <= Kind::subshell && close < script_.size() && script_[close] == ')') {
        mark(frame.word, at_, Context::name);
        const bool assigns = script_[at_ - 1] == '=';
        frame.word = assigns ? frame.word : std::string_view::npos;
        frame.position = assigns ? frame.position : Position::command;
        at_ = close + 1;
    } else {
        const bool assigns = frame.in_word() && script_[at_ - 1] == '=' && frame.kind <= Kind::subshell;
        if (assigns) {
            const std::string_view word = script_.substr(frame.word, at_ - frame.word);
            arrays_.emplace(word.substr(0, word.find_first_of("=+[")));
        }
        push(assigns ? Kind::array : Kind::group, at_++);
    }
}

void ShellLexer::close_parenthesis() {
    end_word();
    end_command();
    Frame& frame = top();
    if (frame.kind == Kind::condition) {
        ++at_;
        return;
    }
    if (frame.kind <= Kind::subshell && !frame.cases.empty() && frame.cases.back() == CaseState::pattern) {
        frame.cases.back() = CaseState::body;
        frame.position = Position::command;
        ++at_;
        return;
    }
    if (!frame.pending.empty() && frames_.size() > 1) {
        stop(frame.pending.front().begin, "the here-document that begins here is not within its parentheses");
        return;
    }
    ++at_;
    if (frames_.size() == 1) {
        return;
    }
    const bool subshell = frame.kind == Kind::subshell;
    pop();
    if (subshell && top().kind <= Kind::subshell) {
        top().position = Position::command;
    }
}

void ShellLexer::comment() {
    const std::size_t end = std::min(script_.find('\n', at_), script_.size());
    add_slots(Context::comment, at_, end);
    at_ = end;
}

}  // namespace amp
