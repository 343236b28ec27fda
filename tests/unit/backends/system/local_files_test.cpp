#include "backends/system/local_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "core/base/error.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using amp::test::TempFolder;
namespace fs = std::filesystem;

namespace {

std::string write(const TempFolder& folder, const std::string& name, const std::string& content) {
    std::ofstream(folder / name, std::ios::binary) << content;
    return folder / name;
}

ExitCode code_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

}  // namespace

TEST_CASE("a file is read whole, up to a limit") {
    const TempFolder folder;
    LocalFiles files;
    const std::string content("a\0b\n\xff", 5);
    const std::string path = write(folder, "a", content);
    CHECK(files.read(path, 5) == content);
    CHECK(code_of([&] { files.read(path, 4); }) == ExitCode::invalid);
    CHECK(files.read(write(folder, "empty", ""), 0).empty());
    CHECK(files.read("/proc/self/stat", 100'000).size() > 10);  // says that its size is 0
    CHECK(code_of([&] { files.read("/proc/self/stat", 3); }) == ExitCode::invalid);
}

TEST_CASE("what cannot be read says why") {
    const TempFolder folder;
    LocalFiles files;
    CHECK(code_of([&] { files.read(folder / "none", 9); }) == ExitCode::not_found);
    CHECK(code_of([&] { files.read(folder.path(), 9); }) == ExitCode::invalid);
    const std::string fifo = folder / "fifo";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(code_of([&] { files.read(fifo, 9); }) == ExitCode::invalid);  // and does not wait for a writer
    CHECK(files.info(fifo)->kind == FileInfo::Kind::other);
}

TEST_CASE("info tells kind, size, mode and times, and follows no link") {
    const TempFolder folder;
    LocalFiles files;
    const std::string path = write(folder, "a", "12345");
    struct stat status {};
    REQUIRE(chmod(path.c_str(), 0755) == 0);
    REQUIRE(stat(path.c_str(), &status) == 0);
    const auto file = files.info(path);
    REQUIRE(file);
    CHECK(file->kind == FileInfo::Kind::file);
    CHECK(file->executable);
    CHECK(file->size_bytes == 5);
    CHECK(file->mtime_ns == std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec);
    CHECK(file->inode == status.st_ino);
    CHECK_FALSE(files.info(write(folder, "b", ""))->executable);
    fs::create_symlink("nowhere/\xff", folder / "link");
    const auto link = files.info(folder / "link");
    CHECK(link->kind == FileInfo::Kind::link);
    CHECK(link->link_target == "nowhere/\xff");
    CHECK_FALSE(link->executable);
    CHECK(files.info(folder.path())->kind == FileInfo::Kind::folder);
    CHECK_FALSE(files.info(folder.path())->executable);
    CHECK_FALSE(files.info(folder / "none"));
    CHECK_FALSE(files.info(path + "/below a file"));
    CHECK_FALSE(files.info(folder / std::string(300, 'x')));  // no file can have this name
}

TEST_CASE("a folder's names come sorted by bytes") {
    const TempFolder folder;
    LocalFiles files;
    for (const char* name : {"b", "B", ".hidden", "\xff", "a b"}) {
        write(folder, name, "");
    }
    CHECK(files.list(folder.path()) == std::vector<std::string>{".hidden", "B", "a b", "b", "\xff"});
    CHECK(code_of([&] { files.list(folder / "none"); }) == ExitCode::not_found);
}

TEST_CASE("a path becomes absolute without links") {
    const TempFolder folder;
    LocalFiles files;
    write(folder, "a", "");
    fs::create_symlink(folder.path(), folder / "self");
    CHECK(files.canonical(folder / "self/self/../" + fs::path(folder.path()).filename().string() + "/a") ==
          folder / "a");
    CHECK(code_of([&] { files.canonical(folder / "none"); }) == ExitCode::not_found);
    CHECK(files.canonical(".") == files.canonical(files.current_folder()));
}
