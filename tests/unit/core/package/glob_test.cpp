#include "core/package/glob.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/package/code_manifest.hpp"
#include "core/package/glob_rules.hpp"

using amp::Glob;
using amp::glob_matches;
using amp::GlobRules;

TEST_CASE("a glob matches paths as a shell with globstar does") {
    struct Row {
        const char* glob;
        const char* path;
        bool matches;
    };
    const Row rows[] = {
        {"train.py", "train.py", true},
        {"train.py", "src/train.py", false},
        {"*.py", "train.py", true},
        {"*.py", "src/train.py", false},
        {"*", "a", true},
        {"**", "a/b/c", true},
        {"**/*.py", "train.py", true},
        {"**/*.py", "src/deep/train.py", true},
        {"**/*.py", "src/train.pyc", false},
        {"src/**/test.py", "src/test.py", true},
        {"src/**/test.py", "src/a/b/test.py", true},
        {"src/**/test.py", "lib/a/test.py", false},
        {"**/a/**/b", "x/a/y/a/z/b", true},
        {"**/a/**/b", "x/b/y/a/z/c", false},
        {"*a/*b", "xaa/yb", true},
        {"*a/*b", "xa/ya/b", false},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXbXbX", false},
        {"?.txt", "a.txt", true},
        {"?.txt", ".txt", false},
        {"?.txt", "ab.txt", false},
        {"?.txt", "\xc3\xa9.txt", true},
        {"?.txt", "\xe9.txt", true},
        {"x?y", "x/y", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[^a-c]x", "bx", false},
        {"[]a]x", "]x", true},
        {"[a-]x", "-x", true},
        {"[\xc3\xa0-\xc3\xbc]x", "\xc3\xa9x", true},
        {"[a", "[a", true},
        {"[a", "a", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"[\\]]", "]", true},
        {"/src/a", "src/a", true},
        {"./src/a", "src/a", true},
        {"", "a", false},
        {"a**b", "axxb", true},
        {"a**b", "ax/xb", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.glob);
        CAPTURE(row.path);
        CHECK(glob_matches(row.glob, row.path) == row.matches);
    }
}

TEST_CASE("the name of a folder matches all that is in it, but not what begins alike") {
    CHECK(glob_matches("src", "src/a/b.py"));
    CHECK(glob_matches("src/", "src/a/b.py"));
    CHECK(glob_matches("s*/a", "src/a/b.py"));
    CHECK(glob_matches("**/a", "src/a/b.py"));
    CHECK_FALSE(glob_matches("src", "src2/a"));
    CHECK_FALSE(glob_matches("src/a", "src"));
    CHECK_FALSE(Glob("src").matches_exactly("src/a"));
}

TEST_CASE("no glob makes matching explode") {
    std::string glob;
    std::string deep;
    for (int i = 0; i < 200; ++i) {
        glob += "*a";
        deep += "**/a*a*a*b/";
    }
    CHECK_FALSE(glob_matches(glob + "b", std::string(5000, 'a')));
    std::string path;
    for (int i = 0; i < 500; ++i) {
        path += "aaaaaaaa/";
    }
    CHECK_FALSE(glob_matches(deep + "c", path + "d"));
}

TEST_CASE("of rules the last that matches decides") {
    GlobRules rules;
    rules.add_lines(
        "# a comment\n\n*.log\r\n!keep.log\n/top\nbuild/\ndoc/*.txt\n\\#odd\n\\!odd\nspace   \nkept\\ \n");
    CHECK(rules.names_file("a.log"));
    CHECK(rules.names_file("deep/er/a.log"));
    CHECK_FALSE(rules.names_file("deep/keep.log"));
    CHECK(rules.names_file("top"));
    CHECK_FALSE(rules.names_file("deep/top"));
    CHECK(rules.names_file("doc/a.txt"));
    CHECK_FALSE(rules.names_file("deep/doc/a.txt"));
    CHECK_FALSE(rules.names_file("doc/deep/a.txt"));
    CHECK(rules.names_file("#odd"));
    CHECK(rules.names_file("!odd"));
    CHECK(rules.names_file("space"));
    CHECK(rules.names_file("kept "));
    CHECK_FALSE(rules.names_file("a comment"));
}

TEST_CASE("a rule with a slash at its end names folders alone, at any depth, with all that is in them") {
    GlobRules rules;
    rules.add("build/");
    CHECK_FALSE(rules.names_file("build"));
    CHECK(rules.names_folder("build"));
    CHECK(rules.names_folder("a/build"));
    CHECK(rules.names_file("a/build/x/y"));
    rules.add("!a/build/x");
    CHECK(rules.names_file("a/build/x/y"));  // as in git: the folder itself would have to be taken back
    rules.add("!a/build");
    CHECK_FALSE(rules.names_file("a/build/x/y"));
    CHECK(rules.names_file("build/x"));
}

TEST_CASE("no rules name nothing") {
    const GlobRules rules;
    CHECK(rules.empty());
    CHECK_FALSE(rules.names_file("a"));
    CHECK_FALSE(rules.names_folder("a"));
}
