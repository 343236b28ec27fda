#include "cli/log_text.hpp"

#include <fmt/format.h>

#include "cli/documents.hpp"
#include "cli/run_text.hpp"
#include "cli/terminal.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

// An unfinished line longer than this is printed in parts: memory stays bounded whatever a task prints.
constexpr std::size_t k_longest_line = std::size_t{1} << 20;

}  // namespace

void LogText::add(const LogLine& line) {
    const Source source{line.task, choice_.ranks ? line.rank : std::nullopt};
    if (line.note) {
        print_line({line.task, std::nullopt}, "[amp] " + line.bytes);
        return;
    }
    if (!choice_.prefix && !source.second) {
        print_(shown(line.bytes));
        return;
    }
    std::string& pending = unfinished_[source];
    pending += line.bytes;
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
        print_line(source, std::string_view(pending).substr(begin, end - begin));
        begin = end + 1;
    }
    pending.erase(0, begin);
    if (pending.size() > k_longest_line) {
        print_line(source, pending);
        pending.clear();
    }
    if (pending.empty()) {
        unfinished_.erase(source);
    }
}

void LogText::finish() {
    for (const auto& [source, text] : unfinished_) {
        print_line(source, text);
    }
    unfinished_.clear();
}

void LogText::print_line(const Source& source, std::string_view line) {
    if (line.ends_with('\n')) {
        line.remove_suffix(1);
    }
    std::string head = choice_.prefix ? printable(task_text(source.first)) + " | " : "";
    head += source.second ? fmt::format("[{}] ", *source.second) : "";
    print_(head + shown(line) + "\n");
}

std::string LogText::shown(std::string_view bytes) const {
    return choice_.terminal ? safe_for_terminal(bytes) : std::string(bytes);
}

Value log_document(const LogLine& line) {
    return Object{{"schema", "amp.log/1"},
                  {"task", line.task.text()},
                  {"attempt", std::int64_t{line.attempt}},
                  {"at", format_time(line.at)},
                  {"note", line.note},
                  {"text", to_utf8(line.bytes)},
                  {"rank", number_or_null(line.rank ? std::int64_t{*line.rank} : -1, -1)}};
}

}  // namespace amp
