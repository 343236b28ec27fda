#include "cli/width.hpp"

#include <doctest/doctest.h>

namespace amp {

TEST_CASE("wide characters take two columns, combining ones none") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("Zürich") == 6);
    CHECK(display_width("Zu\u0308rich") == 6);
    CHECK(display_width("東京") == 4);
    CHECK(display_width("한국") == 4);
    CHECK(display_width("🚀!") == 3);
    CHECK(display_width("✓━…") == 3);
    CHECK(display_width("") == 0);
}

TEST_CASE("a cut text is never wider than asked for, and never half a character") {
    for (const char* text :
         {"a-rather-long-name", "東京東京東京東京", "Zu\u0308rich und Umgebung", "x東y京z"}) {
        for (std::size_t width = 4; width < 20; ++width) {
            for (const bool unicode : {false, true}) {
                CAPTURE(text);
                CAPTURE(width);
                CHECK(display_width(cut(text, width, unicode)) <= width);
                CHECK(display_width(cut_middle(text, width, unicode)) <= width);
            }
        }
    }
    CHECK(cut("a-rather-long-name", 10, true) == "a-rather-…");
    CHECK(cut("a-rather-long-name", 10, false) == "a-rathe...");
    CHECK(cut_middle("a-rather-long-name", 10, true) == "a-rat…name");
    CHECK(cut_middle("a-rather-long-name", 10, false) == "a-ra...ame");
    CHECK(cut_middle("東京東京東京東京", 9, true) == "東京…東京");
    CHECK(cut_middle("short", 9, true) == "short");
}

}  // namespace amp
