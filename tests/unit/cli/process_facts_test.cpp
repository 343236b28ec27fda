#include "cli/process_facts.hpp"

#include <doctest/doctest.h>

namespace amp {

TEST_CASE("a name is found by its number in a text like /etc/passwd") {
    const std::string text =
        "root:x:0:0:root:/root:/bin/bash\n# 7:x:7:\n\nbroken:x:12\n:x:13:13::/:/bin/sh\n"
        "ann:x:1000:100:Ann, B:/home/ann:/bin/sh\nann2:x:1000:100::/:/bin/sh\nlast:x:5:5:::";
    CHECK(name_in_passwd(text, 0) == "root");
    CHECK(name_in_passwd(text, 1000) == "ann");
    CHECK(name_in_passwd(text, 5) == "last");
    CHECK(!name_in_passwd(text, 100));  // a group
    CHECK(!name_in_passwd(text, 12));
    CHECK(!name_in_passwd(text, 13));
    CHECK(!name_in_passwd(text, 7));
    CHECK(!name_in_passwd("", 0));
}

TEST_CASE("the environment goes first, unless it is empty") {
    CHECK(user_name({{"USER", "ann"}, {"LOGNAME", "bob"}}) == "ann");
    CHECK(user_name({{"USER", ""}, {"LOGNAME", "bob"}}) == "bob");
}

}  // namespace amp
