#include "cli/log_text.hpp"

#include "cli/terminal.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

// An unfinished line longer than this is printed in parts: memory stays bounded whatever a task prints.
constexpr std::size_t k_longest_line = std::size_t{1} << 20;

}  // namespace

void LogText::add(const LogLine& line) {
    if (line.note) {
        print_line(line.task, "[amp] " + line.bytes);
        return;
    }
    if (!choice_.prefix) {
        print_(shown(line.bytes));
        return;
    }
    std::string& pending = unfinished_[line.task];
    pending += line.bytes;
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
        print_line(line.task, std::string_view(pending).substr(begin, end - begin));
        begin = end + 1;
    }
    pending.erase(0, begin);
    if (pending.size() > k_longest_line) {
        print_line(line.task, pending);
        pending.clear();
    }
    if (pending.empty()) {
        unfinished_.erase(line.task);
    }
}

void LogText::finish() {
    for (const auto& [task, text] : unfinished_) {
        print_line(task, text);
    }
    unfinished_.clear();
}

void LogText::print_line(const TaskName& task, std::string_view line) {
    if (line.ends_with('\n')) {
        line.remove_suffix(1);
    }
    const std::string head = choice_.prefix ? printable(task.text()) + " | " : "";
    print_(head + shown(line) + "\n");
}

std::string LogText::shown(std::string_view bytes) const {
    return choice_.terminal ? safe_for_terminal(bytes) : std::string(bytes);
}

Value log_document(const LogLine& line) {
    return Object{
        {"schema", "amp.log/1"},      {"task", line.task.text()}, {"attempt", std::int64_t{line.attempt}},
        {"at", format_time(line.at)}, {"note", line.note},        {"text", to_utf8(line.bytes)}};
}

}  // namespace amp
