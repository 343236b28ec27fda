// What a directory store does when the disk fails or is full. The system calls that tell of it are ours here:
// those of this program go to the definitions below.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/journal.hpp"
#include "core/store/objects.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

std::atomic<int> failing_syncs = 0;  // the next so many fail
std::atomic<int> file_syncs = 0;
std::atomic<int> system_syncs = 0;
std::atomic<int> failing_system_syncs = 0;
std::atomic<std::int64_t> room = -1;  // bytes that can be written to files; -1: no limit

bool is_file(int fd, off_t* size = nullptr) {
    struct stat info {};
    const bool file = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (size != nullptr) {
        *size = info.st_size;
    }
    return file;
}

/// False and ENOSPC when there is no room for so much.
bool take_room(int fd, std::size_t bytes) {
    const auto n = static_cast<std::int64_t>(bytes);
    if (room < 0 || !is_file(fd)) {
        return true;
    }
    if (room < n) {
        errno = ENOSPC;
        return false;
    }
    room -= n;
    return true;
}

}  // namespace

extern "C" {

int fsync(int fd) {
    ++file_syncs;
    if (is_file(fd) && failing_syncs > 0) {
        --failing_syncs;
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

int syncfs(int fd) noexcept {
    ++system_syncs;
    if (failing_system_syncs > 0) {
        --failing_system_syncs;
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_syncfs, fd));
}

ssize_t write(int fd, const void* bytes, std::size_t length) {
    return take_room(fd, length) ? ::syscall(SYS_write, fd, bytes, length) : -1;
}

ssize_t pwrite(int fd, const void* bytes, std::size_t length, off_t offset) {
    return take_room(fd, length) ? ::syscall(SYS_pwrite64, fd, bytes, length, offset) : -1;
}

int ftruncate(int fd, off_t length) noexcept {
    off_t before = 0;
    if (room >= 0 && is_file(fd, &before) && before > length) {
        room += before - length;
    }
    return static_cast<int>(::syscall(SYS_ftruncate, fd, length));
}
}

using namespace amp;
using amp::test::TempFolder;

namespace {

const std::string k_run = "261120-081530-k3fx";

ExitCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

std::string key(int n) {
    return fmt::format("objects/{:02x}/{}", n % 256, n);
}

struct Unlimited {
    ~Unlimited() { room = -1; }
};

int count_records(AppendFiles& files) {
    int records = 0;
    read_journal(files, k_run, [&](const Record&) { ++records; });
    return records;
}

}  // namespace

TEST_CASE("after a failed sync nothing that was pending is ever told to be durable") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    failing_syncs = 1;
    std::atomic<int> failed = 0;
    std::barrier both(2);
    {
        std::vector<std::jthread> threads;
        for (int n = 0; n < 2; ++n) {
            threads.emplace_back([&, n] {
                store.put_if_absent(key(n), "bytes", Durability::later);
                both.arrive_and_wait();
                failed += code_of([&] { store.sync_pending(); }) == ExitCode::infrastructure ? 1 : 0;
            });
        }
    }
    CHECK(failed == 2);
    CHECK(failing_syncs == 0);
    CHECK(code_of([&] { store.sync_pending(); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { store.put_if_absent("new", "x"); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { store.put_if_absent("new", "x", Durability::later); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { store.put("new", "x"); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { store.create("new")->append("x"); }) == ExitCode::infrastructure);
    CHECK_FALSE(store.get("new").has_value());
    CHECK(DirectoryStore(folder / "store").put_if_absent("new", "x") == PutResult::stored);
}

TEST_CASE("many objects are synced by one call, few by one each") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    for (const int count : {10, 300}) {
        for (int n = 0; n < count; ++n) {
            store.put_if_absent(key(count * 1000 + n), "bytes", Durability::later);
        }
        file_syncs = system_syncs = 0;
        store.sync_pending();
        CHECK(system_syncs == (count > 64 ? 1 : 0));
        CHECK((file_syncs >= count) == (count <= 64));
    }
    store.put_if_absent("large", std::string(33 << 20, 'x'), Durability::later);
    system_syncs = 0;
    store.sync_pending();
    CHECK(system_syncs == 1);
}

TEST_CASE("when the sync of a whole file system fails, so does the store") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    for (int n = 0; n < 100; ++n) {
        store.put_if_absent(key(n), "bytes", Durability::later);
    }
    failing_system_syncs = 1;
    CHECK(code_of([&] { store.sync_pending(); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { store.sync_pending(); }) == ExitCode::infrastructure);
}

TEST_CASE("a full store gives up its reserve, and then takes only how things ended") {
    const Unlimited at_end;
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    LocalAppendFiles files(folder / "store");
    files.keep_reserve();
    CHECK(std::filesystem::file_size(folder / "store/reserve") == 1U << 20);
    CHECK(store.list_after("", "", 9).empty());
    JournalWriter journal(files, k_run, 1, {});
    journal.append("rec", 1);
    journal.barrier();
    CHECK_FALSE(files.is_full());
    const auto pack = files.open("pack", 0);
    room = 1000;
    CHECK(code_of([&] { pack->append(std::string(2000, 'x')); }) == ExitCode::store_full);
    CHECK(files.is_full());
    CHECK(LocalAppendFiles(folder / "store").is_full());                 // another process sees it too
    CHECK(code_of([&] { pack->append("x"); }) == ExitCode::store_full);  // though there is room for that
    CHECK(code_of([&] { store.put_if_absent("object", "x"); }) == ExitCode::store_full);
    for (int n = 2; n <= 100; ++n) {
        journal.append("rec", std::string(1000, 'e'));
        journal.flush();
    }
    journal.barrier();
    CHECK_FALSE(journal.degraded());
    store.put("summary", std::string(5000, 's'));
    CHECK(count_records(files) == 100);
    CHECK(code_of([&] { files.keep_reserve(); }) == ExitCode::store_full);
    CHECK(files.is_full());
    room = -1;
    files.keep_reserve();
    CHECK_FALSE(files.is_full());
    pack->append("x");
    CHECK(store.list_children("") == std::vector<std::string>{"pack", "runs", "summary"});
}

TEST_CASE("a journal that finds the store full goes on from the reserve") {
    const Unlimited at_end;
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    files.keep_reserve();
    JournalWriter journal(files, k_run, 1, {});
    room = 3000;
    for (int n = 1; n <= 50; ++n) {
        journal.append("rec", std::string(1000, 'e'));
        journal.flush();
    }
    journal.barrier();
    CHECK(files.is_full());
    CHECK(count_records(files) == 50);
}

TEST_CASE("a store without a reserve is not full") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    CHECK_FALSE(files.is_full());
    files.open("k", 0)->append("x");
}

TEST_CASE("a compressed object that is cut short is not there") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    Objects objects(store);
    for (const std::size_t size : {1'000, 100'000, 3'000'000}) {
        CAPTURE(size);
        std::string text;
        for (std::size_t n = 0; text.size() < size; ++n) {
            text += fmt::format("line {} of {}\n", n * n, size);
        }
        std::ofstream(folder / "file") << text;
        for (const bool as_file : {false, true}) {
            const ObjectInfo info = as_file ? objects.put_file(folder / "file") : objects.put(text);
            const std::string path = fmt::format("{}/store/objects/{}/{}.zst", folder.path(),
                                                 info.sha256.substr(0, 2), info.sha256.substr(2));
            CHECK(objects.contains(info.sha256, info.size_bytes));
            const auto whole = std::filesystem::file_size(path);
            for (std::uintmax_t left = whole; left-- > 0; left -= std::min(left, whole / 97)) {
                CAPTURE(left);
                std::filesystem::resize_file(path, left);
                CHECK_FALSE(objects.contains(info.sha256, info.size_bytes));
            }
            std::filesystem::remove(path);
        }
    }
}
