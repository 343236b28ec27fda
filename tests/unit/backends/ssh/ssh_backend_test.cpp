// Tasks on "another machine": the agent is the real program, started without ssh.

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "tests/unit/backends/ssh/far_harness.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("inputs go there, outputs and logs come back") {
    World world;
    const auto backend = world.drive();
    backend->open();
    CHECK(backend->capacity().cpu > 0);
    TaskSpec maker = shell_task(
        "maker",
        "head -c 3000000 /dev/urandom > $AMP_OUT/raw; head -c 300000 /dev/zero > $AMP_OUT/packed;"
        "mkdir -p $AMP_OUT/tree/empty $AMP_OUT/tree/a; echo text > $AMP_OUT/tree/a/file;"
        "head -c 70000 /dev/urandom > $AMP_OUT/tree/big; echo '[1, 2]' > $AMP_OUT/list.json;"
        "printf '\"%06000d\"' 0 > $AMP_OUT/middle.json; printf '\"%0100000d\"' 0 > $AMP_OUT/long.json;"
        "sha256sum < $AMP_OUT/raw; echo $AMP_OUT >&2");
    submit(*backend, maker);
    watch_ends(*backend, world.seen, 1);
    const AttemptResult& made = world.seen.result("maker");
    REQUIRE(made.message.empty());
    REQUIRE(made.artifacts.size() == 6);
    CHECK_FALSE(made.artifacts.at("middle").pack.empty());
    Objects objects(world.here.objects());
    CHECK(objects.get(made.artifacts.at("raw").sha256).size() == 3'000'000);
    CHECK(objects.get(made.artifacts.at("packed").sha256) == std::string(300'000, '\0'));
    CHECK(objects.get(made.artifacts.at("long").sha256).size() == 100'002);
    const std::string log = log_of(world.here, made);
    CHECK(log.find(world.far.root()) == std::string::npos);
    CHECK(log.size() > 64);

    // Now they are only here.
    std::filesystem::remove_all(world.far.store().folder() + "/objects");
    TaskSpec taker =
        shell_task("taker",
                   "sha256sum < $AMP_IN/raw; cat $AMP_IN/tree/a/file; ls $AMP_IN/tree;"
                   "wc -c < $AMP_IN/tree/big; cat $AMP_IN/list.json; wc -c < $AMP_IN/middle.json;"
                   "wc -c < $AMP_IN/long.json; wc -c < $AMP_IN/packed");
    for (const auto& [name, artifact] : made.artifacts) {
        taker.inputs.push_back({name, artifact});
    }
    const auto again = world.drive(2);
    again->adopt();
    submit(*again, taker);
    watch_ends(*again, world.seen, 2);
    const std::string taken = log_of(world.here, world.seen.result("taker"));
    CHECK(taken.substr(0, 64) == log.substr(0, 64));
    CHECK(taken.find("text\na\nbig\nempty\n70000\n[1,2]6002\n100002\n300000\n") != std::string::npos);
    again->close();
}

TEST_CASE("packs are mirrored byte for byte, under numbers of their own") {
    World world;
    const auto backend = world.drive();
    backend->open();
    submit(*backend, shell_task("task", "for i in 1 2 3; do echo $i; done"));
    watch_ends(*backend, world.seen, 1);
    const std::string key = layout::pack(k_run, k_base + 1, 1);
    const auto there = world.far.store().files().read(key, 0, 1'000'000);
    const auto here = world.here.files().read(key, 0, 1'000'000);
    REQUIRE(there);
    REQUIRE(here);
    CHECK(*there == *here);
    CHECK(world.here.files().list(layout::keeper_prefix(k_run)).empty());
    backend->close();
}

TEST_CASE("every byte of arguments, variables and secrets comes there unchanged") {
    World world;
    std::string bytes;
    for (int i = 1; i < 256; ++i) {
        bytes.push_back(static_cast<char>(i));
    }
    SshBackendOptions options = world.far.options();
    options.secrets = {{"env:TOKEN", "TOKEN", bytes + "secret"}};
    SshBackend backend(world.here.objects(), world.here.files(), options);
    backend.open();
    const std::string text = "'\"\\$(x)`!\n\t%s {{ }} \x01\x7f é *?~";
    TaskSpec spec =
        shell_task("task",
                   "printf %s \"$1\" > $AMP_OUT/argument; printf %s \"$WORD\" > $AMP_OUT/variable;"
                   "printf %s \"$TOKEN\" | wc -c; env | grep -c ^INHERITED=");
    spec.argv.push_back({{Piece::Kind::text, "sh"}});
    spec.argv.push_back({{Piece::Kind::text, text}});
    spec.env.emplace_back("WORD", LateText{{Piece::Kind::text, text}});
    spec.secrets.emplace_back("TOKEN", "env:TOKEN");
    setenv("INHERITED", "1", 1);
    submit(backend, spec);
    watch_ends(backend, world.seen, 1);
    const AttemptResult& result = world.seen.result("task");
    Objects objects(world.here.objects());
    for (const char* name : {"argument", "variable"}) {
        CHECK(objects.get(result.artifacts.at(name).sha256) == text);
    }
    CHECK(log_of(world.here, result) == "261\n0\n");
    backend.close();
}

TEST_CASE("an agent that dies takes nothing with it") {
    World world;
    const auto backend = world.drive();
    backend->open();
    submit(*backend, world.gated("one"));
    submit(*backend, world.gated("two"));
    watch(*backend, world.seen,
          [&] { return world.seen.has_started("one") && world.seen.has_started("two"); });
    for (int i = 0; i < 3; ++i) {
        const auto agents = agents_of(world.far);
        REQUIRE(agents.size() == 1);
        ::kill(agents[0], SIGKILL);
        if (i == 0) {
            world.let_go("one");  // ends while nobody listens
        }
        submit(*backend, shell_task("later", "echo later", static_cast<std::uint32_t>(i + 1)));
        watch(*backend, world.seen,
              [&] { return world.seen.has_ended("later", static_cast<std::uint32_t>(i + 1)); });
    }
    world.let_go("two");
    watch_ends(*backend, world.seen, 5);
    CHECK(world.runs_of("one") == "run\n");
    CHECK(world.runs_of("two") == "run\n");
    CHECK(world.seen.result("one").artifacts.at("v").value == Value(5));
    CHECK(log_of(world.here, world.seen.result("two")) == "done\n");
    CHECK(world.seen.lost.empty());
    CHECK(std::count_if(world.seen.notes.begin(), world.seen.notes.end(), [](const std::string& note) {
              return note.starts_with("no contact with far since");
          }) == 3);
    backend->close();
}

TEST_CASE("a keeper that dies there loses what ran, and the next one goes on") {
    World world;
    const auto backend = world.drive();
    backend->open();
    submit(*backend, world.gated("one"));
    watch(*backend, world.seen, [&] { return world.seen.has_started("one"); });
    ::kill(static_cast<pid_t>(world.keeper()), SIGKILL);
    watch(*backend, world.seen, [&] { return !world.seen.lost.empty(); });
    backend->open();
    TaskSpec again = world.gated("one");
    again.attempt = 2;
    world.let_go("one");
    submit(*backend, again);
    watch(*backend, world.seen, [&] { return world.seen.has_ended("one", 2); });
    CHECK(world.seen.result("one", 2).succeeded());
    CHECK_FALSE(world.seen.has_ended("one", 1));
    backend->close();
}

TEST_CASE("the next driver finds what the one before has left") {
    World world;
    {
        const auto first = world.drive();
        first->open();
        submit(*first, world.gated("running"));
        submit(*first, world.gated("ended"));
        submit(*first, shell_task("known", "echo 1 > $AMP_OUT/file.bin; exit 4"));
        watch(*first, world.seen, [&] {
            return world.seen.has_started("running") && world.seen.has_started("ended") &&
                   world.seen.has_ended("known");
        });
    }  // as though it had died
    world.let_go("ended");
    wait_for_file(world.here.root() + "/ended.go");
    const double deadline = steady_now() + 10;
    while (read_history(world.far.store().files(), k_run, k_base + 1).ended.size() < 2) {
        REQUIRE(steady_now() < deadline);
        usleep(1000);
    }
    const auto second = world.drive(2);
    const Adoption adoption = second->adopt();
    REQUIRE(adoption.running.size() == 1);
    CHECK(adoption.running[0].id.task.step == "running");
    REQUIRE(adoption.ended.size() == 2);
    CHECK(adoption.ended[0].task.step == "known");
    CHECK(adoption.ended[1].task.step == "ended");
    CHECK(log_of(world.here, adoption.ended[1]) == "done\n");
    CHECK(adoption.lost.empty());
    world.let_go("running");
    Seen seen;
    watch_ends(*second, seen, 1);
    CHECK(seen.result("running").succeeded());
    CHECK(seen.started.empty());
    CHECK(world.runs_of("running") == "run\n");
    second->close();
}

TEST_CASE("an earlier driver is fenced, also when it connects again") {
    World world;
    const auto first = world.drive(1);
    first->open();
    submit(*first, world.gated("one"));
    watch(*first, world.seen, [&] { return world.seen.has_started("one"); });
    const auto second = world.drive(2);
    CHECK(second->adopt().running.size() == 1);
    watch(*first, world.seen, [&] { return !world.seen.lost.empty(); });
    CHECK_THROWS_AS(first->open(), Error);
    const auto late = world.drive(1);
    CHECK_THROWS_AS(late->open(), Error);
    world.let_go("one");
    Seen seen;
    watch_ends(*second, seen, 1);
    CHECK(world.runs_of("one") == "run\n");
    second->close();
}

TEST_CASE("the code of the run lies there once, and tasks work in it") {
    World world;
    CodeManifest code;
    Objects objects(world.here.objects());
    const ObjectInfo script = objects.put("#!/bin/sh\necho from the project; pwd\necho 3 > x.json\n");
    const ObjectInfo text = objects.put("text\n");
    code.entries = {{"run.sh", true, "", script.size_bytes, script.sha256},
                    {"sub/link", false, "text", 0, ""},
                    {"sub/text", false, "", text.size_bytes, text.sha256}};
    code.hash = hash_of(code.entries);
    SshBackendOptions options = world.far.options();
    options.code = std::make_shared<const CodeManifest>(code);
    options.project_folder = "/home/somebody/project";
    for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
        options.epoch = epoch;
        SshBackend backend(world.here.objects(), world.here.files(), options);
        backend.adopt();
        TaskSpec spec = shell_task("task" + std::to_string(epoch), "../run.sh && cat link text && test -w .");
        spec.cwd = options.project_folder + "/sub";
        spec.outputs = {{"x", "./x.json", TaskOutput::Type::json, false}};
        submit(backend, spec);
        Seen seen;
        watch_ends(backend, seen, 1);
        const AttemptResult& result = seen.result("task" + std::to_string(epoch));
        CHECK(result.message.empty());
        CHECK(log_of(world.here, result) ==
              "from the project\n" + world.far.root() + "/code/" + code.hash + "/sub\ntext\ntext\n");
        CHECK(result.artifacts.at("x").value == Value(3));
        backend.close();
    }
    struct stat info {};
    REQUIRE(::stat((world.far.root() + "/code/" + code.hash + "/run.sh").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0555);
}

TEST_CASE("what cannot be reached at first is an error, and not waited for") {
    World world;
    SshBackendOptions options = world.far.options();
    options.command = {"/bin/sh", "-c",
                       "echo 'ssh: connect to host far port 22: Connection refused' >&2; exit 255"};
    SshBackend backend(world.here.objects(), world.here.files(), options);
    try {
        backend.open();
        FAIL("it was opened");
    } catch (const Error& error) {
        CHECK(error.message() ==
              "far cannot be reached: ssh: connect to host far port 22: Connection refused");
    }
    options.command = {"/bin/sh", "-c", "echo nonsense; cat >/dev/null"};
    SshBackend garbled(world.here.objects(), world.here.files(), options);
    CHECK_THROWS_AS(garbled.open(), Error);
    options.host = "-oProxyCommand=x";
    CHECK_THROWS_AS(SshBackend(world.here.objects(), world.here.files(), options), Error);
}

TEST_CASE("what waits can be cancelled without contact, and what runs when there is contact again") {
    World world;
    const auto backend = world.drive();
    backend->open();
    const TaskSpec running = world.gated("running");
    submit(*backend, running);
    watch(*backend, world.seen, [&] { return world.seen.has_started("running"); });
    ::kill(agents_of(world.far).at(0), SIGKILL);
    watch(*backend, world.seen, [&] { return !world.seen.notes.empty(); });
    const TaskSpec waiting = world.gated("waiting");
    submit(*backend, waiting);
    const std::vector<AttemptId> both = {{running.task, 1}, {waiting.task, 1}};
    backend->cancel(both);
    watch_ends(*backend, world.seen, 2);
    CHECK(world.seen.result("waiting").cause == Cause::cancelled);
    CHECK(world.seen.result("running").cause == Cause::cancelled);
    CHECK(world.runs_of("waiting").empty());
    backend->close();
}
