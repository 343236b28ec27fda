#include "cli/live_screen.hpp"

#include <doctest/doctest.h>

namespace amp {

TEST_CASE("a region is drawn over itself, and only what changed") {
    LiveScreen screen(false);
    CHECK(screen.draw({"one", "two"}, 80) == "\x1b[?25l\rone\x1b[K\r\ntwo\x1b[K\r\n\x1b[?25h");
    CHECK(screen.draw({"one", "TWO"}, 80) == "\x1b[?25l\x1b[2A\r\r\nTWO\x1b[K\r\n\x1b[?25h");
    CHECK(screen.draw({"one"}, 80) == "\x1b[?25l\x1b[2A\r\r\n\x1b[J\x1b[?25h");
    CHECK(screen.erase() == "\x1b[1A\r\x1b[J");
    CHECK(screen.erase().empty());
}

TEST_CASE("lines go by above it, in one write") {
    LiveScreen screen(false);
    CHECK(screen.above("text\n") == "text\n");
    screen.draw({"one"}, 80);
    CHECK(screen.above("text\n") == "\x1b[1A\r\x1b[Jtext\n\x1b[?25l\rone\x1b[K\r\n\x1b[?25h");
    screen.forget();
    CHECK(screen.above("text\n") == "text\n");
}

TEST_CASE("a narrower terminal has wrapped what was shown") {
    LiveScreen screen(false);
    screen.draw({"0123456789", "\x1b[1mab\x1b[0m"}, 80);
    CHECK(screen.draw({"x"}, 4) == "\x1b[?25l\x1b[4A\r\x1b[J\rx\x1b[K\r\n\x1b[?25h");
}

TEST_CASE("a single line needs no cursor moves, and covers what was longer") {
    LiveScreen screen(true);
    CHECK(screen.draw({"long line"}, 80) == "\rlong line");
    CHECK(screen.draw({"short"}, 80) == "\rshort    ");
    CHECK(screen.above("text\n") == "\r     \rtext\n\rshort");
    CHECK(screen.erase() == "\r     \r");
}

TEST_CASE("colours take no columns") {
    CHECK(painted_width("\x1b[1;31mab\x1b[0m c") == 4);
    CHECK(painted_width("\x1b[") == 0);
}

}  // namespace amp
