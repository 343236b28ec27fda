#include "cli/target.hpp"

#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/run/reference.hpp"

namespace amp {
namespace {

constexpr std::size_t k_longest = 1024;
constexpr std::size_t k_shown_bytes = 60;

Error no_target(std::string_view text) {
    const std::string more = text.size() > k_shown_bytes ? "..." : "";
    return {ExitCode::usage,
            "'" + printable(text.substr(0, k_shown_bytes)) + more + "' is no RUN[/STEP[/INDEX]]", "",
            "for instance latest/train/3, Flow/latest/train or @tag/train"};
}

bool is_index(std::string_view text) {
    try {
        TaskIndex::parse(text);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

ShellTarget parse_shell_target(const std::vector<std::string>& texts) {
    const std::string& last = texts.back();
    const std::size_t slash = last.find('/');
    const bool has_run = slash != std::string::npos && !is_index(std::string_view(last).substr(slash + 1));
    if (has_run && texts.size() == 1) {
        return {parse_target(last), false};
    }
    if (has_run || last.starts_with('@')) {
        throw Error(ExitCode::usage, "amp shell takes a step or a task, not '" + printable(last) + "'", "",
                    "for instance amp shell train, amp shell train/3 or amp shell latest/train/3");
    }
    ShellTarget target{parse_target("latest/" + last), texts.size() == 1};
    if (texts.size() > 1) {
        parse_run_reference(texts.front());
        target.task.run = texts.front();
    }
    return target;
}

TaskTarget parse_target(std::string_view text) {
    TaskTarget target;
    if (text.empty()) {
        throw Error(ExitCode::usage, "'' names no run: it is empty", "",
                    "a variable that is not set, perhaps");
    }
    const std::size_t run = run_part(text);
    if (text.size() > k_longest || run == 0) {
        throw no_target(text);
    }
    target.run = text.substr(0, run);
    parse_run_reference(target.run);
    if (run == text.size()) {
        return target;
    }
    const std::vector<std::string_view> parts = split(text.substr(run + 1), '/');
    if (parts.size() > 2 || parts.front().empty() || parts.back().empty()) {
        throw no_target(text);
    }
    target.step = parts[0];
    if (parts.size() > 1) {
        target.index = TaskIndex::parse(parts[1]);
    }
    return target;
}

}  // namespace amp
