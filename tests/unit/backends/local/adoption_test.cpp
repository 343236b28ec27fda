// Keepers and drivers that die, and those who come after them.

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

std::unique_ptr<LocalBackend> drive(TemporaryStore& store, std::uint32_t epoch, double linger_s = 5) {
    LocalBackendOptions options = options_for(store, epoch);
    options.linger_s = linger_s;
    return std::make_unique<LocalBackend>(store.files(), options);
}

/// Appends a line to `name` in the store's root each time it runs, and waits for `name`.go.
TaskSpec gated_task(TemporaryStore& store, const std::string& step) {
    const std::string file = store.root() + "/" + step;
    return shell_task(
        step, "echo run >> " + file + "; while ! test -e " + file + ".go; do sleep 0.01; done; echo done");
}

void let_go(TemporaryStore& store, const std::string& step) {
    std::ofstream(store.root() + "/" + step + ".go") << "";
}

std::string runs_of(TemporaryStore& store, const std::string& step) {
    return read_file(store.root() + "/" + step);
}

/// Until the keeper of this number is dead.
void wait_for_end(TemporaryStore& store, std::uint32_t number) {
    const double deadline = steady_now() + 10;
    while (keeper_lives(store.files(), k_run, number)) {
        REQUIRE(steady_now() < deadline);
        usleep(1000);
    }
}

void submit(LocalBackend& backend, const TaskSpec& spec) {
    backend.submit({&spec, 1});
}

}  // namespace

TEST_CASE("a killed keeper takes its tasks with it, and says so once") {
    TemporaryStore store;
    const auto backend = drive(store, 1);
    Seen seen;
    const TaskSpec ended = shell_task("ended", "exit 0");
    const TaskSpec running = shell_task(
        "running",
        "(setsid sh -c 'touch daemon; exec sleep 1000' &); while ! test -e daemon; do :; done; touch " +
            store.root() + "/up; exec sleep 1000");
    submit(*backend, ended);
    watch_ends(*backend, seen, 1);
    submit(*backend, running);
    wait_for_file(store.root() + "/up");
    watch(*backend, seen, [&] { return seen.has_started("running"); });
    ::kill(static_cast<pid_t>(read_history(store.files(), k_run, 1).pid), SIGKILL);
    watch(*backend, seen, [&] { return !seen.lost.empty(); });
    CHECK(seen.lost.size() == 1);
    CHECK(seen.ended.size() == 1);
    CHECK_FALSE(token_lives(running.token));
    CHECK_FALSE(std::filesystem::exists(read_history(store.files(), k_run, 1).scratch));
    CHECK_FALSE(std::filesystem::exists(read_history(store.files(), k_run, 1).socket));

    // The next task gets a new keeper with a log of its own.
    submit(*backend, shell_task("again", "exit 0"));
    watch_ends(*backend, seen, 2);
    CHECK(keeper_numbers(store.files(), k_run) == std::vector<std::uint32_t>{1, 2});
    backend->close();
    wait_for_end(store, 2);

    const Adoption adoption = drive(store, 2)->adopt();
    CHECK(adoption.running.empty());
    CHECK(adoption.ended.size() == 2);
    REQUIRE(adoption.lost.size() == 1);
    CHECK(adoption.lost[0].task == running.task);
}

TEST_CASE("a task outlives its driver, and its end reaches the next one") {
    TemporaryStore store;
    auto first = drive(store, 1);
    Seen seen;
    submit(*first, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    first.reset();

    const auto second = drive(store, 2);
    const Adoption adoption = second->adopt();
    REQUIRE(adoption.running.size() == 1);
    CHECK(adoption.ended.empty());
    CHECK(adoption.lost.empty());
    let_go(store, "task");
    watch_ends(*second, seen, 1);
    CHECK(seen.result("task").succeeded());
    CHECK(log_of(store, seen.result("task")) == "done\n");
    CHECK(runs_of(store, "task") == "run\n");
    submit(*second, shell_task("more", "exit 0"));
    watch_ends(*second, seen, 2);
    CHECK(keeper_numbers(store.files(), k_run).size() == 1);
    second->close();
}

TEST_CASE("what ends while nobody drives is in the log, whether the keeper lives or not") {
    for (const double linger_s : {10.0, 0.0}) {
        CAPTURE(linger_s);
        TemporaryStore store;
        auto first = drive(store, 1, linger_s);
        submit(*first, gated_task(store, "task"));
        wait_for_file(store.root() + "/task");
        first.reset();
        let_go(store, "task");
        if (linger_s == 0.0) {
            wait_for_end(store, 1);
        } else {
            const double deadline = steady_now() + 10;
            while (read_history(store.files(), k_run, 1).ended.empty()) {
                REQUIRE(steady_now() < deadline);
                usleep(1000);
            }
        }
        const auto second = drive(store, 2);
        const Adoption adoption = second->adopt();
        CHECK(adoption.running.empty());
        REQUIRE(adoption.ended.size() == 1);
        CHECK(adoption.ended[0].succeeded());
        CHECK(keeper_lives(store.files(), k_run, 1) == (linger_s > 0));
        second->close();
    }
}

TEST_CASE("what waits in the queue is dropped when the driver goes, and can be submitted again") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store, 1);
    options.workers = 1;
    auto first = std::make_unique<LocalBackend>(store.files(), options);
    submit(*first, gated_task(store, "running"));
    submit(*first, gated_task(store, "waiting"));
    wait_for_file(store.root() + "/running");
    first.reset();
    let_go(store, "running");
    let_go(store, "waiting");

    const auto second = drive(store, 2);
    const Adoption adoption = second->adopt();
    CHECK(adoption.running.size() + adoption.ended.size() == 1);
    CHECK(adoption.lost.empty());
    CHECK(runs_of(store, "waiting").empty());
    Seen seen;
    submit(*second, gated_task(store, "waiting"));
    watch(*second, seen, [&] { return seen.has_ended("waiting"); });
    CHECK(runs_of(store, "waiting") == "run\n");
    second->close();
}

