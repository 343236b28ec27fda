#include "backends/system/process_scan.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

TEST_CASE("one pass finds us and our children") {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    const std::vector<ScannedProcess> all = scan_processes();
    const auto find = [&](pid_t pid) {
        return std::find_if(all.begin(), all.end(), [&](const auto& process) { return process.pid == pid; });
    };
    REQUIRE(find(child) != all.end());
    CHECK(find(child)->stat.parent == getpid());
    REQUIRE(find(getpid()) != all.end());
    CHECK(page_bytes(find(getpid())->stat.rss_pages) > std::uint64_t{1} << 20);
    CHECK(tick_seconds(100) > 0);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK(read_process_io(child).empty());
}

TEST_CASE("what is no process, or tells nonsense, is passed over") {
    const TempFolder proc;
    const auto write = [&](const std::string& name, const std::string& text) {
        std::filesystem::create_directories(proc.path() + "/" + name);
        std::ofstream(proc.path() + "/" + name + "/stat") << text;
    };
    const std::string rest = " 0 0 0 0 0 0 0 0 150 50 7 8 20 0 3 0 98765 1 2048 0\n";
    write("12", "12 (a) S 1 12" + rest);
    write("13", "13 (sh) S 12");
    write("14", std::string(100'000, 'x'));
    write("15", "");
    write("12x", "12 (a) S 1 12" + rest);
    write("self", "12 (a) S 1 12" + rest);
    write("99999999999999999999", "12 (a) S 1 12" + rest);
    std::filesystem::create_directories(proc.path() + "/16");
    std::filesystem::create_symlink("/etc/passwd", proc.path() + "/16/stat");
    std::filesystem::create_directories(proc.path() + "/17/stat");
    const std::vector<ScannedProcess> all = scan_processes(proc.path());
    REQUIRE(all.size() == 1);
    CHECK(all[0].pid == 12);
    CHECK(all[0].stat.waited_ticks == 15);
    CHECK(scan_processes(proc.path() + "/none").empty());
}
