// Support of the tests in this folder (a test file, so that the build takes it along).

#include "tests/unit/backends/local/local_harness.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "backends/system/process.hpp"
#include "core/base/ids.hpp"

namespace amp::test {

TemporaryStore::TemporaryStore() {
    std::string name = "/tmp/amp-test-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    objects_ = std::make_unique<DirectoryStore>(folder());
    files_ = std::make_unique<LocalAppendFiles>(folder());
}

TemporaryStore::~TemporaryStore() {
    std::filesystem::remove_all(root_);
}

LocalBackendOptions options_for(TemporaryStore& store, std::uint32_t epoch) {
    LocalBackendOptions options;
    options.store_dir = store.folder();
    options.run = k_run;
    options.epoch = epoch;
    options.workers = 4;
    options.cpu = 4;
    options.linger_s = 5;
    options.run_keeper = keeper_main;
    return options;
}

TaskSpec shell_task(const std::string& step, const std::string& script, std::uint32_t attempt) {
    TaskSpec spec;
    spec.task = TaskName::parse(step);
    spec.attempt = attempt;
    spec.token = make_token();
    for (const char* word : {"sh", "-c"}) {
        spec.argv.push_back({{Piece::Kind::text, word}});
    }
    spec.argv.push_back({{Piece::Kind::text, script}});
    spec.grace_s = 1;
    return spec;
}

const AttemptResult& Seen::result(const std::string& step, std::uint32_t attempt) const {
    return ended.at({TaskName::parse(step), attempt});
}

bool Seen::has_ended(const std::string& step, std::uint32_t attempt) const {
    return ended.contains({TaskName::parse(step), attempt});
}

bool Seen::has_started(const std::string& step, std::uint32_t attempt) const {
    return started.contains({TaskName::parse(step), attempt});
}

static void note(Seen& seen, const AttemptEnded& ended) {
    const AttemptId id{ended.result.task, ended.result.attempt};
    const bool first = seen.ended.insert_or_assign(id, ended.result).second;
    CHECK_MESSAGE(first, "ended twice");
}
static void note(Seen& seen, const AttemptStarted& started) {
    CHECK_MESSAGE(!seen.ended.contains(started.id), "started after its end");
    seen.started[started.id] = started;
}
static void note(Seen& seen, const AttemptQueued& queued) {
    seen.queued.push_back(queued);
}
static void note(Seen& seen, const BackendLost& lost) {
    seen.lost.push_back(lost.reason);
}
static void note(Seen& seen, const BackendNote& told) {
    seen.notes.push_back(told.text);
}
static void note(Seen& /*seen*/, const SpawnAsked& /*asked*/) {}  // stands in `all`
static void note(Seen& seen, const CancelAsked& asked) {
    seen.cancel_asked.push_back(asked.who);
}

void watch(Backend& backend, Seen& seen, const std::function<bool()>& enough, double seconds) {
    const double deadline = steady_now() + seconds;
    while (!enough()) {
        REQUIRE(steady_now() < deadline);
        pollfd wait{backend.event_fd(), POLLIN, 0};
        poll(&wait, 1, 100);
        for (BackendEvent& event : backend.events()) {
            std::visit([&seen](const auto& each) { note(seen, each); }, event);
            seen.all.push_back(std::move(event));
        }
    }
}

void watch_ends(Backend& backend, Seen& seen, std::size_t ends, double seconds) {
    watch(
        backend, seen, [&] { return seen.ended.size() >= ends; }, seconds);
}

std::string log_of(TemporaryStore& store, const AttemptResult& result) {
    std::string log;
    for (const LogPiece& piece : result.log) {
        log += read_piece(store.files(), piece);
    }
    return log;
}

bool token_lives(const std::string& token) {
    return !processes_with_token({token}).empty();
}

void wait_for_file(const std::string& path) {
    const double deadline = steady_now() + 10;
    while (!std::filesystem::exists(path)) {
        REQUIRE(steady_now() < deadline);
        usleep(1000);
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace amp::test
