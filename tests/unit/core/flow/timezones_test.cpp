#include "core/flow/timezones.hpp"

#include <doctest/doctest.h>

namespace amp {
namespace {

TEST_CASE("zones and their other names are known, and nothing else") {
    for (const char* zone :
         {"UTC", "GMT+0", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Asia/Calcutta",
          "Etc/GMT-14", "US/Eastern", "Australia/Lord_Howe", "Zulu"}) {
        CAPTURE(zone);
        CHECK(is_timezone(zone));
    }
    for (const char* other : {"", "/", "Europe", "Europe/", "Berlin", "/Berlin", "europe/berlin", "+02:00",
                              "Europe/Berlin ", "Europe/Berlin Paris", "CEST", "posix/UTC"}) {
        CAPTURE(other);
        CHECK_FALSE(is_timezone(other));
    }
}

TEST_CASE("what was meant is found by the city, other capitals and slips") {
    CHECK(nearest_timezone("Berlin") == "Europe/Berlin");
    CHECK(nearest_timezone("europe/berlin") == "Europe/Berlin");
    CHECK(nearest_timezone("Europe Berlin") == "Europe/Berlin");
    CHECK(nearest_timezone("Europe/Berlni") == "Europe/Berlin");
    CHECK(nearest_timezone("new_york") == "America/New_York");
    CHECK(nearest_timezone("utc") == "UTC");
    CHECK_FALSE(nearest_timezone("somewhere else entirely"));
}

}  // namespace
}  // namespace amp
