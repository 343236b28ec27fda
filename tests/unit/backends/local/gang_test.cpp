#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

TaskSpec gang(const std::string& step, std::uint32_t ranks, const std::string& script) {
    TaskSpec spec = shell_task(step, script);
    spec.gang = Gang{ranks, 1, Launcher::none};
    spec.resources.cpu = 0.001;
    return spec;
}

AttemptResult run_alone(TemporaryStore& store, LocalBackendOptions options, const TaskSpec& spec) {
    LocalBackend backend(store.files(), std::move(options));
    backend.submit({&spec, 1});
    Seen seen;
    watch_ends(backend, seen, 1);
    backend.close();
    return seen.result(spec.task.step);
}

}  // namespace

TEST_CASE("a gang of which one rank cannot be started ends before it does anything") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.run_keeper = [run = options.run_keeper](const KeeperOptions& keeper) {
        const rlimit few{100, 100};
        setrlimit(RLIMIT_NOFILE, &few);
        return run(keeper);
    };
    const TaskSpec spec = gang("many", 200, "sleep 5; touch " + store.root() + "/done");
    const AttemptResult result = run_alone(store, std::move(options), spec);
    CHECK(result.cause == Cause::infra);
    CHECK(result.message.starts_with("rank "));
    CHECK(result.message.find("Too many open files") != std::string::npos);
    REQUIRE(result.ranks.size() == 200);
    CHECK(result.ranks.front() == RankEnd{-1, SIGKILL});
    CHECK(result.ranks.back() == RankEnd{-1, 0});
    CHECK_FALSE(token_lives(spec.token));
    CHECK(read_file(store.root() + "/done").empty());
}

TEST_CASE("the ranks' logs lie in the result, each its own") {
    TemporaryStore store;
    const AttemptResult result = run_alone(store, options_for(store),
                                           gang("talk", 3, "echo $AMP_RANK; test $AMP_RANK != 2 || exit 5"));
    CHECK(result.failed_rank == std::uint32_t{2});
    CHECK(result.exit == 5);
    std::string told;
    for (const LogPiece& piece : result.log) {
        REQUIRE(piece.rank);
        told += std::to_string(*piece.rank) + ":" + read_piece(store.files(), piece);
    }
    CHECK(told.find("2:2\n") != std::string::npos);
}

TEST_CASE("more ranks than a machine can have are refused") {
    TemporaryStore store;
    const AttemptResult result =
        run_alone(store, options_for(store), gang("giant", k_most_ranks + 1, "exit 0"));
    CHECK(result.cause == Cause::quota);
}

TEST_CASE("a rank that ignores TERM is killed after the grace") {
    TemporaryStore store;
    TaskSpec spec = gang("deaf", 2,
                         "if test $AMP_RANK = 1; then trap '' TERM; touch " + store.root() +
                             "/deaf; while :; do sleep 0.1; done; fi; until test -e " + store.root() +
                             "/deaf; do sleep 0.01; done; exit 1");
    spec.grace_s = 0.2;
    const AttemptResult result = run_alone(store, options_for(store), spec);
    CHECK(result.failed_rank == std::uint32_t{0});
    REQUIRE(result.ranks.size() == 2);
    CHECK(result.ranks[1] == RankEnd{-1, SIGKILL});
    CHECK_FALSE(token_lives(spec.token));
}