TEST_CASE("an earlier driver has no say any more") {
    TemporaryStore store;
    const auto first = drive(store, 1);
    submit(*first, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    const auto second = drive(store, 2);
    REQUIRE(second->adopt().running.size() == 1);

    const AttemptId id{TaskName::parse("task"), 1};
    first->cancel({&id, 1});
    first->kill({&id, 1});
    Seen old;
    watch(*first, old, [&] { return !old.lost.empty(); });
    CHECK(old.ended.empty());
    CHECK_THROWS_AS(submit(*first, shell_task("late", "exit 0")), Error);
    CHECK_THROWS_AS(drive(store, 1)->adopt(), Error);  // an epoch that was overtaken

    let_go(store, "task");
    Seen seen;
    watch_ends(*second, seen, 1);
    CHECK(seen.result("task").succeeded());
    second->close();
}

TEST_CASE("stragglers of a keeper that died alone are killed before they are called lost") {
    TemporaryStore store;
    auto first = drive(store, 1);
    const TaskSpec spec = shell_task(
        "task",
        "(setsid sh -c 'touch daemon; exec sleep 1000' &); while ! test -e daemon; do :; done; touch " +
            store.root() + "/up; exec sleep 1000");
    submit(*first, spec);
    wait_for_file(store.root() + "/up");
    first.reset();
    ::kill(static_cast<pid_t>(read_history(store.files(), k_run, 1).pid), SIGKILL);
    wait_for_end(store, 1);
    CHECK(drive(store, 2)->adopt().lost.size() == 1);
    CHECK_FALSE(token_lives(spec.token));
}

TEST_CASE("who asks to cancel is heard by the driver, and without one by the keeper") {
    TemporaryStore store;
    auto first = drive(store, 1);
    submit(*first, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    CHECK(ask_keeper_to_cancel(store.files(), k_run, "ann"));
    Seen seen;
    watch(*first, seen, [&] { return !seen.cancel_asked.empty(); });
    CHECK(seen.cancel_asked == std::vector<std::string>{"ann"});
    CHECK(seen.ended.empty());
    first.reset();

    // The keeper notices that its driver is gone a moment later; asking again is allowed.
    while (keeper_lives(store.files(), k_run, 1) && ask_keeper_to_cancel(store.files(), k_run, "bob")) {
        usleep(1000);
    }
    wait_for_end(store, 1);
    const Adoption adoption = drive(store, 2)->adopt();
    REQUIRE(adoption.ended.size() == 1);
    CHECK(adoption.ended[0].cause == Cause::cancelled);
    CHECK(adoption.ended[0].message == "cancelled by bob");
    CHECK_FALSE(ask_keeper_to_cancel(store.files(), k_run, "bob"));
}

TEST_CASE("strangers and nonsense at the keeper's door harm nobody") {
    TemporaryStore store;
    const auto backend = drive(store, 1);
    submit(*backend, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    const KeeperHistory history = read_history(store.files(), k_run, 1);
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.0\r\n\r\n"), std::string(5000, '\xff'), std::string("\x01\0\0\0\x02", 5),
          std::string("\0\0\0\0", 4), std::string("\x05\0\0\0\x01{]}!", 9),
          std::string("\x03\0\0\0\x06{}", 7)}) {
        auto stranger = reach_keeper(history);
        REQUIRE(stranger);
        CHECK(::send(stranger->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(bytes.size()));
        while (stranger->receive()) {
            agent::wait_ready(*stranger, 1);
        }
    }
    auto imposter = reach_keeper(history);
    REQUIRE(imposter);
    CHECK_THROWS_AS(greet(*imposter, {k_run, 9, "guess"}, 5), Error);
    let_go(store, "task");
    Seen seen;
    watch_ends(*backend, seen, 1);
    CHECK(seen.result("task").succeeded());
    backend->close();
}

TEST_CASE("a keeper that was told to end ends its tasks first") {
    TemporaryStore store;
    const auto backend = drive(store, 1);
    submit(*backend, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    Seen seen;
    ::kill(static_cast<pid_t>(read_history(store.files(), k_run, 1).pid), SIGTERM);
    watch(*backend, seen, [&] { return !seen.lost.empty(); });
    REQUIRE(seen.ended.size() == 1);
    CHECK(seen.result("task").cause == Cause::infra);
}

TEST_CASE("what came together with the welcome is seen at once") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.run_keeper = [](const KeeperOptions& keeper) {
        agent::Channel driver{UniqueFd(keeper.channel_fd)};
        while (!driver.next()) {
            agent::wait_ready(driver, 1);
            driver.receive();
        }
        AttemptResult result;
        result.task = TaskName{"a", {}};
        agent::EventBatch events;
        events.ended(json::dump(to_value(result)));
        driver.send(agent::Kind::welcome, agent::encode(agent::Welcome{getpid(), {}}));
        events.send_to(driver);
        driver.flush();
        sleep(20);
        return 0;
    };
    LocalBackend backend(store.files(), options);
    submit(backend, shell_task("a", "true"));
    Seen seen;
    watch_ends(backend, seen, 1, 5);
    CHECK(seen.has_ended("a"));
}

TEST_CASE("a keeper whose log is full starts nothing more, and loses no end") {
    TemporaryStore store;
    LocalBackendOptions options = options_for(store);
    options.run_keeper = [](const KeeperOptions& keeper) {
        const rlimit small{4096, 4096};
        setrlimit(RLIMIT_FSIZE, &small);
        return keeper_main(keeper);
    };
    auto first = std::make_unique<LocalBackend>(store.files(), options);
    submit(*first, gated_task(store, "slow"));
    Seen seen;
    watch(*first, seen, [&] { return seen.has_started("slow"); });
    std::vector<TaskSpec> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back(shell_task("quick" + std::to_string(i), "true"));
    }
    first->submit(many);
    const auto is_told = [&] {
        return std::any_of(seen.notes.begin(), seen.notes.end(),
                           [](const std::string& note) { return note.starts_with("the keeper's log"); });
    };
    watch(*first, seen, is_told);
    CHECK(seen.started.size() < 60);
    first.reset();
    let_go(store, "slow");
    usleep(100'000);

    const auto second = drive(store, 2);
    const Adoption adoption = second->adopt();
    const bool runs = std::any_of(adoption.running.begin(), adoption.running.end(),
                                  [](const AttemptStarted& s) { return s.id.task.step == "slow"; });
    CHECK(runs);
    Seen later;
    watch(*second, later, [&] { return later.has_ended("slow"); });
    CHECK(later.result("slow").cause == Cause::none);
    watch(*second, later, [&] { return !later.lost.empty(); });
    submit(*second, shell_task("more", "true"));
    watch(*second, later, [&] { return later.has_ended("more"); });
}

TEST_CASE("profiles that share a store leave each other's keepers alone") {
    TemporaryStore store;
    const auto drive_at = [&store](std::uint32_t base, std::uint32_t epoch) {
        LocalBackendOptions options = options_for(store, epoch);
        options.number_base = base;
        return std::make_unique<LocalBackend>(store.files(), options);
    };
    auto one = drive_at(k_numbers_of_a_profile, 1);
    submit(*one, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    const auto other = drive_at(2 * k_numbers_of_a_profile, 1);
    CHECK(other->adopt().running.empty());
    Seen of_other;
    submit(*other, shell_task("more", "true"));
    watch_ends(*other, of_other, 1);
    CHECK(keeper_numbers(store.files(), k_run) ==
          std::vector<std::uint32_t>{k_numbers_of_a_profile + 1, 2 * k_numbers_of_a_profile + 1});

    one = drive_at(k_numbers_of_a_profile, 2);
    CHECK(one->adopt().running.size() == 1);
    Seen seen;
    let_go(store, "task");
    watch_ends(*one, seen, 1);
    CHECK(seen.result("task").succeeded());
    CHECK(seen.lost.empty());
    one->close();
    other->close();
}

TEST_CASE("a hello of one who has gone drives nobody out") {
    TemporaryStore store;
    const auto backend = drive(store, 1);
    submit(*backend, gated_task(store, "task"));
    wait_for_file(store.root() + "/task");
    const KeeperHistory history = read_history(store.files(), k_run, 1);
    const auto keeper = static_cast<pid_t>(history.pid);
    ::kill(keeper, SIGSTOP);
    {
        auto late = reach_keeper(history);
        REQUIRE(late);
        late->send(agent::Kind::hello, agent::encode(agent::Hello{k_run, 1, history.secret}));
        REQUIRE(late->flush());
    }
    ::kill(keeper, SIGCONT);
    let_go(store, "task");
    Seen seen;
    watch(*backend, seen, [&] { return !seen.ended.empty() || !seen.lost.empty(); });
    CHECK(seen.lost.empty());
    CHECK(seen.has_ended("task"));
    backend->close();
}
