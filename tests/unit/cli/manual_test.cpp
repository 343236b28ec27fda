#include "cli/manual.hpp"

#include <doctest/doctest.h>

#include "cli/command_list.hpp"
#include "cli/option_info.hpp"
#include "core/base/version.hpp"

namespace amp {

TEST_CASE("each command says all that its page has") {
    for (const CommandInfo& command : command_list()) {
        CAPTURE(command.name);
        CHECK(!command.description.empty());
        CHECK(!command.exits.empty());
        CHECK(!command.see_also.empty());
        CHECK(command.description.ends_with('.'));
        const std::string page = command_page(command);
        for (const char* section : {".Sh NAME\n", ".Sh SYNOPSIS\n", ".Sh DESCRIPTION\n", ".Sh EXIT STATUS\n",
                                    ".Sh EXAMPLES\n", ".Sh SEE ALSO\n"}) {
            CHECK(page.find(section) != std::string::npos);
        }
        CHECK(page.find("\n.\n") ==
              std::string::npos);  // an exit code without a meaning, an option without help
    }
}

TEST_CASE("a page is filled with keys, date and version") {
    CHECK(filled_page("@date@\n@version@\nx\n") ==
          std::string(".Dd ") + k_version_date + "\n.Os amp " + k_version + "\nx\n");
    const std::string keys = filled_page("@keys step@\n");
    CHECK(keys.find(".It Ic \"\\&needs\"\n") != std::string::npos);
    CHECK(keys.find(".It Ic \"\\&max\" Pq required\n") != std::string::npos);
    CHECK_THROWS_AS(filled_page("@keys nothing@\n"), Error);
}

TEST_CASE("text is wrapped by what it takes on the screen") {
    CHECK(wrapped("one two three", 2, 9) == "one two\n  three");
    CHECK(wrapped("\u00e4\u00e4\u00e4 \u00e4\u00e4\u00e4", 0, 7) == "\u00e4\u00e4\u00e4 \u00e4\u00e4\u00e4");
    CHECK(wrapped("overlongword x", 0, 4) == "overlongword\nx");
    CHECK(capitalized("run") == "Run");
    CHECK(capitalized("") == "");
}

}  // namespace amp
