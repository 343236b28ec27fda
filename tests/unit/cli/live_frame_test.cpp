#include "cli/live_frame.hpp"

#include <doctest/doctest.h>

#include "cli/live_screen.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

StepProgress step(const char* name, std::uint64_t done, std::uint64_t all, std::uint64_t running = 0,
                  std::uint64_t failed = 0) {
    StepProgress out;
    out.name = name;
    out.done = done;
    out.all = all;
    out.running = running;
    out.failed = failed;
    return out;
}

RunProgress some_run() {
    RunProgress run;
    run.steps = {step("prepare", 1, 1), step("train", 123, 1000, 8, 2), step("judge", 0, 1)};
    run.steps[0].took_s = 4;
    run.steps[1].took_s = 64;
    run.steps[1].rate = 1.92;
    run.steps[1].left_s = 457;
    run.total = step("total", 124, 1002, 8, 2);
    run.total.took_s = 69;
    run.total.rate = 1.8;
    run.total.left_s = 488;
    run.tasks = {{"train/127", "node7", 12, 2, 0.4, "epoch 2 of 5"}, {"train/128", "", 3}};
    return run;
}

std::string frame(const RunProgress& run, std::size_t columns, std::size_t rows, bool unicode,
                  bool color = false) {
    FrameWidths widths;
    std::string out;
    for (const std::string& line : live_frame(run, {columns, rows}, Style(color), unicode, widths)) {
        CHECK(painted_width(line) < columns);
        out += line + "\n";
    }
    return out;
}

std::size_t lines(const std::string& text) {
    return split(text, '\n').size() - 1;
}

}  // namespace

TEST_CASE("a frame at 80 columns") {
    CHECK(frame(some_run(), 80, 24, true) ==
          "\n"
          "✓ prepare  ━━━━━━━━━━━━━━        1/1                                 4s\n"
          "✗ train    ━─────────────  123/1,000  8 running  2 failed  1.9/s  1m04s  ~7m37s\n"
          "  judge    ──────────────        0/1\n"
          "  total    ━─────────────  124/1,002  8 running  2 failed  1.8/s  1m09s  ~8m08s\n"
          "    train/127  12s  attempt 2  on node7  40 %  epoch 2 of 5\n"
          "    train/128   3s\n"
          "    … and 6 more\n");
}

TEST_CASE("a frame at 200 columns") {
    CHECK(frame(some_run(), 200, 50, true) ==
          "\n"
          "✓ prepare  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━        1/1                                 4s\n"
          "✗ train    ━━━───────────────────────────  123/1,000  8 running  2 failed  1.9/s  1m04s  ~7m37s "
          "left\n"
          "  judge    ──────────────────────────────        0/1\n"
          "  total    ━━━───────────────────────────  124/1,002  8 running  2 failed  1.8/s  1m09s  ~8m08s "
          "left\n"
          "    train/127  12s  attempt 2  on node7  40 %  epoch 2 of 5\n"
          "    train/128   3s\n"
          "    … and 6 more\n");
}

TEST_CASE("a frame without Unicode") {
    const std::string text = frame(some_run(), 80, 24, false);
    CHECK(text ==
          "\n"
          "+ prepare  ##############        1/1                                 4s\n"
          "x train    #-------------  123/1,000  8 running  2 failed  1.9/s  1m04s  ~7m37s\n"
          "  judge    --------------        0/1\n"
          "  total    #-------------  124/1,002  8 running  2 failed  1.8/s  1m09s  ~8m08s\n"
          "    train/127  12s  attempt 2  on node7  40 %  epoch 2 of 5\n"
          "    train/128   3s\n"
          "    ... and 6 more\n");
}

TEST_CASE("colours change nothing but colours") {
    std::string text = frame(some_run(), 80, 24, true, true);
    CHECK(text.find("\x1b[31m✗\x1b[0m") != std::string::npos);
    for (std::size_t at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
        text.erase(at, text.find('m', at) + 1 - at);
    }
    CHECK(text == frame(some_run(), 80, 24, true));
}

