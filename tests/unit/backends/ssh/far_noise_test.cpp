// A far side that prints without end, and is no amp.

#include <doctest/doctest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "backends/ssh/far_line.hpp"
#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"
#include "tests/unit/backends/ssh/far_harness.hpp"

using namespace amp;
using namespace amp::test;

namespace {

/// Bytes of this process that lie in memory.
std::uint64_t resident() {
    std::ifstream stat("/proc/self/statm");
    std::uint64_t pages = 0;
    stat >> pages >> pages;
    return pages * 4096;
}

FarLineOptions told_by(const std::string& script) {
    return {"far", "", {"/bin/sh", "-c", script}, true};
}

/// Works for some seconds, or until it is down. @return the longest time that one call took
double work_on(FarLine& line, double seconds) {
    double longest = 0;
    for (const double end = steady_now() + seconds;
         steady_now() < end && line.state() != FarLine::State::down;) {
        pollfd wait{line.event_fd(), POLLIN, 0};
        poll(&wait, 1, 100);
        const double began = steady_now();
        line.work();
        longest = std::max(longest, steady_now() - began);
    }
    return longest;
}

constexpr const char* k_lines = "exec yes welcome";
constexpr const char* k_line = "exec tr '\\0' x </dev/zero";
constexpr std::uint64_t k_some_mib = std::uint64_t{24} << 20;

}  // namespace

TEST_CASE("endless noise takes no memory, holds nobody up, and is no answer") {
    for (const std::string& script :
         {std::string(k_lines), std::string(k_line), std::string(k_line) + " >&2"}) {
        CAPTURE(script);
        FarLine line(told_by(script));
        const double began = line.moved_at();
        const std::uint64_t before = resident();
        CHECK(work_on(line, 1.5) < 0.5);
        CHECK(resident() < before + k_some_mib);
        CHECK(line.state() == FarLine::State::starting);
        CHECK(line.moved_at() - began < 0.5);  // from then on its silence counts
    }
}

TEST_CASE("an answer without an end, or that is none, ends the connection") {
    for (const char* rest :
         {"printf %s \"$m run \"; exec tr '\\0' x </dev/zero", "echo \"$m runs\"; sleep 60"}) {
        CAPTURE(rest);
        FarLine line(told_by(std::string("IFS= read -r m; ") + rest));
        const std::uint64_t before = resident();
        work_on(line, 10);
        CHECK(resident() < before + k_some_mib);
        REQUIRE(line.state() == FarLine::State::down);
        CHECK(line.why().code() == ExitCode::mismatch);
        CHECK(line.why().message() == "the other machine's shell answers with nonsense");
    }
}

TEST_CASE(
    "a machine that only makes noise is given up within the time limit, also where it seemed to begin") {
    const std::string path = std::getenv("PATH");
    for (const auto& [script, words] : {std::pair<std::string, std::string>{k_lines, "does not answer"},
                                        {k_line, "does not answer"},
                                        {"IFS= read -r m; echo \"$m run /\"; exec yes", "is none of ours"}}) {
        CAPTURE(script);
        World world;
        const std::string programs = world.here.root() + "/programs";
        std::filesystem::create_directory(programs);
        std::ofstream(programs + "/ssh") << "#!/bin/sh\n" << script << "\n";
        std::filesystem::permissions(programs + "/ssh", std::filesystem::perms::owner_all);
        setenv("PATH", (programs + ":" + path).c_str(), 1);
        SshBackendOptions options = world.far.options();
        options.command.clear();
        options.silence_s = 1;
        SshBackend backend(world.here.objects(), world.here.files(), options);
        const std::uint64_t before = resident();
        const double began = steady_now();
        CHECK_THROWS_WITH_AS(backend.open(), doctest::Contains(words.c_str()), Error);
        CHECK(steady_now() - began < 10);
        CHECK(resident() < before + k_some_mib);
        setenv("PATH", path.c_str(), 1);
    }
}
