#include <algorithm>

#include "core/flow/shell_commands.hpp"
#include "core/flow/shell_lexer_state.hpp"

namespace amp {
namespace {

/// How far into a `${` its operator is looked for, so that many slots in a long one stay linear.
constexpr std::size_t k_max_head = 512;

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Contexts that a word may give another meaning to: not those in which no value would arrive at all.
bool is_part_of_word(ShellSlot::Context context) {
    using Context = ShellSlot::Context;
    return context == Context::bare || context == Context::double_quotes ||
           context == Context::single_quotes || context == Context::ansi_quotes ||
           context == Context::parameter;
}

}  // namespace

/// The words of a simple command are complete.
void ShellLexer::end_command() {
    Frame& frame = top();
    frame.loop_variable = {};
    if (frame.words.empty() || frame.kind > Kind::subshell) {
        return;
    }
    const auto ranges = std::exchange(frame.words, {});
    std::vector<std::string_view> words;
    words.reserve(ranges.size());
    for (const auto& [begin, end] : ranges) {
        words.push_back(script_.substr(begin, end - begin));
    }
    CommandUses found = uses_of_words(words, dialect_);
    for (const CommandUses::Use& use : found.uses) {
        if (use.context != Context::bare) {
            use_word(ranges[use.word].first, ranges[use.word].second, use.context);
        }
    }
    for (auto& [name, word] : found.declared) {
        assigned_.push_back({std::move(name), ranges[word].first, ranges[word].second, true});
    }
    integers_.insert(found.integers.begin(), found.integers.end());
    arrays_.insert(found.arrays.begin(), found.arrays.end());
}

void ShellLexer::use_word(std::size_t begin, std::size_t end, Context context) {
    auto slot = std::lower_bound(out_.slots.begin(), out_.slots.end(), begin,
                                 [](const ShellSlot& s, std::size_t offset) { return s.offset < offset; });
    for (; slot != out_.slots.end() && slot->offset < end; ++slot) {
        if (slot->level == frames_.size() - 1 && is_part_of_word(slot->context) && !slot->word_use) {
            slot->word_use = context;
            slot->word_begin = begin;
        }
    }
}

void ShellLexer::assigned(std::string_view name, std::size_t begin, std::size_t end) {
    if (script_.substr(begin, end - begin).find(k_shell_slot) != std::string_view::npos) {
        assigned_.push_back({std::string(name), begin, end, false});
    }
}

/// What is assigned to an integer is arithmetic, wherever `declare -i` stands.
void ShellLexer::judge_variables() {
    for (const Assigned& entry : assigned_) {
        std::optional<Context> context;
        if (integers_.contains(entry.name) || is_evaluated_variable(entry.name)) {
            context = Context::arithmetic;
        } else if (is_code_variable(entry.name) || (entry.declared && arrays_.contains(entry.name))) {
            context = Context::code;
        }
        auto slot =
            std::lower_bound(out_.slots.begin(), out_.slots.end(), entry.begin,
                             [](const ShellSlot& s, std::size_t offset) { return s.offset < offset; });
        for (; context && slot != out_.slots.end() && slot->offset < entry.end; ++slot) {
            if (is_part_of_word(slot->context) && !slot->word_use) {
                slot->word_use = context;
                slot->word_begin = entry.begin;
            }
        }
    }
}

/// What a slot in ${…} is: a slice or subscript is arithmetic, also where it comes from within another ${…}.
ShellSlot::Context ShellLexer::parameter_context(const Frame& frame) const {
    if (frame.begin < subscript_end_) {
        return Context::subscript;
    }
    // All frames around, up to the words that they stand in.
    for (auto level = static_cast<std::size_t>(&frame - frames_.data()); level-- > 0;) {
        const Frame& outer = frames_[level];
        if (outer.has_words()) {
            if (outer.subscripts > 0) {
                return Context::subscript;
            }
            break;
        }
        const bool computes =
            outer.kind == Kind::arithmetic || outer.kind == Kind::brackets ||
            (outer.kind == Kind::parameter && in_parameter_head(outer) != Context::parameter);
        if (computes) {
            return Context::arithmetic;
        }
    }
    return in_parameter_head(frame);
}

/// What stands before here in a `${`: an operator with a text behind it, a number, or but a name.
ShellSlot::Context ShellLexer::in_parameter_head(const Frame& frame) const {
    const std::string_view head =
        script_.substr(frame.begin + 2, std::min(at_ - frame.begin - 2, k_max_head));
    if (head.starts_with('!')) {
        return Context::name;
    }
    std::size_t i = head.starts_with('#') && head.size() > 1 ? 1 : 0;
    const std::size_t name = i;
    while (i < head.size() && is_name(head[i])) {
        ++i;
    }
    if (i == name && i < head.size() && std::string_view("@*?-$#").find(head[i]) != std::string_view::npos) {
        ++i;
    }
    if (i == head.size() || i == name) {
        return head.size() < k_max_head ? Context::name : Context::subscript;
    }
    if (head[i] == '[') {
        const std::size_t close = head.find(']', i);
        if (close == std::string_view::npos || close + 1 >= head.size() || head.find('[', i + 1) < close) {
            return Context::subscript;
        }
        i = close + 1;
    }
    const bool colon = head[i] == ':';
    i += colon ? 1 : 0;
    const std::string_view operators = colon ? "-=?+" : "-=?+#%/^,";
    return i < head.size() && operators.find(head[i]) != std::string_view::npos ? Context::parameter
                                                                                : Context::subscript;
}

}  // namespace amp
