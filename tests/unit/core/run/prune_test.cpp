#include "core/run/prune.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "core/run/inspect.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/pausing_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr double k_day = 86400;
constexpr const char* k_flow = "[flow]\nname = \"F\"\n[step.a]\nrun = [\"true\"]\n";

std::vector<std::string> runs(FakeWorld& w) {
    std::vector<std::string> out;
    for (const RunSummary& run : list_run_summaries(*w.services, w.project, {})) {
        out.push_back(run.run);
    }
    return out;
}

std::string start(FakeWorld& w) {
    const std::string run = w.start().run;
    w.clock.advance(k_day);
    return run;
}

}  // namespace

TEST_CASE("no run goes unless told; old ones go when told, but for those that are tagged") {
    FakeWorld w(k_flow);
    const std::string first = start(w);
    const std::string second = start(w);
    const std::string third = start(w);
    tag_run(*w.services, w.project, first, {"keep"}, true);
    CHECK(prune_store(*w.services, w.project, {}).removed.empty());
    CHECK(runs(w).size() == 3);

    PruneOptions options;
    options.older_than_s = 1.5 * k_day;
    options.dry_run = true;
    CHECK(prune_store(*w.services, w.project, options).removed == std::vector{second});
    CHECK(runs(w).size() == 3);
    options.dry_run = false;
    const PruneReport report = prune_store(*w.services, w.project, options);
    CHECK(report.removed == std::vector{second});
    REQUIRE(report.kept.size() == 1);
    CHECK(report.kept[0].run == first);
    CHECK(report.kept[0].why == "it is tagged: keep");
    CHECK(runs(w) == std::vector{third, first});
    CHECK(w.store->list_after(layout::run_prefix(second), {}, 100).empty());
    CHECK(w.append_files.list(layout::run_prefix(second)).empty());
}

TEST_CASE("the newest runs stay") {
    FakeWorld w(k_flow);
    start(w);
    const std::string second = start(w);
    PruneOptions options;
    options.keep_last = 1;
    CHECK(prune_store(*w.services, w.project, options).removed.size() == 1);
    CHECK(runs(w) == std::vector{second});
    options.keep_last = 0;
    prune_store(*w.services, w.project, options);
    CHECK(runs(w).empty());
}

TEST_CASE("rm refuses a run that is tagged or driven") {
    FakeWorld w(k_flow);
    const std::string run = start(w);
    tag_run(*w.services, w.project, run, {"keep"}, true);
    CHECK_THROWS_AS(remove_runs(*w.services, w.project, {run}, false), Error);
    {
        const OpenStore store = w.services->open_store("", true);
        const Lease lease = Lease::acquire(*store.objects, *store.files, w.clock, run, {"box", 7, "bob"});
        CHECK_THROWS_AS(remove_runs(*w.services, w.project, {run}, true), Error);
    }
    CHECK(runs(w).size() == 1);
    CHECK(remove_runs(*w.services, w.project, {"latest"}, true) == std::vector{run});
    CHECK(runs(w).empty());
}

TEST_CASE("a removal that dies leaves no half run, and the next collection takes what is left") {
    for (std::size_t calls = 0;; ++calls) {
        FakeWorld w(k_flow);
        const std::string run = start(w);
        const std::string other = start(w);
        bool died = false;
        w.store->die_after(calls);
        try {
            remove_runs(*w.services, w.project, {run}, false);
        } catch (const Error&) {
            died = true;
        }
        w.store->revive();
        w.append_files.drop_locks();
        w.clock.advance(2 * k_day);
        const std::vector<std::string> left = runs(w);
        const bool whole = left == std::vector{other, run} && w.view(run).state == "succeeded";
        CHECK((whole || left == std::vector{other}));
        prune_store(*w.services, w.project, {});
        CHECK(runs(w) == left);
        if (!whole) {
            CHECK(w.store->list_after(layout::run_prefix(run), {}, 100).empty());
            CHECK(w.append_files.list(layout::run_prefix(run)).empty());
        }
        if (!died) {
            break;
        }
    }
}

TEST_CASE("the index tells what the records tell") {
    FakeWorld w(k_flow);
    bool fails = true;
    w.script = [&](const TaskSpec&) { return fails ? fail(Cause::user) : succeed(); };
    const std::string run = w.start().run;
    const auto state = [&] { return list_run_summaries(*w.services, w.project, {}).at(0).state; };
    const auto tags = [&] { return list_run_summaries(*w.services, w.project, {}).at(0).tags; };
    CHECK(state() == "failed");
    CHECK(w.store->get(layout::index_list())->bytes.find(run) != std::string::npos);
    CHECK(state() == "failed");

    SUBCASE("a tag is seen at once, and again when it goes") {
        tag_run(*w.services, w.project, run, {"x"}, true);
        CHECK(tags() == std::vector<std::string>{"x"});
        w.clock.advance(60);
        CHECK(tags() == std::vector<std::string>{"x"});
        CHECK(w.store->list_after(layout::index_mark_prefix(), {}, 10).empty());
        CHECK(tags() == std::vector<std::string>{"x"});
        tag_run(*w.services, w.project, run, {"x"}, false);
        CHECK(tags().empty());
    }
    SUBCASE("a run that is driven again is read anew") {
        fails = false;
        w.waiter.at_wait = [&](int) { CHECK(state() == "running"); };
        w.resume();
        CHECK(state() == "succeeded");
        w.clock.advance(60);
        CHECK(state() == "succeeded");
        CHECK(state() == "succeeded");
    }
    SUBCASE("it can be deleted or damaged at any time") {
        w.store->tamper(layout::index_list(), "amp runs 1 00000000\n" + run + " {}\n");
        CHECK(state() == "failed");
        w.store->remove(layout::index_list());
        CHECK(state() == "failed");
    }
    SUBCASE("a removed run is gone") {
        remove_runs(*w.services, w.project, {run}, false);
        CHECK(list_run_summaries(*w.services, w.project, {}).empty());
    }
    SUBCASE("an indexed run is not read again") {
        const std::size_t before = w.store->calls();
        state();
        const std::size_t one = w.store->calls() - before;
        CHECK(one <= 4);
    }
}
