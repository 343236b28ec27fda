// What goes wrong between a driver and its agent.

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "backends/agent/far_messages.hpp"
#include "backends/local/keeper_contact.hpp"
#include "backends/ssh/own_binary.hpp"
#include "core/base/error.hpp"
#include "core/store/objects.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/unit/backends/ssh/far_harness.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("trouble of our own store says nothing of what was done there") {
    World world;
    MemoryStore here;
    SshBackend backend(here, world.here.files(), world.far.options());
    backend.open();
    submit(backend, shell_task("task", "head -c 100000 /dev/urandom > $AMP_OUT/raw"));
    watch(backend, world.seen, [&] { return world.seen.has_started("task"); });
    here.die_after(2);  // it may see that the object is not there
    CHECK_THROWS_AS(watch_ends(backend, world.seen, 1), Error);
    CHECK(world.seen.ended.empty());
    here.revive();
    SshBackend next(here, world.here.files(), world.far.options(2));
    const Adoption adoption = next.adopt();
    REQUIRE(adoption.ended.size() == 1);
    CHECK(adoption.ended[0].succeeded());
    CHECK(Objects(here).get(adoption.ended[0].artifacts.at("raw").sha256).size() == 100'000);
    next.close();
}

TEST_CASE("code of which the image holds the rest lies there as what is shipped") {
    World world;
    CodeManifest code;
    const ObjectInfo text = Objects(world.here.objects()).put("text\n");
    code.mode = CodeMode::image_diff;
    code.base = std::string(40, 'a');
    code.entries = {{"sub/text", false, "", text.size_bytes, text.sha256}};
    code.hash = hash_of(code);
    SshBackendOptions options = world.far.options();
    options.project_folder = "/home/somebody/project";
    for (const CodeMode mode : {CodeMode::image_diff, CodeMode::image}) {
        code.mode = mode;
        if (mode == CodeMode::image) {
            code.entries.clear();
            code.hash = hash_of(code);
        }
        options.code = std::make_shared<const CodeManifest>(code);
        SshBackend backend(world.here.objects(), world.here.files(), options);
        backend.adopt();
        TaskSpec spec = shell_task(mode == CodeMode::image ? "without" : "with", "cat text || echo none");
        spec.cwd = options.project_folder + "/sub";
        submit(backend, spec);
        Seen seen;
        watch_ends(backend, seen, 1);
        const AttemptResult& result = seen.result(spec.task.step);
        CHECK(result.message.empty());
        CHECK(log_of(world.here, result).ends_with(mode == CodeMode::image ? "none\n" : "text\n"));
        backend.close();
        ++options.epoch;
    }
}

