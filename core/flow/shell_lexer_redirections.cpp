#include <algorithm>

#include "core/flow/shell_lexer_state.hpp"

namespace amp {
namespace {

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void ShellLexer::redirection() {
    Frame& frame = top();
    if (peek(1) == '(') {
        begin_word();
        push(Kind::commands, at_);
        at_ += 2;
        return;
    }
    if (frame.in_word()) {
        const std::string_view word = script_.substr(frame.word, at_ - frame.word);
        const bool descriptor = is_digits(word) || (word.front() == '{' && word.back() == '}');
        if (descriptor && frame.kind <= Kind::subshell) {
            frame.word = std::string_view::npos;
        }
        end_word();
    }
    if (top().kind == Kind::condition || top().kind == Kind::group) {
        ++at_;
        return;
    }
    top().redirect = true;
    if (starts_with("<<<")) {
        at_ += 3;
    } else if (starts_with("<<")) {
        here_document();
    } else {
        const char first = peek();
        ++at_;
        top().duplicates = first == '>' && peek() == '&';
        at_ += peek() == '>' || peek() == '&' || (first == '>' && peek() == '|') ? 1 : 0;
    }
}

void ShellLexer::here_document() {
    Frame::HereDocument document;
    document.begin = at_;
    at_ += 2;
    document.strip_tabs = peek() == '-';
    at_ += document.strip_tabs ? 1 : 0;
    while (peek() == ' ' || peek() == '\t') {
        ++at_;
    }
    here_delimiter(document);
    top().redirect = false;
    unit().pending.push_back(std::move(document));
}

void ShellLexer::here_delimiter(Frame::HereDocument& document) {
    char quote = 0;
    for (; at_ < script_.size(); ++at_) {
        const char c = script_[at_];
        if (c == k_shell_slot) {
            add_slot(Context::here_delimiter, at_, document.begin, at_ + 1);
        } else if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            document.quoted = true;
            continue;
        } else if (c == '\\' && quote != '\'' && at_ + 1 < script_.size() &&
                   script_[at_ + 1] != k_shell_slot) {
            document.quoted = true;
            document.delimiter += script_[++at_];
            continue;
        } else if (c == '\n' ||
                   (quote == 0 && std::string_view(" \t;&|<>()").find(c) != std::string_view::npos)) {
            break;
        } else {
            document.delimiter += c;
        }
    }
    if (quote != 0) {
        stop(document.begin, "the delimiter of the here-document that begins here has no end");
    }
}

void ShellLexer::here_body(const Frame::HereDocument& document) {
    const Context context = document.quoted ? Context::here_document_quoted : Context::here_document;
    bool continued = false;
    while (at_ < script_.size()) {
        const std::size_t end = std::min(script_.find('\n', at_), script_.size());
        std::string_view line = script_.substr(at_, end - at_);
        for (std::size_t i = line.find(k_shell_slot); i != std::string_view::npos;
             i = line.find(k_shell_slot, i + 1)) {
            add_slot(context, at_ + i, document.begin, 0);
        }
        at_ = std::min(end + 1, script_.size());
        if (document.strip_tabs) {
            line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        }
        if (!continued && line == document.delimiter) {
            return;
        }
        const std::size_t last = line.find_last_not_of('\\');
        const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
        continued = !document.quoted && backslashes % 2 == 1;
    }
}

/// The frame whose here-documents the next newline begins.
ShellLexer::Frame& ShellLexer::unit() {
    std::size_t level = frames_.size() - 1;
    while (level > 0 && frames_[level].kind != Kind::commands) {
        --level;
    }
    return frames_[level];
}

void ShellLexer::newline() {
    ++at_;
    top().redirect = false;
    if (top().kind <= Kind::subshell) {
        end_command();
        top().position = Position::command;
    }
    const std::vector<Frame::HereDocument> documents = std::move(unit().pending);
    unit().pending.clear();
    for (const Frame::HereDocument& document : documents) {
        here_body(document);
    }
}

}  // namespace amp
