// Tasks that misbehave, in real processes.

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include <filesystem>
#include <fstream>

#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

/// Runs one task to its end.
struct OneTask {
    TemporaryStore store;
    LocalBackend backend{store.files(), options_for(store)};
    Seen seen;

    const AttemptResult& run(const TaskSpec& spec, double seconds = 10) {
        backend.submit({&spec, 1});
        watch_ends(backend, seen, seen.ended.size() + 1, seconds);
        backend.go_on();
        return seen.ended.at({spec.task, spec.attempt});
    }
    const AttemptResult& run(const std::string& script) { return run(shell_task("task", script)); }
    ~OneTask() { backend.close(); }
};

TaskSpec program(std::vector<std::string> words) {
    TaskSpec spec = shell_task("task", "");
    spec.argv.clear();
    for (std::string& word : words) {
        spec.argv.push_back({{Piece::Kind::text, std::move(word)}});
    }
    return spec;
}

}  // namespace

TEST_CASE("a grandchild that ignores TERM does not outlive its task") {
    OneTask one;
    const TaskSpec spec =
        shell_task("task", "(trap '' TERM; touch started; sleep 1000) & while ! test -e started; do :; done");
    const double before = steady_now();
    CHECK(one.run(spec).succeeded());
    CHECK(steady_now() - before > 1.5);  // it got its grace
    CHECK_FALSE(token_lives(spec.token));
}

TEST_CASE("a daemon in a session of its own does not outlive its task") {
    OneTask one;
    const TaskSpec spec = shell_task(
        "task", "(setsid sh -c 'touch started; exec sleep 1000' &) ; while ! test -e started; do :; done");
    CHECK(one.run(spec).succeeded());
    CHECK_FALSE(token_lives(spec.token));
}

TEST_CASE("the number of a task's group can be nobody else's while what is left of it is ended") {
    OneTask one;
    const std::string sign = one.store.root() + "/sign";
    const TaskSpec spec =
        shell_task("task",
                   "export leader=$$; (trap '' TERM; touch started; while kill -0 $$; do sed -n "
                   "'s/^State:\t\\(.\\).*/\\1/p' /proc/$leader/status >> " +
                       sign + "; sleep 0.05; done) & while ! test -e started; do :; done");
    CHECK(one.run(spec).succeeded());
    CHECK_FALSE(token_lives(spec.token));
    const std::string states = read_file(sign);
    CHECK(states.size() > 20);
    CHECK(states.ends_with("Z\nZ\nZ\n"));
    REQUIRE(one.seen.notes.size() == 1);
    CHECK(one.seen.notes[0] == "task/_: what it had left running was ended");
}

TEST_CASE("what hides from its task's token does not outlive it in its group") {
    OneTask one;
    const std::string sign = one.store.root() + "/sign";
    CHECK(one.run("env -i sh -c 'echo $$ > " + sign + "; exec sleep 1000' & while ! test -s " + sign +
                  "; do :; done")
              .succeeded());
    CHECK(::kill(std::stoi(read_file(sign)), 0) != 0);
}

TEST_CASE("a task may close its streams and go on") {
    OneTask one;
    const AttemptResult& result = one.run("echo before; exec >&- 2>&-; sleep 0.1; exit 4");
    CHECK(result.exit == 4);
    CHECK(log_of(one.store, result) == "before\n");
}

TEST_CASE("a task may kill its own process group") {
    OneTask one;
    const AttemptResult& result = one.run("kill -KILL 0; sleep 5");
    CHECK(result.signal == 9);
    CHECK(result.cause == Cause::user);
    CHECK(result.message == "killed by signal 9 (KILL)");
    CHECK(one.run(shell_task("next", "exit 0")).succeeded());
}

TEST_CASE("a task may remove its scratch folder; the next one gets a sound one") {
    OneTask one;
    CHECK(one.run("cd /; rm -rf \"$AMP_TASK_DIR\"").succeeded());
    CHECK(one.run(shell_task("next", "test -d \"$AMP_OUT\" && echo 1 > \"$AMP_OUT/x.json\""))
              .artifacts.contains("x"));
    CHECK(one.run(shell_task("locked", "mkdir -p d/e; touch d/e/f; chmod 0 d/e d; umask 777")).succeeded());
    CHECK(one.run(shell_task("last",
                             "test -z \"$(ls -A \"$AMP_OUT\")\"; test \"$(ls -A . | xargs)\" = 'in out'"))
              .succeeded());
}

