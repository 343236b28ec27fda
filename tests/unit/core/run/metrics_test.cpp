#include "core/run/metrics.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

using namespace amp;

TEST_CASE("points become a row a task, attempt and metric, in the order in which these begin") {
    MetricRows rows;
    const TaskName first{"train", {{0}, 0}};
    const TaskName second{"train", {{1}, 0}};
    rows.add({second, 1, "loss", 1, 3.0, {}});
    rows.add({first, 1, "loss", 1, 2.0, {}});
    rows.add({second, 1, "acc", {}, 0.5, {}});
    rows.add({second, 2, "loss", 1, 9.0, {}});
    rows.add({second, 1, "loss", 7, 1.0, {}});
    REQUIRE(rows.rows().size() == 4);
    const MetricRow& row = rows.rows()[0];
    CHECK(row.task == second);
    CHECK(row.name == "loss");
    CHECK(row.metric.count == 2);
    CHECK(row.metric.last == 1.0);
    CHECK(row.metric.step == 7);
    CHECK(row.metric.max == 3.0);
    CHECK(rows.rows()[1].task == first);
    CHECK(rows.rows()[2].name == "acc");
    CHECK(rows.rows()[3].attempt == 2);
}

TEST_CASE("as many metrics as one likes") {
    MetricRows rows;
    constexpr int k_names = 20'000;
    for (int round = 0; round < 5; ++round) {
        for (int name = 0; name < k_names; ++name) {
            rows.add({{"train", {}}, 1, fmt::format("metric{}", name), round, 1.0, {}});
        }
    }
    REQUIRE(rows.rows().size() == k_names);
    CHECK(rows.rows().back().metric.count == 5);
}
