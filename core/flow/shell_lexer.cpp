#include "core/flow/shell_lexer.hpp"

#include <algorithm>

#include "core/flow/shell_lexer_state.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_frames = 100;
constexpr std::size_t k_max_subscript = 4096;

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}
bool is_one_of(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
}

std::string_view frame_name(ShellFrame::Kind kind) {
    switch (kind) {
        case ShellFrame::Kind::double_quotes:
            return "the double quote";
        case ShellFrame::Kind::parameter:
            return "`${`";
        case ShellFrame::Kind::arithmetic:
            return "`((`";
        case ShellFrame::Kind::brackets:
            return "`$[`";
        case ShellFrame::Kind::condition:
            return "`[[`";
        default:
            return "the parenthesis";
    }
}

}  // namespace

ShellScan scan_shell(std::string_view script, ShellDialect dialect) {
    return ShellLexer(script, dialect).run();
}

ShellScan ShellLexer::run() {
    while (at_ < script_.size() && !out_.problem) {
        switch (top().kind) {
            case Kind::double_quotes:
                in_double_quotes();
                break;
            case Kind::parameter:
                in_parameter();
                break;
            case Kind::arithmetic:
                in_arithmetic();
                break;
            case Kind::brackets:
                in_brackets();
                break;
            default:
                in_words();
        }
    }
    if (!out_.problem && top().has_words()) {
        end_word();
        end_command();
    }
    judge_variables();
    if (!out_.problem && frames_.size() > 1) {
        stop(top().begin, std::string(frame_name(top().kind)) + " that begins here has no end");
    }
    return std::move(out_);
}

void ShellLexer::push(Kind kind, std::size_t begin) {
    if (frames_.size() >= k_max_frames) {
        stop(begin, "the script is nested too deeply");
        return;
    }
    Frame frame;
    frame.kind = kind;
    frame.begin = begin;
    frame.position = kind <= Kind::subshell ? Position::command : Position::argument;
    frames_.push_back(std::move(frame));
}

void ShellLexer::pop() {
    const std::size_t begin = top().begin;
    for (auto slot = out_.slots.rbegin(); slot != out_.slots.rend() && slot->offset > begin; ++slot) {
        slot->end = slot->begin == begin ? at_ : slot->end;
    }
    frames_.pop_back();
}

void ShellLexer::stop(std::size_t offset, std::string message) {
    out_.problem = ShellScan::Problem{offset, std::move(message)};
}

void ShellLexer::add_slot(Context context, std::size_t offset, std::size_t begin, std::size_t end) {
    std::size_t level = frames_.size() - 1;
    while (level > 0 && !frames_[level].has_words()) {
        --level;
    }
    out_.slots.push_back({context, offset, begin, end, level, std::nullopt, 0});
}

void ShellLexer::add_slots(Context context, std::size_t begin, std::size_t end) {
    const std::string_view inner = script_.substr(0, end);
    for (std::size_t i = inner.find(k_shell_slot, begin); i != std::string_view::npos;
         i = inner.find(k_shell_slot, i + 1)) {
        add_slot(context, i, begin, end);
    }
}

/// A slot that is text of the innermost construct which is no double quote.
void ShellLexer::value_slot() {
    std::size_t level = frames_.size() - 1;
    while (frames_[level].kind == Kind::double_quotes) {
        --level;
    }
    const Frame& frame = frames_[level];
    Context context = level + 1 == frames_.size() ? Context::bare : Context::double_quotes;
    std::size_t begin = frame.begin;
    if (at_ == dollar_end_) {
        context = Context::after_dollar;
        begin = dollar_begin_;
    } else if (frame.kind == Kind::parameter) {
        context = parameter_context(frame);
    } else if (!frame.has_words()) {
        context = Context::arithmetic;
    } else if (at_ < subscript_end_) {
        context = Context::subscript;
        begin = subscript_begin_;
    } else if (frame.subscripts > 0) {
        context = Context::subscript;
        begin = frame.word;
    }
    add_slot(context, at_, begin, 0);
    ++at_;
}

