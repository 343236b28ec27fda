#include "core/base/time.hpp"

#include <doctest/doctest.h>

using namespace amp;

TEST_CASE("times as RFC 3339 in UTC") {
    CHECK(format_time({0}) == "1970-01-01T00:00:00.000Z");
    CHECK(format_time({1795162530123}) == "2026-11-20T08:15:30.123Z");
    CHECK(format_time({-1}) == "1969-12-31T23:59:59.999Z");
    for (const std::int64_t ms :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{1795162530123}, std::int64_t{-1},
          std::int64_t{951782400000}, std::int64_t{4102444799999}}) {
        CHECK(parse_time(format_time({ms})) == Timestamp{ms});
    }
    for (std::int64_t ms = 1795162530000; ms < 1795162531000; ++ms) {
        CHECK(parse_time(format_time({ms})) == Timestamp{ms});
    }
    CHECK(parse_time("2026-11-20T08:15:30Z") == Timestamp{1795162530000});
    CHECK(parse_time("2026-11-20") == Timestamp{1795132800000});
    CHECK(parse_time("2024-02-29T00:00:00.000Z"));
}

TEST_CASE("what is no time") {
    for (const char* bad : {"",
                            "x",
                            "2026",
                            "2026-11",
                            "2026-13-01",
                            "2023-02-29",
                            "2026-11-20T",
                            "2026-11-20T08:15",
                            "2026-11-20T08:15:30",
                            "2026-11-20T24:00:00Z",
                            "2026-11-20T08:60:00Z",
                            "2026-11-20T08:15:30+01:00",
                            "2026-11-20T08:15:30.123Zx",
                            "2026-11-20x",
                            " 2026-11-20",
                            "2026-11-20T08:15:nanZ",
                            "2026-11-20T08:15:0x1Z",
                            "26-1-2",
                            "2026-11-20T-8:15:30Z",
                            "2026-11-20T08:15:1e1Z"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_time(bad));
    }
}

TEST_CASE("times add and subtract") {
    CHECK(Timestamp{1000}.plus_seconds(1.5) == Timestamp{2500});
    CHECK(Timestamp{2500}.seconds_since({1000}) == doctest::Approx(1.5));
    CHECK(Timestamp{1} < Timestamp{2});
}