TEST_CASE("a low terminal: the total, what fails and runs first, what is done in a line") {
    RunProgress run = some_run();
    run.steps.insert(run.steps.begin(), {step("a", 1, 1), step("b", 2, 2), step("c", 3, 3)});
    CHECK(frame(run, 80, 10, true) ==
          "✓ 4 steps done\n"
          "✗ train         ━────────  123/1,000  8 running  2 failed  1.9/s  1m04s  ~7m37s\n"
          "  judge         ─────────        0/1\n"
          "  total         ━────────  124/1,002  8 running  2 failed  1.8/s  1m09s  ~8m08s\n"
          "    train/127  12s  attempt 2  on node7  40 %  epoch 2 of 5\n"
          "    … and 7 more\n");
}

TEST_CASE("a frame is never higher nor wider than there is room, whatever is to be told") {
    RunProgress run = some_run();
    for (int i = 0; i < 60; ++i) {
        run.steps.push_back(step("etap-東京-with-a-name-that-is-much-too-long", i % 3, 2, i % 2, i % 7 == 0));
        run.tasks.push_back({"etap-東京-with-a-name-that-is-much-too-long/12.34", "n", 3.0 * i});
    }
    run.total.running = 1000;
    for (const bool unicode : {false, true}) {
        for (std::size_t columns = 20; columns < 220; columns += columns < 100 ? 1 : 20) {
            CAPTURE(columns);
            frame(run, columns, 24, unicode);
        }
        for (std::size_t rows = 1; rows < 120; ++rows) {
            CAPTURE(rows);
            const std::size_t height = lines(frame(run, 80, rows, unicode));
            CHECK(height >= 1);
            CHECK(height <= std::max<std::size_t>(1, rows - 1));
            CHECK(height <= std::max<std::size_t>(3, rows * 2 / 3));
        }
    }
}

TEST_CASE("long names keep their beginnings and their ends, wide ones their columns") {
    RunProgress run;
    run.steps = {step("evaluate-every-checkpoint-of-all-models-on-b", 1, 2, 1), step("東京のデータ", 1, 1)};
    run.total = step("total", 2, 3, 1);
    CHECK(frame(run, 60, 24, true) ==
          "\n"
          "▸ evaluate-…dels-on-b  ━━━━━━━━━━──────────  1/2  1 running\n"
          "✓ 東京のデータ         ━━━━━━━━━━━━━━━━━━━━  1/1\n"
          "  total                ━━━━━━━━━━━━━───────  2/3  1 running\n"
          "    1 running\n");
}

TEST_CASE("what once had its place keeps it") {
    FrameWidths widths;
    RunProgress run = some_run();
    const auto before = live_frame(run, {80, 24}, Style(), true, widths);
    run.steps[1].running = 0;
    run.steps[1].rate = 0;
    run.steps[1].left_s = -1;
    run.total = step("total", 124, 1002);
    const auto after = live_frame(run, {80, 24}, Style(), true, widths);
    CHECK(after[1] == before[1]);
    CHECK(after[3] == before[3]);
}

TEST_CASE("durations in whole seconds") {
    CHECK(clock_duration(-1) == "0s");
    CHECK(clock_duration(59.9) == "59s");
    CHECK(clock_duration(64) == "1m04s");
    CHECK(clock_duration(3599) == "59m59s");
    CHECK(clock_duration(7500) == "2h05m");
    CHECK(clock_duration(273600) == "3d04h");
}

TEST_CASE("all of it in one line") {
    CHECK(live_line(some_run(), 80, true) ==
          "124 of 1,002 tasks done, 8 running, 2 failed, 1m09s, ~8m08s left");
    CHECK(live_line(some_run(), 30, true) == "124 of 1,002 tasks done, 8 r…");
}

}  // namespace amp