void ShellLexer::mark(std::size_t from, std::size_t to, Context context) {
    for (auto slot = out_.slots.rbegin(); slot != out_.slots.rend() && slot->offset >= from; ++slot) {
        if (slot->offset < to && slot->level == frames_.size() - 1 &&
            (slot->is_data() || slot->context == Context::parameter)) {
            slot->context = context;
            slot->begin = from;
            slot->end = to;
        }
    }
}

/// What is the same in double quotes, parameters and arithmetic.
bool ShellLexer::common(char c) {
    switch (c) {
        case k_shell_slot:
            value_slot();
            return true;
        case '\\':
            backslash();
            return true;
        case '$':
            dollar();
            return true;
        case '`':
            backquotes();
            return true;
        default:
            return false;
    }
}

void ShellLexer::in_double_quotes() {
    const char c = peek();
    if (c == '"') {
        ++at_;
        pop();
    } else if (!common(c)) {
        ++at_;
    }
}

void ShellLexer::in_parameter() {
    const char c = peek();
    if (c == '}') {
        ++at_;
        pop();
    } else if (c == '"') {
        push(Kind::double_quotes, at_++);
    } else if (c == '\'' && top().literal_quotes) {
        doubtful_quotes();
    } else if (c == '\'') {
        single_quotes();
    } else if (!common(c)) {
        ++at_;
    }
}

void ShellLexer::in_arithmetic() {
    const char c = peek();
    if (c == ')' && top().depth == 0) {
        if (peek(1) != ')') {
            not_arithmetic();
            return;
        }
        at_ += 2;
        pop();
    } else if (c == '"') {
        push(Kind::double_quotes, at_++);
    } else if (c == '\'') {
        doubtful_quotes();
    } else if (!common(c)) {
        top().depth += c == '(' ? 1 : 0;
        top().depth -= c == ')' ? 1 : 0;
        ++at_;
    }
}

void ShellLexer::in_brackets() {
    const char c = peek();
    if (c == ']' && top().depth == 0) {
        ++at_;
        pop();
    } else if (c == '"') {
        push(Kind::double_quotes, at_++);
    } else if (c == '\'') {
        doubtful_quotes();
    } else if (!common(c)) {
        top().depth += c == '[' ? 1 : 0;
        top().depth -= c == ']' ? 1 : 0;
        ++at_;
    }
}

/// `((` whose parentheses do not close together: a subshell in a substitution or subshell. Goes back and
/// reads it so; each place at most once, and frames are limited, so the work stays linear.
void ShellLexer::not_arithmetic() {
    const std::size_t begin = top().begin;
    not_arithmetic_.insert(begin);
    while (!out_.slots.empty() && out_.slots.back().offset > begin) {
        out_.slots.pop_back();
    }
    frames_.pop_back();
    at_ = begin;
    dollar_end_ = std::string_view::npos;
    subscript_end_ = 0;
}

void ShellLexer::backslash() {
    if (at_ + 1 >= script_.size()) {
        ++at_;
        return;
    }
    if (script_[at_ + 1] == k_shell_slot) {
        add_slot(Context::after_backslash, at_ + 1, at_, at_ + 2);
    }
    at_ += 2;
}

void ShellLexer::single_quotes() {
    const std::size_t close = script_.find('\'', at_ + 1);
    if (close == std::string_view::npos) {
        stop(at_, "the single quote that begins here has no end");
        return;
    }
    add_slots(Context::single_quotes, at_, close + 1);
    at_ = close + 1;
}

void ShellLexer::ansi_quotes() {
    std::size_t close = at_ + 2;
    while (close < script_.size() && script_[close] != '\'') {
        close += script_[close] == '\\' ? 2 : 1;
    }
    if (close >= script_.size()) {
        stop(at_, "the `$'` that begins here has no end");
        return;
    }
    add_slots(Context::ansi_quotes, at_, close + 1);
    at_ = close + 1;
}

