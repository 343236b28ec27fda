#include "core/store/frames.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace amp;

TEST_CASE("a frame is text that grep finds, and reads back") {
    std::string out = "before\n";
    frames::append(out, 42, 3, "task_ended", R"({"exit":0})");
    CHECK(out.starts_with("before\nA1 42 3 task_ended 10 "));
    CHECK(out.ends_with("\n{\"exit\":0}\n"));
    const auto frame = frames::read(out, 7);
    REQUIRE(frame);
    CHECK(frame->seq == 42);
    CHECK(frame->epoch == 3);
    CHECK(frame->type == "task_ended");
    CHECK(frame->payload == R"({"exit":0})");
    CHECK(frame->end == out.size());
    CHECK_FALSE(frames::read(out, 0));
    CHECK_FALSE(frames::read(out, out.size()));
    CHECK_FALSE(frames::read(out, out.size() + 5));
}

TEST_CASE("no cut and no flipped bit goes unseen") {
    std::string sound;
    frames::append(sound, 7, 1, "x_y", std::string(60, 'a') + "\n" + std::string("\0", 1));
    for (std::size_t n = 0; n < sound.size(); ++n) {
        CHECK_FALSE(frames::read(std::string_view(sound).substr(0, n), 0));
    }
    for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
        std::string bad = sound;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        CHECK_FALSE(frames::read(bad, 0));
    }
}

TEST_CASE("odd headers are no frames") {
    for (const char* bad : {"A1 ", "A1 1 1 x 0 00000000", "A1 -1 1 x 0 00000000\n\n",
                            "A1 1 1 x 99999999999999999999 00000000\n\n", "A1 1 99999999999 x 0 00000000\n\n",
                            "A1  1 x 0 00000000\n\n", "A1 1 1  0 00000000\n\n"}) {
        CAPTURE(bad);
        CHECK_FALSE(frames::read(bad, 0));
    }
}

TEST_CASE("the next sound frame is found behind broken bytes") {
    std::string out = "A1 garbage A1 1 1 x 5 ";
    const std::size_t first = out.size();
    frames::append(out, 1, 1, "x", "{}");
    const std::size_t second = out.size();
    frames::append(out, 2, 1, "y", "");
    CHECK(frames::find_next(out, 0) == first);
    CHECK(frames::find_next(out, first) == first);
    CHECK(frames::find_next(out, first + 1) == second);
    CHECK_FALSE(frames::find_next(out, second + 1));
}
