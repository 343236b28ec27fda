// What core/store promises, on a real folder: with real locks, real deaths and real files.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>

#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/journal.hpp"
#include "core/store/lease.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"
#include "core/store/store.hpp"
#include "tests/support/temp_folder.hpp"

using namespace amp;
using amp::test::TempFolder;

namespace {

const std::string k_run = "261120-081530-k3fx";

/// Runs `action` in a process of its own and kills that once it has said so (by a byte for `said` times).
class Child {
  public:
    template <class F>
    explicit Child(F action) {
        REQUIRE(::pipe(pipe_) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            try {
                action([this] { return ::write(pipe_[1], "x", 1) == 1; });
            } catch (...) {
                ::_exit(1);
            }
            ::_exit(0);
        }
    }
    ~Child() {
        kill();
        ::close(pipe_[0]);
        ::close(pipe_[1]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    void wait_said() const {
        char c = 0;
        REQUIRE(::read(pipe_[0], &c, 1) == 1);
    }
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = -1;
        }
    }

  private:
    int pipe_[2] = {-1, -1};
    pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("objects of all sizes in a folder") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    Objects objects(store);
    std::mt19937_64 random(3);
    std::string noise(5'000'000, '\0');
    for (char& c : noise) {
        c = static_cast<char>(random());
    }
    for (const std::string& bytes :
         {std::string(), std::string("x"), noise, std::string(5'000'000, 'a'), noise.substr(0, 1 << 20)}) {
        std::ofstream(folder / "in", std::ios::binary) << bytes;
        const ObjectInfo info = objects.put_file(folder / "in");
        CHECK(info.sha256 == sha256_hex(bytes));
        CHECK(objects.put_file(folder / "in").sha256 == info.sha256);
        store.sync_pending();
        CHECK(objects.contains(info.sha256, bytes.size()));
        CHECK(objects.get(info.sha256) == bytes);
    }
    CHECK(store.list_after("objects/", "", 99).size() == 5);
}

TEST_CASE("a killed driver's run goes on at once, with all that it flushed") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    DirectoryStore store(folder / "store");
    SystemClock clock;
    open_store(store, "private", "now");
    std::uint64_t flushed = 0;
    for (std::uint32_t epoch = 1; epoch <= 4; ++epoch) {
        Child driver([&](auto say) {
            const Lease lease = Lease::acquire(store, files, clock, k_run, {"here", ::getpid(), "ann"});
            JournalWriter journal(files, k_run, lease.epoch(),
                                  read_journal(files, k_run, [](const Record&) {}));
            for (int n = 0; n < 50; ++n) {
                journal.append("rec", n);
                journal.flush();
            }
            say();
            for (;;) {
                journal.append("rec", std::string(1000, 'x'));
                journal.flush();
            }
        });
        driver.wait_said();
        flushed += 50;
        try {
            Lease::acquire(store, files, clock, k_run, {"here", ::getpid(), "bob"});
            FAIL("two drivers");
        } catch (const Error& error) {
            CHECK(error.code() == ExitCode::busy);
            CHECK(error.message().find(std::to_string(driver.pid())) != std::string::npos);
        }
        CHECK(is_driven(store, files, clock, k_run, "here"));
        driver.kill();
        CHECK_FALSE(is_driven(store, files, clock, k_run, "here"));
        std::uint64_t count = 0;
        const LogEnd end =
            read_journal(files, k_run, [&](const Record& record) { CHECK(record.seq == ++count); });
        CHECK(end.epoch == epoch);
        CHECK(count >= flushed);
        flushed = count;
    }
}

TEST_CASE("packs in a folder") {
    const TempFolder folder;
    LocalAppendFiles files(folder / "store");
    PackWriter packs(files, k_run, 1);
    const LogPiece piece = packs.append({"train", {}}, 1, "log", "hello\n", {1});
    packs.sync();
    CHECK(read_piece(files, piece) == "hello\n");
}

TEST_CASE("many small objects are synced in one batch") {
    const TempFolder folder;
    DirectoryStore store(folder / "store");
    Objects objects(store);
    const auto start = std::chrono::steady_clock::now();
    for (int n = 0; n < 400; ++n) {
        objects.put("object " + std::to_string(n));
    }
    const auto put = std::chrono::steady_clock::now();
    store.sync_pending();
    const auto synced = std::chrono::steady_clock::now();
    CHECK(store.list_after("objects/", "", 1000).size() == 400);
    MESSAGE("400 objects: put in " << std::chrono::duration<double, std::milli>(put - start).count()
                                   << " ms, synced in "
                                   << std::chrono::duration<double, std::milli>(synced - put).count()
                                   << " ms");
}
