#include "cli/terminal.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace amp {

TEST_CASE("colour: the option, then NO_COLOR, then what forces it, then the terminal") {
    struct Row {
        const char* what;
        ColorMode mode;
        Environment environment;
        bool tty;
        bool color;
    };
    const ColorMode automatic = ColorMode::automatic;
    const std::vector<Row> rows = {
        {"a terminal", automatic, {}, true, true},
        {"a pipe", automatic, {}, false, false},
        {"always wins over all", ColorMode::always, {{"NO_COLOR", "1"}, {"TERM", "dumb"}}, false, true},
        {"never wins over all",
         ColorMode::never,
         {{"CLICOLOR_FORCE", "1"}, {"FORCE_COLOR", "3"}},
         true,
         false},
        {"NO_COLOR", automatic, {{"NO_COLOR", "1"}}, true, false},
        {"an empty NO_COLOR is none", automatic, {{"NO_COLOR", ""}}, true, true},
        {"NO_COLOR wins over force", automatic, {{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}}, true, false},
        {"CLICOLOR_FORCE", automatic, {{"CLICOLOR_FORCE", "1"}}, false, true},
        {"CLICOLOR_FORCE=0 is none", automatic, {{"CLICOLOR_FORCE", "0"}}, false, false},
        {"FORCE_COLOR", automatic, {{"FORCE_COLOR", "1"}}, false, true},
        {"FORCE_COLOR=0 says no", automatic, {{"FORCE_COLOR", "0"}}, true, false},
        {"force wins over a dumb terminal", automatic, {{"FORCE_COLOR", "1"}, {"TERM", "dumb"}}, true, true},
        {"a dumb terminal", automatic, {{"TERM", "dumb"}}, true, false},
        {"CLICOLOR=0", automatic, {{"CLICOLOR", "0"}}, true, false},
        {"a terminal that is said to be one", automatic, {{"AMP_FORCE_TTY", ""}}, false, true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const Presentation out = decide_presentation(row.mode, row.environment, {row.tty, false, 0});
        CHECK(out.color_out == row.color);
        const Presentation err = decide_presentation(row.mode, row.environment, {false, row.tty, 0});
        CHECK(err.color_err == row.color);
    }
}

TEST_CASE("width: the terminal's, 80 where it does not tell, none for a pipe") {
    CHECK(decide_presentation(ColorMode::automatic, {}, {true, true, 132}).width == 132);
    CHECK(decide_presentation(ColorMode::automatic, {}, {true, true, 0}).width == 80);
    CHECK(decide_presentation(ColorMode::automatic, {}, {false, true, 132}).width == 0);
    CHECK(decide_presentation(ColorMode::automatic, {{"AMP_FORCE_TTY", "50"}}, {}).width == 50);
    CHECK(decide_presentation(ColorMode::automatic, {{"AMP_FORCE_TTY", "1"}}, {}).width == 80);
}

TEST_CASE("the locale decides on Unicode, LC_ALL before LANG") {
    CHECK(decide_presentation(ColorMode::automatic, {{"LANG", "de_DE.UTF-8"}}, {}).unicode);
    CHECK(decide_presentation(ColorMode::automatic, {{"LC_CTYPE", "C.utf8"}}, {}).unicode);
    CHECK(!decide_presentation(ColorMode::automatic, {{"LANG", "de_DE.UTF-8"}, {"LC_ALL", "C"}}, {}).unicode);
    CHECK(!decide_presentation(ColorMode::automatic, {}, {}).unicode);
}

TEST_CASE("styles add nothing without colour") {
    CHECK(Style(false).red("x") == "x");
    CHECK(Style(true).red("x") == "\x1b[31mx\x1b[0m");
    CHECK(Style(true).state("failed", "x") == Style(true).red("x"));
    CHECK(Style(true).state("waiting", "x") == "x");
}

TEST_CASE("a task's colours pass, what else steers a terminal becomes visible") {
    CHECK(safe_for_terminal("\x1b[1;31mred\x1b[0m 10%\r20%\n") == "\x1b[1;31mred\x1b[0m 10%\r20%\n");
    CHECK(safe_for_terminal("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
    CHECK(safe_for_terminal("\x1b[2J") == "\\x1b[2J");
    CHECK(safe_for_terminal("\x1b[31") == "\\x1b[31");
    CHECK(safe_for_terminal("\x1b") == "\\x1b");
    CHECK(safe_for_terminal("\xff ä") == "\\xff ä");
}

}  // namespace amp
