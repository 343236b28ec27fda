#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/run/inspect.hpp"

namespace amp {

/// Log lines of several tasks as whole lines, each with its task in front: "train/3 | epoch 2". Of one task
/// alone: the bytes as they are. amp's own remarks are marked, and so are the ranks of a gang: "[2] epoch 2".
class LogText {
  public:
    struct Choice {
        bool prefix = true;    ///< several tasks
        bool terminal = true;  ///< what would steer a terminal is made visible
        bool ranks = true;     ///< of gangs are told; false: one alone is asked for
    };
    LogText(Choice choice, std::function<void(std::string_view)> print)
        : choice_(choice), print_(std::move(print)) {}

    void add(const LogLine& line);
    /// What is left of unfinished lines.
    void finish();

  private:
    /// A task, or a rank of one.
    using Source = std::pair<TaskName, std::optional<std::uint32_t>>;

    void print_line(const Source& source, std::string_view line);
    std::string shown(std::string_view bytes) const;

    Choice choice_;
    std::function<void(std::string_view)> print_;
    std::map<Source, std::string> unfinished_;
};

/// A line of `amp logs --json`: schema amp.log/1.
Value log_document(const LogLine& line);

}  // namespace amp
