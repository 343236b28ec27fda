#include "cli/run_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

std::string signal_text(int signal) {
    struct Named {
        int number;
        std::string_view name;
    };
    // The numbers of Linux on every architecture that we run on.
    constexpr std::array<Named, 13> k_names = {{{1, "HUP"},
                                                {2, "INT"},
                                                {3, "QUIT"},
                                                {4, "ILL"},
                                                {5, "TRAP"},
                                                {6, "ABRT"},
                                                {7, "BUS"},
                                                {8, "FPE"},
                                                {9, "KILL"},
                                                {11, "SEGV"},
                                                {13, "PIPE"},
                                                {14, "ALRM"},
                                                {15, "TERM"}}};
    for (const Named& named : k_names) {
        if (named.number == signal) {
            return std::string(named.name);
        }
    }
    return fmt::format("SIG{}", signal);
}

}  // namespace

std::string time_text(Timestamp time) {
    std::string text = format_time(time).substr(0, 19);
    text[10] = ' ';
    return text + " UTC";
}

std::string clock_text(Timestamp time) {
    return format_time(time).substr(11, 8);
}

std::string duration_text(double seconds) {
    return seconds < 0.9995 ? fmt::format("{:.0f}ms", std::max(seconds, 0.0) * 1000)
                            : format_duration(seconds);
}

std::string exit_text(const AttemptResult& result) {
    if (result.signal != 0) {
        return signal_text(result.signal);
    }
    return result.exit < 0 ? "-" : std::to_string(result.exit);
}

std::string exit_text(const RankEnd& end) {
    if (end.signal != 0) {
        return "killed by " + signal_text(end.signal);
    }
    return end.exit < 0 ? "never started" : fmt::format("exit status {}", end.exit);
}

std::string failure_text(const AttemptResult& result) {
    const std::string cause(cause_name(result.cause));
    if (!result.message.empty()) {
        return cause + ": " + result.message;
    }
    if (result.signal != 0) {
        return cause + ": killed by " + signal_text(result.signal);
    }
    return result.exit > 0 ? fmt::format("{}: exit status {}", cause, result.exit) : cause;
}

std::string counts_text(const Plan::Counts& counts) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) {
            parts.push_back(fmt::format("{} {}", counts[i], state_name(static_cast<TaskState>(i))));
        }
    }
    return join(parts, ", ");
}

Value counts_value(const Plan::Counts& counts) {
    Object out;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) {
            out[std::string(state_name(static_cast<TaskState>(i)))] = counts[i];
        }
    }
    return out;
}

std::uint64_t count_all(const Plan::Counts& counts) {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) {
        all += count;
    }
    return all;
}

std::string pairs_text(const Value& object) {
    std::vector<std::string> parts;
    if (object.is_object()) {
        for (const auto& [name, value] : object.as_object()) {
            parts.push_back(name + "=" + json::dump(value));
        }
    }
    return join(parts, " ");
}

std::string one_line(std::string_view text) {
    std::string out = printable(text);
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return out;
}

std::string task_reference(const std::string& run, const TaskName& task) {
    return run + "/" + task_text(task);
}

}  // namespace amp
