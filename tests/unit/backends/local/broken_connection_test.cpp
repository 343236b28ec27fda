// A driver and a keeper that live, and cannot speak with each other.

#include <doctest/doctest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/local/keeper_process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

/// Appends a line to `name` in the store's root each time it runs, and waits for `name`.go.
TaskSpec gated_task(TemporaryStore& store, const std::string& step) {
    const std::string file = store.root() + "/" + step;
    return shell_task(step, "echo run >> " + file + "; while ! test -e " + file + ".go; do sleep 0.01; done");
}

void let_go(TemporaryStore& store, const std::string& step) {
    std::ofstream(store.root() + "/" + step + ".go") << "";
}

std::string runs_of(TemporaryStore& store, const std::string& step) {
    return read_file(store.root() + "/" + step);
}

void submit(Backend& backend, const TaskSpec& spec) {
    backend.submit({&spec, 1});
}

pid_t keeper_of(TemporaryStore& store, std::uint32_t number = 1) {
    return static_cast<pid_t>(read_history(store.files(), k_run, number).pid);
}

/// The driver's end of its connection: the only socket that its epoll watches.
int socket_of(Backend& backend) {
    std::ifstream lines("/proc/self/fdinfo/" + std::to_string(backend.event_fd()));
    for (std::string word; lines >> word;) {
        int fd = -1;
        int type = 0;
        socklen_t length = sizeof type;
        if (word == "tfd:" && lines >> fd && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0) {
            return fd;
        }
    }
    FAIL("no connection");
    return -1;
}

void break_connection(Backend& backend) {
    shutdown(socket_of(backend), SHUT_RDWR);
}

Lease take_lease(TemporaryStore& store, SystemClock& clock) {
    return Lease::acquire(store.objects(), store.files(), clock, k_run, {"here", getpid(), "ann"}, true);
}

/// It does not linger.
void wait_for_end_of_keeper(TemporaryStore& store, std::uint32_t number) {
    const double deadline = steady_now() + 4;
    while (keeper_lives(store.files(), k_run, number)) {
        REQUIRE(steady_now() < deadline);
        usleep(1000);
    }
}

}  // namespace

TEST_CASE("a keeper is there to be asked as soon as a driver has opened it") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    backend.open();
    backend.open();
    CHECK(keeper_numbers(store.files(), k_run).size() == 1);
    CHECK(ask_keeper_to_cancel(store.files(), k_run, "ann"));
    Seen seen;
    watch(backend, seen, [&] { return !seen.cancel_asked.empty(); });
    backend.close();
}