void ShellLexer::backquotes() {
    std::size_t close = at_ + 1;
    while (close < script_.size() && script_[close] != '`') {
        close += script_[close] == '\\' ? 2 : 1;
    }
    if (close >= script_.size()) {
        stop(at_, "the backquote that begins here has no end");
        return;
    }
    add_slots(Context::backquotes, at_, close + 1);
    at_ = close + 1;
}

void ShellLexer::dollar() {
    const char next = peek(1);
    const bool quoted = !top().has_words() && (top().kind != Kind::parameter || top().literal_quotes);
    if (next == '(') {
        const bool arithmetic = peek(2) == '(' && !not_arithmetic_.contains(at_);
        push(arithmetic ? Kind::arithmetic : Kind::commands, at_);
        at_ += arithmetic ? 3 : 2;
    } else if (next == '[') {
        push(Kind::brackets, at_);
        at_ += 2;
    } else if (next == '{') {
        open_parameter();
    } else if (next == '\'' && !quoted) {
        ansi_quotes();
    } else if (next == '"') {
        ++at_;
    } else {
        dollar_name();
    }
}

void ShellLexer::dollar_name() {
    dollar_begin_ = at_++;
    if (is_name_start(peek())) {
        while (is_name(peek())) {
            ++at_;
        }
    } else if (is_one_of(peek(), "0123456789@*?-$!")) {
        ++at_;
    } else {
        // Alone it is text, but `${v}` behind it would not be what it says: `$$`, and in zsh `$#`, `$=`,
        // `$~`, `$^`, `$+`.
        while (is_one_of(peek(), "#=~^+")) {
            ++at_;
        }
        dollar_end_ = at_;
        return;
    }
    if (peek() == '[' && at_ >= subscript_end_) {
        const std::size_t end = script_.substr(at_, k_max_subscript).find_first_of("]\n\"'");
        subscript_begin_ = at_;
        subscript_end_ = at_ + std::min(end, k_max_subscript);
    }
}

void ShellLexer::open_parameter() {
    const bool quoted = !top().has_words() && (top().kind != Kind::parameter || top().literal_quotes);
    push(Kind::parameter, at_);
    at_ += 2;
    if (!quoted || out_.problem) {
        return;
    }
    // Within double quotes a single quote is text, but quotes in a pattern.
    std::size_t i = 0;
    i += is_one_of(peek(), "!#") && peek(1) != '}' ? 1 : 0;
    if (is_name_start(peek(i))) {
        while (is_name(peek(i))) {
            ++i;
        }
    } else {
        ++i;
    }
    if (peek(i) == '[') {
        const std::size_t close = script_.substr(at_ + i, k_max_subscript).find(']');
        i += close == std::string_view::npos ? 0 : close + 1;
    }
    top().literal_quotes = !is_one_of(peek(i), "#%/^,");
}

/// A single quote that is text for some shells and a quote for others (bash, in "${x:-it's}"): fine where
/// both find the same end.
void ShellLexer::doubtful_quotes() {
    const std::size_t close = script_.find('\'', at_ + 1);
    const std::string_view inner = script_.substr(at_ + 1, close - at_ - 1);
    if (close == std::string_view::npos || inner.find_first_of("}\"$`\\()[]") != std::string_view::npos) {
        stop(at_, "shells differ in how they read the single quote here");
        return;
    }
    const Context context = top().kind == Kind::parameter ? parameter_context(top()) : Context::arithmetic;
    for (std::size_t i = inner.find(k_shell_slot); i != std::string_view::npos;
         i = inner.find(k_shell_slot, i + 1)) {
        add_slot(context, at_ + 1 + i, top().begin, 0);
    }
    at_ = close + 1;
}

}  // namespace amp
