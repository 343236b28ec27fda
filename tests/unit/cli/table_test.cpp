#include "cli/table.hpp"

#include <doctest/doctest.h>

namespace amp {

TEST_CASE("columns line up, numbers to the right, and no line ends in blanks") {
    Table table({{"RUN"}, {"TASKS", Table::Align::right}, {"TAGS"}});
    table.add({"a", "5", ""});
    table.add({"längst", "12345", "x y"});
    CHECK(table.text({}) ==
          "RUN     TASKS  TAGS\n"
          "a           5\n"
          "längst  12345  x y\n");
}

TEST_CASE("only the last column is cut, to the width") {
    Table table({{"A"}, {"B"}});
    table.add({"1234567890", "abcdefghijklmnop"});
    Presentation narrow;
    narrow.width = 22;
    CHECK(table.text(narrow) == "A           B\n1234567890  abcdefg...\n");
    narrow.unicode = true;
    CHECK(table.text(narrow) == "A           B\n1234567890  abcdefghi…\n");
    CHECK(table.text({}).find("abcdefghijklmnop") != std::string::npos);
}

TEST_CASE("untrusted cells stay in their line") {
    Table table({{"A"}});
    table.add({"x\ny\tz\x1b[2J"});
    CHECK(table.text({}) == "A\nx y z\\x1b[2J\n");
}

TEST_CASE("colour does not move columns") {
    Table table({{"STATE"}, {"B"}});
    table.color_states(0);
    table.add({"ok", "1"});
    table.add({"failed", "2"});
    Presentation colored;
    colored.color_out = true;
    CHECK(table.text(colored) ==
          "\x1b[1mSTATE\x1b[0m   \x1b[1mB\x1b[0m\n"
          "ok      1\n"
          "\x1b[31mfailed\x1b[0m  2\n");
}

TEST_CASE("cutting counts code points and keeps them whole") {
    CHECK(cut("äöü", 3, true) == "äöü");
    CHECK(cut("äöüß", 3, true) == "äö…");
    CHECK(cut("äöüß", 3, false) == "...");
    CHECK(cut("abcd", 1, true) == "…");
}

TEST_CASE("numbers are grouped") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(1234567) == "1,234,567");
}

}  // namespace amp

TEST_CASE("a table that is too wide for a terminal is cut in its last column, then in its widest") {
    amp::Table table({{"RUN"}, {"STATE"}, {"FLOW"}, {"N", amp::Table::Align::right}, {"TAGS"}});
    table.color_states(1);
    table.add(
        {"261120-081530-k3fx", "interrupted", "a-flow-of-a-very-long-name", "1234567890", "one two three"});
    amp::Presentation presentation;
    presentation.unicode = true;
    presentation.width = 70;
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW                      N  TAGS\n"
          "261120-081530-k3fx  interrupted  a-flow-of-a-ve…  1234567890  one two…\n");
    presentation.width = 20;  // nothing is left to cut: it is as narrow as it can be
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW               N  TAGS\n"
          "261120-081530-k3fx  interrupted  a-flow-…  1234567890  one two…\n");
    presentation.width = 0;
    CHECK(table.text(presentation).find("a-flow-of-a-very-long-name  1234567890  one two three\n") !=
          std::string::npos);
}

TEST_CASE("what does not fit is left out whole, what is empty and what matters least first") {
    using amp::Table;
    Table table({{"RUN"},
                 {"STATE"},
                 {"FLOW", Table::Align::left, 1},
                 {"STARTED", Table::Align::left, 4, true},
                 {"TASKS", Table::Align::right, 5},
                 {"TAGS", Table::Align::left, 3}});
    table.color_states(1);
    table.add({"261120-081530-k3fx", "interrupted", "a-long-name", "11-20 08:15", "120/3456", ""});
    amp::Presentation presentation;
    presentation.unicode = true;
    presentation.width = 80;
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW         STARTED         TASKS  TAGS\n"
          "261120-081530-k3fx  interrupted  a-long-name  11-20 08:15  120/3456\n");
    presentation.width = 66;  // the tags, of which there are none
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW        STARTED         TASKS\n"
          "261120-081530-k3fx  interrupted  a-long-na…  11-20 08:15  120/3456\n");
    presentation.width = 60;
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW         STARTED …\n"
          "261120-081530-k3fx  interrupted  a-long-name  11-20 08:15\n");
    presentation.width = 45;
    CHECK(table.text(presentation) ==
          "RUN                 STATE        FLOW …\n"
          "261120-081530-k3fx  interrupted  a-long-name\n");
    presentation.width = 20;  // these stay
    CHECK(table.text(presentation) ==
          "RUN                 STATE\n"
          "261120-081530-k3fx  interrupted\n");
}
