#include "core/store/lease.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

const std::string k_run = "261120-081530-k3fx";
const Lease::Identity k_here{"laptop", 100, "ann"};
const Lease::Identity k_here_too{"laptop", 200, "bob"};
const Lease::Identity k_there{"ci-7", 300, "ci"};

/// A store, the local files of two hosts, and the time.
struct World {
    MemoryStore store;
    MemoryAppendFiles files;
    MemoryAppendFiles files_there;
    FakeClock clock;

    Lease acquire(const Lease::Identity& who, bool take_over = false) {
        return Lease::acquire(store, who.host == k_there.host ? files_there : files, clock, k_run, who,
                              take_over);
    }
    std::string refused(const Lease::Identity& who) {
        try {
            acquire(who);
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::busy);
            return error.message();
        }
        return "not refused";
    }
    bool driven_from(const Lease::Identity& who) {
        return is_driven(store, who.host == k_there.host ? files_there : files, clock, k_run, who.host);
    }
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("one driver at a time on one host, and the loser learns who it is") {
    World world;
    CHECK_FALSE(world.driven_from(k_here));
    CHECK_FALSE(read_lease(world.store, k_run));
    const Lease lease = world.acquire(k_here);
    CHECK(lease.epoch() == 1);
    const std::string message = world.refused(k_here_too);
    CHECK(contains(message, "laptop"));
    CHECK(contains(message, "100"));
    CHECK(contains(message, "ann"));
    CHECK(world.driven_from(k_here));
    CHECK(world.driven_from(k_there));
    world.clock.advance(1000);  // on its own host the lock counts, not the time
    CHECK(contains(world.refused(k_here_too), "100"));
    CHECK(world.driven_from(k_here));
}

TEST_CASE("a dead driver's lease is free at once on its host, with the next epoch") {
    World world;
    Lease dead = world.acquire(k_here);
    world.files.drop_locks();
    CHECK_FALSE(world.driven_from(k_here));
    CHECK(world.driven_from(k_there));  // from elsewhere nobody can know
    Lease next = world.acquire(k_here_too);
    CHECK(next.epoch() == 2);
    CHECK_THROWS_AS(dead.renew(), Error);
    next.renew();
    dead.release();
    CHECK(world.driven_from(k_here));
}

TEST_CASE("another host waits until the lease runs out") {
    World world;
    Lease lease = world.acquire(k_here);
    world.clock.advance(59);
    CHECK(contains(world.refused(k_there), "laptop"));
    lease.renew();
    world.clock.advance(59);
    CHECK(contains(world.refused(k_there), "laptop"));
    world.clock.advance(2);
    CHECK_FALSE(world.driven_from(k_there));
    const Lease next = world.acquire(k_there);
    CHECK(next.epoch() == 2);
    CHECK(contains(world.refused(k_here), "ci-7"));
    try {
        lease.renew();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::busy);
        CHECK(contains(error.message(), "ci-7"));
    }
    CHECK(read_lease(world.store, k_run)->pid == 300);
}

TEST_CASE("a take-over waits for nobody") {
    World world;
    Lease first = world.acquire(k_here);
    Lease second = world.acquire(k_there, true);
    CHECK(second.epoch() == 2);
    CHECK_THROWS_AS(first.renew(), Error);
    const Lease third = world.acquire(k_here_too, true);
    CHECK(third.epoch() == 3);
    CHECK_THROWS_AS(second.renew(), Error);
    CHECK(world.driven_from(k_here));
}

TEST_CASE("a machine of the same name with another disk cannot steal") {
    World world;
    const Lease lease = world.acquire(k_here);
    MemoryAppendFiles other_disk;
    CHECK_THROWS_AS(Lease::acquire(world.store, other_disk, world.clock, k_run, k_here_too), Error);
    world.clock.advance(61);
    CHECK(Lease::acquire(world.store, other_disk, world.clock, k_run, k_here_too).epoch() == 2);
}

TEST_CASE("a released lease is free for all, and leaves no lock file") {
    World world;
    {
        const Lease lease = world.acquire(k_here);
        CHECK(world.files.list("runs/").size() == 1);
    }
    CHECK_FALSE(world.driven_from(k_there));
    CHECK(read_lease(world.store, k_run)->released);
    Lease lease = world.acquire(k_there);
    CHECK(lease.epoch() == 2);
    lease.release();
    lease.release();
    CHECK(world.acquire(k_here).epoch() == 3);
}

TEST_CASE("when to renew is told in steady time") {
    World world;
    Lease lease = world.acquire(k_here);
    const double first = lease.renew_at();
    CHECK(first == doctest::Approx(world.clock.steady_seconds() + 20));
    world.clock.jump(-5000);
    world.clock.advance(20);
    lease.renew();
    CHECK(lease.renew_at() == doctest::Approx(first + 20));
}

TEST_CASE("a renewal whose answer got lost is no take-over") {
    for (std::size_t n = 1; n <= 2; ++n) {
        World world;
        Lease lease = world.acquire(k_here);
        world.clock.advance(20);
        world.store.lose_answer(n);
        CHECK_THROWS_AS(lease.renew(), Error);  // the store's error
        world.clock.advance(1);
        lease.renew();
        CHECK(read_lease(world.store, k_run)->epoch == 1);
        CHECK_FALSE(read_lease(world.store, k_run)->released);
        CHECK(read_lease(world.store, k_run)->until == world.clock.now().plus_seconds(60));
    }
}

TEST_CASE("a failed acquisition leaves nobody in the way") {
    for (std::size_t n = 1; n <= 6; ++n) {
        for (const bool lost : {false, true}) {
            CAPTURE(n);
            World world;
            lost ? world.store.lose_answer(n) : world.store.fail_call(n);
            std::optional<Lease> lease;
            try {
                lease.emplace(world.acquire(k_here));
            } catch (const Error& error) {
                CHECK(error.code() == ExitCode::infrastructure);
            }
            lease.reset();
            CHECK(world.acquire(k_here_too).epoch() >= 1);
        }
    }
}

TEST_CASE("a lease of a newer amp is refused") {
    World world;
    world.store.put(layout::lease(k_run), R"({"schema":2,"epoch":1})");
    CHECK_THROWS_AS(world.acquire(k_here), Error);
}
