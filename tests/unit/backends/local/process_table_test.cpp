#include "backends/local/process_table.hpp"

#include <doctest/doctest.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "backends/system/process.hpp"
#include "tests/support/no_descriptors.hpp"

namespace amp {
namespace {

pid_t start_sleeper() {
    std::string name = "sleep";
    std::string time = "1000";
    const std::array<char*, 3> words = {name.data(), time.data(), nullptr};
    pid_t pid = -1;
    REQUIRE(posix_spawnp(&pid, "sleep", nullptr, nullptr, words.data(), environ) == 0);
    return pid;
}

std::unique_ptr<TaskRun> sleeping_task(const std::string& step, std::uint32_t ranks) {
    TaskSpec spec;
    spec.task.step = step;
    spec.token = step;
    if (ranks > 1) {
        spec.gang.emplace();
        spec.gang->nodes = ranks;
    }
    auto run = std::make_unique<TaskRun>(std::move(spec));
    for (TaskProcess& process : run->processes) {
        process.pid = start_sleeper();
    }
    run->state = TaskRun::State::running;
    return run;
}

void kill_and_await(const TaskRun& run) {
    for (const TaskProcess& process : run.processes) {
        kill(process.pid, SIGKILL);
        siginfo_t info{};
        waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOWAIT);
    }
}

}  // namespace

TEST_CASE("without a free descriptor each end is heard all the same") {
    EventLoop loop;
    std::vector<std::string> gone;
    ProcessTable table(loop, [&gone](const TaskRun& run) { gone.push_back(run.spec.task.step); });
    std::vector<std::unique_ptr<TaskRun>> runs;
    runs.push_back(sleeping_task("one", 1));
    runs.push_back(sleeping_task("two", 1));
    runs.push_back(sleeping_task("gang", 3));
    {
        const test::NoDescriptors none;
        for (const auto& run : runs) {
            table.add(*run);
        }
        for (const auto& run : runs) {
            kill_and_await(*run);
        }
        table.reap();
    }
    REQUIRE(gone.size() == 3);
    for (const auto& run : runs) {
        for (const TaskProcess& process : run->processes) {
            CHECK(process.end.signal == SIGKILL);
        }
    }
    CHECK(ChildList().read().empty());
}

}  // namespace amp
