#include "backends/system/tool_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

ToolResult shell(const std::string& script, double timeout_s = 20) {
    return ToolProcess().run({"sh", "-c", script}, "/", timeout_s);
}

std::string message_of(const std::vector<std::string>& argv, const std::string& cwd) {
    try {
        ToolProcess().run(argv, cwd, 20);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::not_found);
        return error.message();
    }
    return {};
}

}  // namespace

TEST_CASE("a tool's outputs and exit come back apart") {
    const ToolResult result = shell("printf out; printf err >&2; exit 3");
    CHECK(result.out == "out");
    CHECK(result.err == "err");
    CHECK(result.exit == 3);
    CHECK(result.signal == 0);
    CHECK_FALSE(result.timed_out);
    CHECK_FALSE(result.truncated);
}

TEST_CASE("arguments arrive as they are, the folder is the one asked for, and stdin is empty") {
    const ToolResult result = ToolProcess().run({"printf", "%s|", "a b", "", "$x", "\xff"}, "/", 20);
    CHECK(result.out == "a b||$x|\xff|");
    CHECK(ToolProcess().run({"pwd"}, "/usr", 20).out == "/usr\n");
    CHECK(ToolProcess().run({"./env", "true"}, "/usr/bin", 20).exit == 0);
    CHECK(shell("cat; echo end").out == "end\n");
}

TEST_CASE("a signal that ends a tool is told") {
    const ToolResult result = shell("kill -TERM $$");
    CHECK(result.exit == -1);
    CHECK(result.signal == SIGTERM);
}

TEST_CASE("what is missing is named") {
    CHECK(message_of({"amp-no-such-tool"}, "/") == "the program 'amp-no-such-tool' is not installed");
    CHECK(message_of({"true"}, "/no/such/folder") == "the folder '/no/such/folder' does not exist");
    CHECK_FALSE(message_of({"/no/such/tool"}, "/").empty());
    CHECK_THROWS_AS(ToolProcess().run({}, "/", 20), Error);
}

TEST_CASE("large outputs on both pipes do not block each other") {
    const ToolResult result = shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero");
    CHECK(result.out.size() == 3'000'000);
    CHECK(result.err.size() == 3'000'000);
}

TEST_CASE("output beyond the limit is dropped, and said to be") {
    const ToolResult result = shell("head -c 70000000 /dev/zero; exit 4");
    CHECK(result.out.size() == std::size_t{64} << 20);
    CHECK(result.truncated);
    CHECK(result.exit == 4);
}

TEST_CASE("after its time a tool is killed with its children") {
    const double start = steady_now();
    const ToolResult result = shell("echo $$; sleep 100 & echo $!; wait", 0.1);
    CHECK(result.timed_out);
    CHECK(result.exit == -1);
    CHECK(result.signal == SIGKILL);
    CHECK(steady_now() - start < 5);
    const auto pids = split(trim(result.out), '\n');
    REQUIRE(pids.size() == 2);
    // Its sleep is ours no longer to wait for, but it is gone or a zombie: it has no more a program.
    const std::string exe = "/proc/" + std::string(pids[1]) + "/cwd";
    char target[8];
    for (int i = 0; i < 1000 && readlink(exe.c_str(), target, sizeof target) >= 0; ++i) {
        usleep(1000);
    }
    CHECK(readlink(exe.c_str(), target, sizeof target) < 0);
}

TEST_CASE("a grandchild that keeps the output open does not hold us up") {
    const double start = steady_now();
    const ToolResult result = shell("sleep 100 & echo $!");
    CHECK(steady_now() - start < 5);
    CHECK(result.exit == 0);
    CHECK_FALSE(result.timed_out);
    kill(std::atoi(result.out.c_str()), SIGKILL);
}

TEST_CASE("a tool that closes its outputs is still waited for") {
    CHECK(shell("exec >&- 2>&-; sleep 0.05; exit 6").exit == 6);
}

TEST_CASE("a tool has no descriptor of ours, a group of its own and no signal blocked or ignored") {
    const UniqueFd leaked(open("/dev/null", O_RDONLY));  // not close-on-exec
    REQUIRE(leaked);
    sigset_t usr1;
    sigset_t before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, &before);
    const auto old = signal(SIGPIPE, SIG_IGN);
    const ToolResult fds = ToolProcess().run({"ls", "/proc/self/fd"}, "/", 20);
    const ToolResult status =
        ToolProcess().run({"sed", "-nE", "s/^Sig(Blk|Ign):[[:space:]]*//p", "/proc/self/status"}, "/", 20);
    const ToolResult group = ToolProcess().run({"cut", "-d", " ", "-f", "1,5", "/proc/self/stat"}, "/", 20);
    signal(SIGPIPE, old);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(fds.out == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
    for (const std::string_view mask : split(trim(status.out), '\n')) {
        CHECK((std::stoull(std::string(mask), nullptr, 16) & 0x7FFFFFFFU) == 0);  // 32 and 33 are libc's own
    }
    const auto ids = split(trim(group.out), ' ');
    REQUIRE(ids.size() == 2);
    CHECK(ids[0] == ids[1]);
}

TEST_CASE("nothing is left behind: no descriptor, no zombie") {
    const auto first_free = [] {
        const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
        return fd.get();
    };
    const int before = first_free();
    shell("exit 0");
    shell("sleep 100", 0.01);
    message_of({"amp-no-such-tool"}, "/");
    CHECK(first_free() == before);
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
}

TEST_CASE("the end of a tool that nobody waits for is told") {
    const auto tool = ToolProcess().start({"sh", "-c", "echo words; exit 3"}, "/");
    pollfd ended{tool->fd(), POLLIN, 0};
    while (!tool->exit()) {
        REQUIRE((tool->fd() < 0 || poll(&ended, 1, 20'000) == 1));
    }
    CHECK(tool->exit() == 3);
    CHECK(tool->exit() == 3);
    CHECK_THROWS_AS(ToolProcess().start({"amp-no-such-tool"}, "/"), Error);
    CHECK_THROWS_AS(ToolProcess().start({}, "/"), Error);
}

TEST_CASE("a tool that is let go of dies") {
    const TempFolder folder;
    const std::string fifo = folder.path() + "/fifo";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    auto tool = ToolProcess().start({"sh", "-c", "exec sleep 1000 > fifo"}, folder.path());
    const UniqueFd end(open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(end);
    CHECK_FALSE(tool->exit().has_value());
    tool.reset();
    char byte = 0;
    CHECK(read(end.get(), &byte, 1) == 0);  // at once: it was the only one that could write
}
