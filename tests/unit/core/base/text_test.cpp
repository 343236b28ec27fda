#include "core/base/text.hpp"

#include <doctest/doctest.h>

using namespace amp;

TEST_CASE("UTF-8 by RFC 3629") {
    for (const char* good : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                             "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        CHECK(is_utf8(good));
        CHECK(to_utf8(good) == good);
    }
    for (const char* bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "a\xf0\x9f\x98"}) {
        CHECK_FALSE(is_utf8(bad));
        CHECK(is_utf8(to_utf8(bad)));
    }
    CHECK(to_utf8("a\xff"
                  "b") ==
          "a\xef\xbf\xbd"
          "b");
}

TEST_CASE("untrusted text cannot play tricks on a terminal") {
    CHECK(printable("plain gr\xc3\xbcn\n\ttext") == "plain gr\xc3\xbcn\n\ttext");
    CHECK(printable("\x1b[31mred\x07\r\x7f") == "\\x1b[31mred\\x07\\x0d\\x7f");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u009b31m");
    CHECK(printable("\xe2\x80\xae"
                    "evil") == "\\u202eevil");
    CHECK(printable("\xe2\x81\xa6") == "\\u2066");
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable(std::string("\0", 1)) == "\\x00");
    CHECK(printable("\xe2\x80\xa8") == "\\u2028");  // a line separator would end a line for some
}

TEST_CASE("quoting for shells") {
    CHECK(shell_quote("plain-1.0_x/y:z,@+%") == "plain-1.0_x/y:z,@+%");
    CHECK(shell_quote("") == "''");
    CHECK(shell_quote("a b") == "'a b'");
    CHECK(shell_quote("it's") == "'it'\\''s'");
    CHECK(shell_quote("$(x) `y` \"z\" \\ ! * ? ~ #\n") == "'$(x) `y` \"z\" \\ ! * ? ~ #\n'");
    for (const char* special : {"~", "a=b", "=ls", "{a,b}", "#", "!", "^", "a;b", "-x y"}) {
        CHECK(shell_quote(special).front() == '\'');
    }
    // A word that begins with '%' is a job to bash, with '+' or '-' an option at most: quoting cannot change
    // that.
}

TEST_CASE("split, join, trim, lower") {
    using Views = std::vector<std::string_view>;
    CHECK(split("a,b,,c", ',') == Views{"a", "b", "", "c"});
    CHECK(split("", ',') == Views{""});
    CHECK(split(",", ',') == Views{"", ""});
    const std::vector<std::string> parts = {"a", "", "b"};
    CHECK(join(parts, ", ") == "a, , b");
    CHECK(join({}, ",").empty());
    CHECK(trim("  a b\r\n") == "a b");
    CHECK(trim(" \t\n").empty());
    CHECK(lower("ABC\xc3\x9cz") == "abc\xc3\x9cz");
}

TEST_CASE("did you mean") {
    const std::vector<std::string> names = {"prepare", "train", "trains", "evaluate", "a", "ab"};
    CHECK(did_you_mean("trian", names) == "train");
    CHECK(did_you_mean("evalaute", names) == "evaluate");
    CHECK(did_you_mean("train", names) == "train");
    CHECK(did_you_mean("prepared", names) == "prepare");
    CHECK_FALSE(did_you_mean("deploy", names));
    CHECK(did_you_mean("ax", names) == "a");
    CHECK_FALSE(did_you_mean("xyz", names));
    CHECK_FALSE(did_you_mean("x", {}));
    CHECK_FALSE(did_you_mean("b", names));  // of one letter every other is at distance 1
    const std::vector<std::string> cased = {"lrs", "LR", "l"};
    CHECK(did_you_mean("lr", cased) == "LR");
    CHECK(did_you_mean("A", names) == "a");
}

TEST_CASE("durations") {
    CHECK(parse_duration("1h30m") == 5400);
    CHECK(parse_duration("90s") == 90);
    CHECK(parse_duration("90") == 90);
    CHECK(*parse_duration("250ms") == doctest::Approx(0.25));
    CHECK(parse_duration("1.5h") == 5400);
    CHECK(parse_duration("2d") == 172800);
    CHECK(parse_duration("1w") == 604800);
    CHECK(parse_duration(" 5m ") == 300);
    CHECK(parse_duration("0") == 0);
    for (const char* bad : {"", " ", "h", "1x", "-5s", "+5s", "1h30", "5 m", "1h 30m", "1e3", "inf", "nan",
                            "1hh", "s5", ".", "0x10", "1..5s"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
    CHECK(format_duration(4.21) == "4.2s");
    CHECK(format_duration(0) == "0.0s");
    CHECK(format_duration(42.4) == "42s");
    CHECK(format_duration(9.97) == "10s");
    CHECK(format_duration(59.7) == "1m");
    CHECK(format_duration(60) == "1m");
    CHECK(format_duration(5400) == "1h30m");
    CHECK(format_duration(3600) == "1h");
    CHECK(format_duration(3605) == "1h");
    CHECK(format_duration(90061) == "1d1h");
}

TEST_CASE("sizes") {
    CHECK(parse_size("64G") == 64'000'000'000U);
    CHECK(parse_size("64Gi") == 68'719'476'736U);
    CHECK(parse_size("64GiB") == 68'719'476'736U);
    CHECK(parse_size("64GB") == 64'000'000'000U);
    CHECK(parse_size("10B") == 10);
    CHECK(parse_size("1.5Ki") == 1536);
    CHECK(parse_size("1P") == 1'000'000'000'000'000U);
    for (const char* bad : {"", "64", "G", "-1G", "1 G", "1g", "1Zi", "1GBB", "1BB", "99999P", "infG"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_size(bad));
    }
    CHECK(format_size(0) == "0 B");
    CHECK(format_size(1023) == "1023 B");
    CHECK(format_size(1288490188) == "1.2 GiB");
    CHECK(format_size(1024) == "1.0 KiB");
    CHECK(format_size(1048575) == "1.0 MiB");
}
