#include "core/base/line_diff.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace amp;

namespace {

std::string side(const std::vector<LineChange>& changes, LineChange::Kind without) {
    std::string out;
    for (const LineChange& change : changes) {
        if (change.kind != without) {
            out.append(change.text).append("\n");
        }
    }
    return out;
}

}  // namespace

TEST_CASE("a difference is written as diff -u writes it") {
    CHECK(unified_diff("a\nb\nc\n", "a\nB\nc\n", "old", "new") ==
          "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    CHECK(unified_diff("", "x\n", "old", "new") == "--- old\n+++ new\n@@ -0,0 +1,1 @@\n+x\n");
    CHECK(unified_diff("x\n", "", "old", "new") == "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-x\n");
    CHECK(unified_diff("same\n", "same\n", "old", "new").empty());
}

TEST_CASE("changes that are far apart are hunks of their own") {
    std::string before;
    for (int i = 0; i < 40; ++i) {
        before += std::to_string(i) + "\n";
    }
    std::string after = before;
    after.replace(after.find("2\n"), 1, "two");
    after.replace(after.find("\n35\n") + 1, 2, "thirty-five");
    const std::string text = unified_diff(before, after, "old", "new");
    CHECK(text.find("@@ -1,6 +1,6 @@") != std::string::npos);
    CHECK(text.find("@@ -33,7 +33,7 @@") != std::string::npos);
}

TEST_CASE("both texts come back out of any difference, with their line numbers") {
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
        const auto text = [&] {
            std::string out;
            for (auto lines = random() % 12; lines > 0; --lines) {
                out += std::string(1, static_cast<char>('a' + random() % 3)) + "\n";
            }
            return out;
        };
        const std::string before = text();
        const std::string after = text();
        const auto changes = diff_lines(before, after);
        CHECK(side(changes, LineChange::Kind::added) == before);
        CHECK(side(changes, LineChange::Kind::removed) == after);
        std::size_t old_line = 1;
        std::size_t new_line = 1;
        for (const LineChange& change : changes) {
            CHECK(change.old_line == old_line);
            CHECK(change.new_line == new_line);
            old_line += change.kind != LineChange::Kind::added ? 1 : 0;
            new_line += change.kind != LineChange::Kind::removed ? 1 : 0;
        }
    }
}

TEST_CASE("a script is the shortest") {
    const auto changes = diff_lines("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n");
    std::size_t edits = 0;
    for (const LineChange& change : changes) {
        edits += change.kind != LineChange::Kind::same ? 1 : 0;
    }
    CHECK(edits == 5);
}