TEST_CASE("ends of before are told also when the line breaks before they were") {
    World world;
    {
        const auto first = world.drive();
        first->open();
        submit(*first, shell_task("ended", "head -c 400000 /dev/zero | tr '\\0' x"));
        watch_ends(*first, world.seen, 1);
        first->close();
    }
    // The log comes behind the agent's welcome and before the ends: there the line is cut, once.
    TemporaryStore fresh;
    SshBackendOptions options = world.far.options(2);
    const std::string agent = std::string(AMP_BINARY) + " agent --stdio --root " + world.far.root();
    const std::string sign = world.here.root() + "/cut";
    options.command = {"/bin/sh", "-c",
                       "if mkdir " + sign + " 2>/dev/null; then " + agent +
                           " | dd bs=65536 count=4 2>/dev/null; else exec " + agent + "; fi"};
    SshBackend second(fresh.objects(), fresh.files(), options);
    const Adoption adoption = second.adopt();
    CHECK(std::filesystem::exists(sign));
    REQUIRE(adoption.ended.size() == 1);
    CHECK(adoption.ended[0].task.step == "ended");
    CHECK(log_of(fresh, adoption.ended[0]).size() == 400'000);
    second.close();
}

TEST_CASE("another agent of the same driver is no death of the keeper") {
    World world;
    const auto backend = world.drive();
    backend->open();
    submit(*backend, world.gated("task"));
    watch(*backend, world.seen, [&] { return world.seen.has_started("task"); });
    const KeeperHistory history = read_history(world.far.store().files(), k_run, k_base + 1);
    auto late = reach_keeper(history);
    REQUIRE(late);
    REQUIRE(greet(*late, {k_run, 1, history.secret}, 5));
    watch(*backend, world.seen, [&] { return world.seen.notes.size() >= 2 || !world.seen.lost.empty(); });
    CHECK(world.seen.lost.empty());
    world.let_go("task");
    watch_ends(*backend, world.seen, 1);
    CHECK(world.seen.result("task").succeeded());
    CHECK(world.runs_of("task") == "run\n");
    backend->close();
}

TEST_CASE("the place of a failed task outlives the connection, and a word that frees it is not lost") {
    World world;
    SshBackendOptions options = world.far.options();
    const std::string cut = world.here.root() + "/cut";  // as long as it is there, nobody gets through
    options.command = {"/bin/sh", "-c",
                       "while test -e " + cut + "; do sleep 0.01; done; exec " + std::string(AMP_BINARY) +
                           " agent --stdio --root " + world.far.root()};
    SshBackend backend(world.here.objects(), world.here.files(), options);
    backend.open();
    const auto break_off = [&] {
        std::ofstream(cut) << "";
        const std::size_t notes = world.seen.notes.size();
        for (const pid_t pid : agents_of(world.far)) {
            kill(pid, SIGKILL);
        }
        watch(backend, world.seen, [&] { return world.seen.notes.size() > notes; });
    };
    TaskSpec spec = world.gated("task");
    spec.argv.back() = {{Piece::Kind::text, "touch $AMP_TASK_DIR/mine; echo $AMP_TASK_DIR/mine > " +
                                                world.here.root() + "/place; until test -e " +
                                                world.here.root() + "/task.go; do sleep 0.01; done; exit 3"}};
    spec.hold_s = 600;
    submit(backend, spec);
    watch(backend, world.seen, [&] { return world.seen.has_started("task"); });
    wait_for_file(world.here.root() + "/place");
    break_off();
    world.let_go("task");
    const auto ended = [&] {
        return read_history(world.far.store().files(), k_run, k_base + 1).ended.size() == 1;
    };
    for (int i = 0; i < 1000 && !ended(); ++i) {
        usleep(10'000);
    }
    REQUIRE(ended());
    std::filesystem::remove(cut);
    watch_ends(backend, world.seen, 1);
    CHECK(world.seen.result("task").exit == 3);
    std::string place = read_file(world.here.root() + "/place");
    place.pop_back();
    CHECK(std::filesystem::exists(place));

    break_off();
    const AttemptId id{spec.task, spec.attempt};
    backend.cancel({&id, 1});
    usleep(200'000);
    CHECK(std::filesystem::exists(place));
    std::filesystem::remove(cut);
    watch(backend, world.seen, [&] { return !std::filesystem::exists(place); });
    backend.close();
}

TEST_CASE("an agent that says that it lives is waited for, and a silent one is not") {
    World world;
    const auto write = [&world](const std::string& name, agent::Kind kind, std::string_view payload) {
        std::string frame;
        agent::append_frame(frame, kind, payload);
        std::ofstream(world.here.root() + "/" + name) << frame;
        return " cat " + world.here.root() + "/" + name + ";";
    };
    agent::FarWelcome welcome;
    welcome.host = "far";
    welcome.root = "/";
    const std::string begin =
        write("agent", agent::Kind::agent, agent::encode(agent::FarGreeting{own_binary_hash()}));
    const std::string alive = write("alive", agent::Kind::events, agent::k_no_events);
    const std::string met = write("met", agent::Kind::met, agent::encode(welcome));
    SshBackendOptions options = world.far.options();
    options.silence_s = 2;
    const std::string pause = " sleep 1;";
    options.command = {
        "/bin/sh", "-c",
        begin + pause + alive + pause + alive + pause + alive + pause + met + " exec cat >/dev/null"};
    SshBackend patient(world.here.objects(), world.here.files(), options);
    CHECK_NOTHROW(patient.open());
    options.command = {"/bin/sh", "-c", begin + " exec cat >/dev/null"};
    SshBackend silent(world.here.objects(), world.here.files(), options);
    CHECK_THROWS_AS(silent.open(), Error);
}

TEST_CASE("what an agent says before it ends is told, and not what ssh makes of its end") {
    World world;
    std::string frames;
    agent::append_frame(frames, agent::Kind::agent, agent::encode(agent::FarGreeting{own_binary_hash()}));
    agent::append_frame(frames, agent::Kind::refused,
                        agent::encode_refusal("there is no room", ExitCode::store_full));
    std::ofstream(world.here.root() + "/frames") << frames;
    SshBackendOptions options = world.far.options();
    options.command = {"/bin/sh", "-c",
                       "echo '  --> ROOT/store' >&2; exec cat " + world.here.root() + "/frames"};
    for (int i = 0; i < 20; ++i) {
        SshBackend backend(world.here.objects(), world.here.files(), options);
        CHECK_THROWS_WITH_AS(backend.open(), "amp on far refuses: there is no room", Error);
    }
}

TEST_CASE("who waits for the first contact can be told to end") {
    World world;
    SshBackendOptions options = world.far.options();
    options.command = {"/bin/sh", "-c", "exec cat >/dev/null"};
    SshBackend backend(world.here.objects(), world.here.files(), options);
    sigset_t term;
    sigset_t before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &term, &before) == 0);
    ::kill(getpid(), SIGTERM);
    try {
        backend.open();
        FAIL("it was opened");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::terminated);
    }
    int taken = 0;
    sigwait(&term, &taken);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
