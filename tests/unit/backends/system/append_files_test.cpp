#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/system/local_append_files.hpp"
#include "tests/support/store_contract.hpp"
#include "tests/support/temp_folder.hpp"

using amp::LocalAppendFiles;
using amp::test::TempFolder;

TEST_CASE("local append files keep the contract") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    amp::test::check_append_files(files);
}

TEST_CASE("a lock lives as long as the process that holds it, and other objects see it") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    LocalAppendFiles others(folder / "store");
    int ready[2];
    int go[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(go) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto file = files.open("runs/x/lock", 0);
        file->append("child");
        char c = 'r';
        const bool told = ::write(ready[1], &c, 1) == 1 && ::read(go[0], &c, 1) == 1;
        ::_exit(told ? 0 : 1);  // without closing anything: a death
    }
    char c = 0;
    REQUIRE(::read(ready[0], &c, 1) == 1);
    CHECK(others.locked("runs/x/lock"));
    CHECK_FALSE(others.open("runs/x/lock", 0));
    CHECK(*others.read("runs/x/lock", 0, 99) == "child");
    REQUIRE(::write(go[1], &c, 1) == 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK_FALSE(others.locked("runs/x/lock"));
    const auto file = others.open("runs/x/lock", 5);
    CHECK(file);
    CHECK(files.locked("runs/x/lock"));
    for (const int fd : {ready[0], ready[1], go[0], go[1]}) {
        ::close(fd);
    }
}

TEST_CASE("asking for a lock disturbs nobody who takes it") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    files.open("k", 0)->append("x");
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(files.locked("k"));
        const auto file = files.open("k", 1);
        CHECK(file);
        CHECK(files.locked("k"));
    }
}

TEST_CASE("append files have the store's modes") {
    const TempFolder folder;
    const mode_t before = ::umask(077);
    LocalAppendFiles files(folder / "store", amp::Sharing::group);
    files.open("runs/x/journal", 0);
    ::umask(before);
    struct stat info {};
    REQUIRE(::stat((folder / "store/runs/x/journal").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0660);
    REQUIRE(::stat((folder / "store/runs/x").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 02770);
}
