#include "core/base/ids.hpp"

#include <doctest/doctest.h>

#include <set>

#include "core/base/error.hpp"

using namespace amp;

TEST_CASE("run ids tell their time, sort by it, and are DNS labels") {
    const Timestamp at{1795162530123};
    CHECK(make_run_id(at, 0) == "261120-081530-5b22");
    CHECK(make_run_id(at, 26 + 27 * 25) == "261120-081530-5bzx");
    CHECK(make_run_id(at, ~std::uint64_t{0}) < make_run_id(at.plus_seconds(1), 0));
    for (std::int64_t ms = 0; ms < 2000; ++ms) {  // also within a second, to about a millisecond
        CHECK(make_run_id({at.ms + ms}, ~std::uint64_t{0}) < make_run_id({at.ms + ms + 2}, 0));
    }
    std::set<std::string> ids;
    for (int n = 0; n < 200; ++n) {
        const std::string id = make_run_id(at, random_bits());
        CHECK(is_run_id(id));
        CHECK(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
        ids.insert(id);
    }
    CHECK(ids.size() > 150);  // of 729 within a millisecond; runs are created conditionally
    for (const char* bad : {"", "latest", "261120-081530-k3f", "261120-081530-k3fxx", "261120-081530-aeio",
                            "26112a-081530-k3fx", "261120_081530-k3fx", "261120-081530-K3FX"}) {
        CHECK_FALSE(is_run_id(bad));
    }
}

TEST_CASE("tokens are long and never the same") {
    CHECK(make_token().size() == 26);
    CHECK(make_token() != make_token());
    CHECK(make_token().find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string::npos);
}

TEST_CASE("indices read and write") {
    for (const char* text : {"_", "3", "3.0", "0", "4294967295", "3.0@2", "_@2", "10.20.30"}) {
        CHECK(TaskIndex::parse(text).text() == text);
    }
    CHECK(TaskIndex::parse("3.0@2") == TaskIndex{{3, 0}, 2});
    for (const char* bad : {"", "x", "3.", ".3", "3..0", "-1", "+1", " 3", "3@", "3@x", "@2", "4294967296",
                            "__", "_.3", "3@0", "03", "3@1@2", "0x3"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(TaskIndex::parse(bad), Error);
    }
}

TEST_CASE("task names read and write") {
    CHECK(TaskName::parse("train/3.0").text() == "train/3.0");
    CHECK(TaskName::parse("train") == TaskName{"train", {}});
    CHECK(TaskName::parse("train/_") == TaskName{"train", {}});
    for (const char* bad : {"", "/3", "train/", "train/3/4"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(TaskName::parse(bad), Error);
    }
    CHECK(TaskName{"a", {{2}, 0}} < TaskName{"a", {{10}, 0}});
}
