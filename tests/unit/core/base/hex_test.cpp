#include "core/base/hex.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"

using namespace amp;

TEST_CASE("bytes are digits and back") {
    const std::string bytes("\x00\x7f\xff'!\n", 6);
    CHECK(to_hex(bytes) == "007fff27210a");
    CHECK(from_hex(to_hex(bytes)) == bytes);
    CHECK(from_hex("").empty());
    for (const char* bad : {"0", "0g", "0A", "zz"}) {
        CHECK_THROWS_AS(from_hex(bad), Error);
    }
}
