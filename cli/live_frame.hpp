#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace amp {

/// How far a step is, or all of them.
struct StepProgress {
    std::string name;
    std::uint64_t done = 0;
    std::uint64_t all = 0;
    std::uint64_t running = 0;
    std::uint64_t failed = 0;  ///< for good: not those that are caught
    double rate = 0;           ///< tasks a second; 0: unknown
    double took_s = -1;        ///< since its first task began; below 0: none has
    double left_s = -1;        ///< below 0: unknown
};

struct TaskProgressLine {
    std::string name;
    std::string where = {};
    double took_s = -1;  ///< below 0: unknown
    std::uint32_t attempt = 1;
    double done = -1;       ///< of 1, as the task told; below 0: it told nothing
    std::string text = {};  ///< that it told
};

/// A run at a moment.
struct RunProgress {
    std::vector<StepProgress> steps;  ///< that have begun, or could
    StepProgress total;
    std::uint64_t waiting = 0;            ///< tasks, for people or the world
    std::vector<TaskProgressLine> tasks;  ///< some of those that run, longest first; then of those that wait
};

struct FrameSize {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

/// How wide columns were so far: what once had its place keeps it, so that nothing jumps.
struct FrameWidths {
    std::size_t columns = 0;  ///< of the terminal that they are for
    std::size_t name = 0;
    std::array<std::size_t, 6> numbers{};
};

/// The lines that stand below everything else while the run goes on: steps, all together, what runs now. Each
/// takes less than `columns`, together they take at most two thirds of `rows`.
std::vector<std::string> live_frame(const RunProgress& run, const FrameSize& size, const Style& style,
                                    bool unicode, FrameWidths& widths);

/// The same in one line: "12 of 50 tasks done, 2 running, 1 failed, 1m04s, ~3m left".
std::string live_line(const RunProgress& run, std::size_t columns, bool unicode);

/// "4s", "1m04s", "2h05m", "3d04h": of one width within a minute, so that nothing jumps.
std::string clock_duration(double seconds);

}  // namespace amp
