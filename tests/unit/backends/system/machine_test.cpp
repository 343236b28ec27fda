#include "backends/system/machine.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace amp;

TEST_CASE("cpu.max") {
    CHECK(parse_cpu_max("max 100000\n") == 0);
    CHECK(parse_cpu_max("150000 100000\n") == doctest::Approx(1.5));
    CHECK(parse_cpu_max("-1\n 100000\n") == 0);
    CHECK(parse_cpu_max("") == 0);
    CHECK(parse_cpu_max("5 0") == 0);
}

TEST_CASE("counters") {
    CHECK(parse_counter("oom 3\noom_kill 2\noom_group_kill 7\n", "oom_kill") == 2);
    CHECK(parse_counter("MemTotal:       24684092 kB\n", "MemTotal:") == 24684092);
    CHECK(parse_counter("", "x") == 0);
    CHECK(parse_counter("xx 3\n", "x") == 0);
}

TEST_CASE("cgroups") {
    const std::string text = "9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/d\n";
    CHECK(parse_cgroup(text, "memory") == "/a/b");
    CHECK(parse_cgroup(text, "cpu") == "/c");
    CHECK(parse_cgroup(text, "") == "/d");
    CHECK(parse_cgroup(text, "rdma").empty());
}

TEST_CASE("this machine has something") {
    CHECK(measure_machine().cpu >= 1);
    CHECK(measure_machine().memory_bytes > 0);
}

TEST_CASE("who is in a group") {
    CHECK(are_all_among("12\n7\n", {7, 12, 13}));
    CHECK_FALSE(are_all_among("12\n7\n8\n", {7, 12, 13}));
    CHECK_FALSE(are_all_among("0\n12\n", {12}));  // one of another pid namespace
}

TEST_CASE("what a group holds, without what could be given up") {
    CHECK(parse_group_memory("1000\n", "anon 700\ninactive_file 200\nactive_file 100\n") ==
          std::uint64_t{800});
    CHECK(parse_group_memory("1000\n", "inactive_file 1\ntotal_rss 5\ntotal_inactive_file 300\n") ==
          std::uint64_t{700});
    CHECK(parse_group_memory("1000\n", "inactive_file 5000\n") == std::uint64_t{0});
    CHECK(parse_group_memory("1000\n", "") == std::uint64_t{1000});
    CHECK_FALSE(parse_group_memory("", "inactive_file 5\n"));
    CHECK_FALSE(parse_group_memory("max\n", ""));
    CHECK_FALSE(group_memory(getpid()));  // it is ours, and none of its own
    CHECK_FALSE(group_memory(-1));
}
