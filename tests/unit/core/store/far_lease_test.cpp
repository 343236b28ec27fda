#include "core/store/far_lease.hpp"

#include <doctest/doctest.h>

#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("the epoch of a lease elsewhere only rises, and tells an earlier driver so") {
    const std::string run = "261120-081530-k3fx";
    MemoryStore store;
    CHECK(raise_lease(store, run, 3) == 3);
    CHECK(read_lease(store, run)->epoch == 3);
    CHECK(raise_lease(store, run, 3) == 3);
    CHECK(raise_lease(store, run, 2) == 3);
    CHECK(read_lease(store, run)->epoch == 3);
    CHECK(raise_lease(store, run, 7) == 7);
    CHECK(read_lease(store, run)->epoch == 7);
    CHECK(read_lease(store, run)->released);
}
