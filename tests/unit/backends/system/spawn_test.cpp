#include "backends/system/spawn.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "core/base/unique_fd.hpp"

using namespace amp;

namespace {

struct Ended {
    SpawnOutcome outcome;
    int status = 0;
    std::string output;
};

Ended run(const char* program, std::vector<std::string> words, const char* cwd = nullptr) {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    std::string variable = "A=b";
    const std::array<char*, 2> env = {variable.data(), nullptr};
    Ended ended{spawn({program, argv.data(), env.data(), cwd, null.get(), theirs.get(), nullptr}), 0, {}};
    theirs.reset();
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = read(ours.get(), buffer.data(), buffer.size())) > 0;) {
        ended.output.append(buffer.data(), static_cast<std::size_t>(n));
    }
    if (ended.outcome.pid > 0) {
        CHECK(waitpid(ended.outcome.pid, &ended.status, 0) == ended.outcome.pid);
    }
    return ended;
}

Ended run_shell(const std::string& script) {
    return run("/bin/sh", {"sh", "-c", script});
}

}  // namespace

TEST_CASE("a program gets its arguments, environment, folder and streams") {
    const Ended ended =
        run("/bin/sh", {"sh", "-c", "echo $0 $1 $A; pwd; echo err >&2; cat; exit 3", "zero", "one"}, "/tmp");
    CHECK(ended.output == "zero one b\n/tmp\nerr\n");
    CHECK(WEXITSTATUS(ended.status) == 3);
}

TEST_CASE("stderr may go elsewhere than stdout") {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    std::array<std::string, 3> words = {"sh", "-c", "echo out; echo err >&2"};
    const std::array<char*, 4> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    const std::array<char*, 1> env = {nullptr};
    SpawnRequest request{"/bin/sh", argv.data(), env.data()};
    request.output = nowhere.get();
    request.error = theirs.get();
    const SpawnOutcome outcome = spawn(request);
    theirs.reset();
    REQUIRE(outcome.pid > 0);
    std::array<char, 100> buffer{};
    CHECK(read(ours.get(), buffer.data(), buffer.size()) == 4);
    CHECK(std::string(buffer.data()) == "err\n");
    CHECK(waitpid(outcome.pid, nullptr, 0) == outcome.pid);
}

TEST_CASE("it leads its own group and has no descriptor of ours") {
    const UniqueFd leak(open("/dev/null", O_RDONLY));  // on purpose not close-on-exec
    CHECK(run_shell("test \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$ && echo own").output == "own\n");
    const std::string script = "test -e /proc/self/fd/" + std::to_string(leak.get()) + " || echo closed";
    CHECK(run_shell(script).output == "closed\n");
}

TEST_CASE("it does not inherit blocked or ignored signals") {
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    struct sigaction ignore {};
    struct sigaction old {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &old);
    const Ended ended = run_shell("grep -E 'SigBlk|SigIgn' /proc/self/status");
    sigaction(SIGPIPE, &old, nullptr);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    CHECK(ended.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("what fails says where") {
    CHECK(run("/no/such", {"x"}).outcome.error == ENOENT);
    CHECK(run("/no/such", {"x"}).outcome.failed == SpawnStep::exec);
    CHECK(run("/tmp", {"x"}).outcome.error == EACCES);
    CHECK(run("/bin/sh", {"sh"}, "/no/such").outcome.failed == SpawnStep::cwd);
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // none left behind
}

TEST_CASE("programs are found in a PATH") {
    std::string unusable;
    CHECK(find_program("sh", "/nowhere:/bin", "/", unusable) == "/bin/sh");
    CHECK(find_program("./x", "/bin", "/", unusable) == "./x");
    CHECK(find_program("sh", "bin", "/", unusable) == "//bin/sh");
    CHECK(find_program("no-such", "/bin", "/", unusable).empty());
    CHECK(unusable.empty());
    CHECK(find_program("passwd", "/etc", "/", unusable).empty());
    CHECK(unusable == "/etc/passwd");
}
