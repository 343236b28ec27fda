#include "backends/system/proc_stat.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace amp;

TEST_CASE("/proc/PID/stat, whatever a program calls itself") {
    const auto stat = parse_proc_stat(
        "1234 (a) R (b c) S 1200 1234 1200 34816 1234 4194304 100 0 0 0 150 50 7 8 20 0 3 0 987654 123456789 "
        "2048 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    REQUIRE(stat);
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 1200);
    CHECK(stat->group == 1234);
    CHECK(stat->cpu_ticks == 200);
    CHECK(stat->waited_ticks == 15);
    CHECK(stat->began == 987654);
    CHECK(stat->rss_pages == 2048);
    CHECK(stat->lives());
}

TEST_CASE("what is no such text gives nothing") {
    CHECK_FALSE(parse_proc_stat(""));
    CHECK_FALSE(parse_proc_stat("1 (sh"));
    CHECK_FALSE(parse_proc_stat("1 (sh) S 2 3"));
    CHECK_FALSE(parse_proc_stat("1 (sh) SS 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"));
    CHECK_FALSE(parse_proc_stat("1 (sh) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"));
}

TEST_CASE("we live; a child lives until it has ended, a zombie does not") {
    const ProcessIdentity self = own_identity();
    CHECK(self.pid == getpid());
    CHECK_FALSE(self.boot.empty());
    CHECK_FALSE(self.pid_space.empty());
    CHECK(lives(self));
    ProcessIdentity other = self;
    other.began += 1;  // the number belongs to another process now
    CHECK_FALSE(lives(other));

    int gate[2];
    REQUIRE(pipe(gate) == 0);
    const pid_t child = fork();
    if (child == 0) {
        char byte = 0;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(gate[0]);
    other.pid = child;
    other.began = read_proc_stat(child)->began;
    CHECK(lives(other));
    close(gate[1]);
    siginfo_t info{};
    REQUIRE(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    CHECK_FALSE(lives(other));
    waitpid(child, nullptr, 0);
    CHECK_FALSE(lives(other));
}