TEST_CASE("a flood keeps its head and its tail") {
    OneTask one;
    TaskSpec spec = shell_task("task", "head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last words");
    spec.log.head_bytes = 100'000;
    spec.log.tail_bytes = 50'000;
    const AttemptResult& result = one.run(spec, 30);
    CHECK(result.log_bytes == 200'000'012);
    CHECK(result.log_dropped_bytes == 200'000'012 - 150'000);
    const std::string log = log_of(one.store, result);
    CHECK(log.size() < 151'000);
    CHECK(log.ends_with("x\nlast words\n"));
    CHECK(log.find("bytes dropped") != std::string::npos);
}

TEST_CASE("lines that come one by one are not stored one by one") {
    OneTask one;
    const AttemptResult& result = one.run("i=0; while test $i -lt 3000; do echo line $i; i=$((i+1)); done");
    CHECK(result.log.size() < 30);
    CHECK(log_of(one.store, result).ends_with("line 2999\n"));
}

TEST_CASE("what cannot be executed says so") {
    OneTask one;
    const std::string plain = one.store.root() + "/plain";
    std::ofstream(plain) << "text\n";
    CHECK(one.run(program({plain})).exit == 126);
    CHECK(one.seen.result("task").message ==
          "cannot start '" + plain + "': Permission denied (is it executable?)");
    chmod(plain.c_str(), 0755);
    TaskSpec second = program({plain});
    second.attempt = 2;
    CHECK(one.run(second).message.find("no '#!' line") != std::string::npos);
    TaskSpec third = program({"true"});
    third.attempt = 3;
    third.cwd = "/no/such/folder";
    const AttemptResult& no_folder = one.run(third);
    CHECK(no_folder.message ==
          "cannot enter the working folder '/no/such/folder': No such file or directory");
    CHECK(no_folder.cause == Cause::user);
}

TEST_CASE("a timeout ends the task, and one that ignores TERM too") {
    OneTask one;
    TaskSpec spec = shell_task("task", "exec sleep 1000");
    spec.timeout_s = 0.2;
    CHECK(one.run(spec).cause == Cause::timeout);
    CHECK(one.seen.result("task").message == "timeout after 0.2 s");
    TaskSpec stubborn = shell_task("stubborn", "trap '' TERM; while :; do sleep 0.05; done");
    stubborn.timeout_s = 0.1;
    stubborn.grace_s = 0.3;
    const AttemptResult& result = one.run(stubborn);
    CHECK(result.cause == Cause::timeout);
    CHECK(result.signal == 9);
    CHECK_FALSE(token_lives(stubborn.token));
}

TEST_CASE("a stopped task can be cancelled") {
    OneTask one;
    const TaskSpec spec = shell_task("task", "kill -STOP $$; sleep 1000");
    one.backend.submit({&spec, 1});
    watch(one.backend, one.seen, [&] { return one.seen.has_started("task"); });
    const AttemptId id{spec.task, 1};
    one.backend.cancel({&id, 1});
    watch_ends(one.backend, one.seen, 1);
    CHECK(one.seen.result("task").cause == Cause::cancelled);
}

TEST_CASE("temporary failures have exit status 75") {
    OneTask one;
    CHECK(one.run("exit 75").cause == Cause::infra);
}

TEST_CASE("a task sees its own environment, not that of an outer task") {
    setenv("AMP_PARAM_OLD", "x", 1);
    setenv("AMP_STEP", "outer", 1);
    setenv("KEPT", "kept", 1);
    OneTask one;
    TaskSpec spec = shell_task(
        "task",
        R"(echo "$AMP_PARAM_OLD|$AMP_STEP|$KEPT|$AMP_ATTEMPT|$MINE|$OUT"; test -n "$AMP_TOKEN"; type amp)");
    spec.env = {{"MINE", {{Piece::Kind::text, "mine"}}}, {"OUT", {{Piece::Kind::output, "m"}}}};
    const AttemptResult& result = one.run(spec);
    CHECK(result.succeeded());
    const std::string log = log_of(one.store, result);
    CHECK(log.starts_with("||kept|1|mine|/"));
    CHECK(log.find("/out/m\n") != std::string::npos);
    TaskSpec isolated = shell_task("isolated", "echo \"$KEPT|$HOME\"");
    isolated.inherit_env = false;
    CHECK(log_of(one.store, one.run(isolated)).starts_with("|"));
}

TEST_CASE("a keeper without free descriptors starts its tasks one after the other") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.workers = 30;
    options.cpu = 30;
    options.run_keeper = [](const KeeperOptions& keeper) {
        const rlimit few{28, 28};
        setrlimit(RLIMIT_NOFILE, &few);
        return keeper_main(keeper);
    };
    LocalBackend backend(store.files(), options);
    std::vector<TaskSpec> specs;
    specs.reserve(30);
    for (int i = 0; i < 30; ++i) {
        specs.push_back(shell_task("task/" + std::to_string(i), "sleep 0.1"));
    }
    backend.submit(specs);
    Seen seen;
    watch_ends(backend, seen, specs.size(), 20);
    for (const auto& [id, result] : seen.ended) {
        CHECK(result.succeeded());
    }
    backend.close();
}
