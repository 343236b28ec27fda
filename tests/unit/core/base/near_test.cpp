#include "core/base/near.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace amp {

TEST_CASE("a hint names what is near, made printable, or says something else") {
    const std::vector<std::string> names = {"prepare", "train",
                                            "tr\x1b"
                                            "ace"};
    CHECK(near_hint("trian", names) == "did you mean 'train'?");
    CHECK(near_hint("tr\x1b"
                    "acee",
                    names) == "did you mean 'tr\\x1bace'?");
    CHECK(near_hint("evaluate", names, "its steps are many") == "its steps are many");
    CHECK(near_hint("evaluate", {}).empty());
}

}  // namespace amp