TEST_CASE("a driver that slept while another took over starts no keeper of its own") {
    TemporaryStore store;
    SystemClock clock;
    const Lease old_lease = take_lease(store, clock);
    LocalBackend old(store.files(), options_for(store, old_lease.epoch()));
    const Lease lease = take_lease(store, clock);
    LocalBackend later(store.files(), options_for(store, lease.epoch()));
    later.adopt();
    submit(later, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");

    CHECK_THROWS_AS(submit(old, gated_task(store, "task")), Error);
    wait_for_end_of_keeper(store, keeper_numbers(store.files(), k_run).back());
    let_go(store, "task");
    Seen seen;
    watch_ends(later, seen, 1);
    CHECK(runs_of(store, "task") == "run\n");
    later.close();
}

TEST_CASE("a keeper whose driver died before its first word waits for nobody") {
    TemporaryStore store;
    KeeperOptions options;
    options.store_dir = store.folder();
    options.run = k_run;
    options.linger_s = 1000;
    {
        const agent::Channel driver = start_keeper(options, keeper_main);
        wait_for_file(store.folder() + "/" + layout::keeper_log(k_run, 1));
    }
    wait_for_end_of_keeper(store, 1);
}

TEST_CASE("a broken connection to a living keeper is made again, and costs nothing") {
    for (const bool without_socket : {false, true}) {
        CAPTURE(without_socket);
        TemporaryStore store;
        LocalBackendOptions options = options_for(store);
        options.workers = 2;
        LocalBackend backend(store.files(), options);
        Seen seen;
        for (const char* step : {"running", "ending", "waiting"}) {
            submit(backend, gated_task(store, step));
        }
        wait_for_file(store.root() + "/running");
        watch(backend, seen, [&] { return seen.has_started("running"); });
        if (without_socket) {
            std::filesystem::remove(read_history(store.files(), k_run, 1).socket);
        }
        break_connection(backend);
        let_go(store, "ending");
        submit(backend, gated_task(store, "unheard"));
        watch(backend, seen, [&] { return seen.has_ended("ending"); });
        for (const char* step : {"running", "waiting", "unheard"}) {
            let_go(store, step);
        }
        watch_ends(backend, seen, 4);
        CHECK(seen.lost.empty());
        CHECK(seen.notes.size() == 1);
        for (const char* step : {"running", "ending", "waiting", "unheard"}) {
            CAPTURE(step);
            CHECK(seen.result(step).succeeded());
            CHECK(runs_of(store, step) == "run\n");
        }
        CHECK(keeper_numbers(store.files(), k_run).size() == 1);
        backend.close();
    }
}

TEST_CASE("after a break nothing that waited starts before the driver has heard of a failure") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.workers = 1;
    LocalBackend backend(store.files(), options);
    TaskSpec failing = gated_task(store, "failing");
    failing.argv.back()[0].text += "; exit 3";
    submit(backend, failing);
    submit(backend, gated_task(store, "waiting"));
    wait_for_file(store.root() + "/failing");
    break_connection(backend);
    let_go(store, "failing");
    while (read_history(store.files(), k_run, 1).ended.empty()) {
        usleep(1000);
    }
    Seen seen;
    watch(backend, seen, [&] { return seen.has_ended("failing"); });
    usleep(50'000);
    CHECK(backend.events().empty());
    CHECK(runs_of(store, "waiting").empty());
    backend.go_on();
    let_go(store, "waiting");
    watch(backend, seen, [&] { return seen.has_ended("waiting"); });
    backend.close();
}

TEST_CASE("bytes that are no frames end a connection, not what runs") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.run_keeper = [root = store.root()](const KeeperOptions& keeper) {
        if (fork() == 0) {
            while (!std::filesystem::exists(root + "/noise")) {
                usleep(1000);
            }
            const bool sent = ::send(keeper.channel_fd, "\xff\xff\xff\xff?", 5, MSG_NOSIGNAL) == 5;
            _exit(sent ? 0 : 1);
        }
        return keeper_main(keeper);
    };
    LocalBackend backend(store.files(), options);
    submit(backend, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    Seen seen;
    std::ofstream(store.root() + "/noise") << "";
    watch(backend, seen, [&] { return !seen.notes.empty(); });
    let_go(store, "task");
    watch_ends(backend, seen, 1);
    CHECK(seen.result("task").succeeded());
    CHECK(seen.lost.empty());
    backend.close();
}

TEST_CASE("a keeper that lives but stays out of reach is ended before its tasks are called lost") {
    for (const bool later_driver : {false, true}) {
        CAPTURE(later_driver);
        TemporaryStore store;
        LocalBackendOptions options = options_for(store);
        options.patience_s = 0.3;
        auto backend = std::make_unique<LocalBackend>(store.files(), options);
        const TaskSpec spec = gated_task(store, "task");
        submit(*backend, spec);
        Seen seen;
        watch(*backend, seen, [&] { return seen.has_started("task"); });
        ::kill(keeper_of(store), SIGSTOP);
        if (later_driver) {
            options.epoch = 2;
            backend = std::make_unique<LocalBackend>(store.files(), options);
            CHECK(backend->adopt().lost.size() == 1);
        } else {
            break_connection(*backend);
            watch(*backend, seen, [&] { return !seen.lost.empty(); });
        }
        CHECK_FALSE(token_lives(spec.token));
        CHECK_FALSE(keeper_lives(store.files(), k_run, 1));
        CHECK(seen.ended.empty());
        submit(*backend, shell_task("next", "true"));
        watch(*backend, seen, [&] { return seen.has_ended("next"); });
        backend->close();
    }
}

TEST_CASE("a process that only has a keeper's number is not taken for it") {
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    backend.open();
    KeeperHistory history = read_history(store.files(), k_run, 1);
    const std::string log = store.folder() + "/" + layout::keeper_log(k_run, 1);
    CHECK(KeeperProcess::find(history, log));
    const pid_t stranger = fork();
    if (stranger == 0) {
        pause();
        _exit(0);
    }
    history.pid = stranger;
    CHECK_FALSE(KeeperProcess::find(history, log));
    CHECK_FALSE(end_keeper(history, log, 0.1));
    CHECK(waitpid(stranger, nullptr, WNOHANG) == 0);
    ::kill(stranger, SIGKILL);
    waitpid(stranger, nullptr, 0);
    backend.close();
}

TEST_CASE("a keeper that dies at its start is told as lost, and another one can be opened") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.run_keeper = [root = store.root()](const KeeperOptions& keeper) {
        if (std::filesystem::exists(root + "/good")) {
            return keeper_main(keeper);
        }
        return 1;
    };
    LocalBackend backend(store.files(), options);
    submit(backend, shell_task("task", "true"));
    Seen seen;
    watch(backend, seen, [&] { return !seen.lost.empty(); });
    CHECK(seen.lost[0] == "the keeper ended at its start");
    std::ofstream(store.root() + "/good") << "";
    submit(backend, shell_task("task", "true"));
    watch_ends(backend, seen, 1);
    backend.close();
}

TEST_CASE("what a slow driver did not take before its keeper ended stands in the log") {
    constexpr std::size_t k_tasks = 150;
    TemporaryStore store;
    LocalBackend backend(store.files(), options_for(store));
    std::vector<TaskSpec> specs;
    for (std::size_t i = 0; i < k_tasks; ++i) {
        specs.push_back(shell_task("task" + std::to_string(i), "printf '\"%03900d\"' 0 > $AMP_OUT/x.json"));
    }
    backend.submit(specs);
    const double deadline = steady_now() + 20;
    while (read_history(store.files(), k_run, 1).ended.size() < k_tasks) {
        REQUIRE(steady_now() < deadline);
        usleep(10'000);
    }
    int taken = 0;
    REQUIRE(ioctl(socket_of(backend), FIONREAD, &taken) == 0);
    const auto log = store.files().read(layout::keeper_log(k_run, 1), 0, 1 << 30);
    CHECK(static_cast<std::size_t>(taken) + 100'000 < log->size());  // the socket is full
    ::kill(keeper_of(store), SIGTERM);
    Seen seen;
    watch(backend, seen, [&] { return !seen.lost.empty(); });
    CHECK(seen.ended.size() == k_tasks);
    CHECK(seen.lost[0].ends_with("is gone: it was told to end (SIGTERM)"));
}
