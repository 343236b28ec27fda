#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace amp {

/// 261120-081530-k3fx: UTC time and four letters of an alphabet without vowels: two for the part of the
/// second, two by chance. A DNS label; sorts by time, to about a millisecond. Not unique by itself: create
/// runs conditionally.
/// @param random any 64 random bits
std::string make_run_id(Timestamp now, std::uint64_t random);
bool is_run_id(std::string_view text);

/// 64 random bits from the kernel.
std::uint64_t random_bits();
/// 128 random bits as 26 letters of lower-case base 32: who knows it may speak for an attempt.
std::string make_token();

/// Where a task stands in the foreaches around it, and its round of `repeat` (0: none).
/// Text: "_" outside any foreach, "3", "3.0", with a round "3.0@2" or "_@2".
struct TaskIndex {
    std::vector<std::uint32_t> path;
    std::uint32_t round = 0;

    std::string text() const;
    /// @throws Error(usage) when `text` is no index
    static TaskIndex parse(std::string_view text);
    auto operator<=>(const TaskIndex&) const =
        default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it
};

/// A task within a run: "STEP/INDEX".
struct TaskName {
    std::string step;
    TaskIndex index;

    std::string text() const { return step + "/" + index.text(); }
    /// "STEP/INDEX" or "STEP" alone (index `_`). @throws Error(usage)
    static TaskName parse(std::string_view text);
    auto operator<=>(const TaskName&) const =
        default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it
};

}  // namespace amp
