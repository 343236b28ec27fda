#include <doctest/doctest.h>

#include "tests/support/meaning_table.hpp"

namespace amp::test {

TEST_CASE("the table of flows in tests/data/meaning, played on the plan") {
    const auto cases = read_meaning_cases(AMP_TEST_DATA "/meaning");
    CHECK(cases.size() >= 60);
    for (const MeaningCase& c : cases) {
        const std::string difference = play(c);
        CHECK_MESSAGE(difference.empty(), c.name << " (" << c.about << "): " << difference);
    }
}

}  // namespace amp::test
