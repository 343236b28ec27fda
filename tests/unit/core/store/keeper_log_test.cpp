#include "core/store/keeper_log.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using amp::test::MemoryAppendFiles;

namespace {

const std::string k_run = "261120-081530-k3fx";
const std::string k_key = layout::keeper_log(k_run, 2);

std::vector<std::int64_t> numbers(AppendFiles& files) {
    std::vector<std::int64_t> out;
    const std::uint64_t length = read_keeper_log(files, k_run, 2, [&](const Record& record) {
        CHECK(record.seq == out.size() + 1);
        CHECK(record.type == "ended");
        out.push_back(record.payload.as_int());
    });
    CHECK(length <= files.read(k_key, 0, 1 << 20).value_or("").size());
    return out;
}

void write(KeeperLogWriter& log, int from, int to) {
    for (int n = from; n <= to; ++n) {
        log.append("ended", n);
    }
}

}  // namespace

TEST_CASE("a keeper log holds what was flushed, and its lock tells that the keeper lives") {
    MemoryAppendFiles files;
    CHECK(numbers(files).empty());
    {
        KeeperLogWriter log(files, k_run, 2);
        CHECK(files.locked(k_key));
        write(log, 1, 3);
        CHECK(numbers(files).empty());
        log.flush();
        CHECK(numbers(files) == std::vector<std::int64_t>{1, 2, 3});
        CHECK_THROWS_AS(KeeperLogWriter(files, k_run, 2), Error);
        log.append("ended", 4);
    }
    CHECK_FALSE(files.locked(k_key));
    files.power_cut();
    CHECK(numbers(files) == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("a keeper log is synced by itself, and by a barrier") {
    MemoryAppendFiles files;
    KeeperLogWriter log(files, k_run, 2);
    write(log, 1, 3);
    log.flush();
    CHECK(files.wait_synced(k_key, files.bytes(k_key).size()));
    write(log, 4, 5);
    log.barrier();
    write(log, 6, 7);
    log.flush();
    files.power_cut();
    CHECK(numbers(files).size() >= 5);
}

TEST_CASE("a keeper log cut anywhere gives a prefix, and is written on") {
    MemoryAppendFiles source;
    {
        KeeperLogWriter log(source, k_run, 2);
        write(log, 1, 5);
    }
    const std::string whole = source.bytes(k_key);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        MemoryAppendFiles files;
        files.set_bytes(k_key, whole.substr(0, cut));
        std::vector<std::int64_t> truth = numbers(files);
        CHECK(truth.size() <= 5);
        KeeperLogWriter log(files, k_run, 2);
        log.append("ended", 77);
        log.barrier();
        truth.push_back(77);
        CHECK(numbers(files) == truth);
    }
    std::string bad = whole;
    bad[10] ^= 1;
    MemoryAppendFiles files;
    files.set_bytes(k_key, bad);
    CHECK_THROWS_AS(numbers(files), Error);
}

TEST_CASE("a power cut that leaves holes takes the tail of a keeper log") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        MemoryAppendFiles files;
        KeeperLogWriter log(files, k_run, 2);
        write(log, 1, 3);
        log.barrier();
        write(log, 4, 12);
        log.flush();
        files.power_cut_with_holes(seed, 32);
        const std::vector<std::int64_t> got = numbers(files);
        CHECK(got.size() >= 3);
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(got[i] == static_cast<std::int64_t>(i + 1));
        }
    }
}

TEST_CASE("an error of a keeper log is final") {
    for (const bool fail_sync : {false, true}) {
        MemoryAppendFiles files;
        KeeperLogWriter log(files, k_run, 2);
        write(log, 1, 1);
        log.barrier();
        fail_sync ? files.fail_sync(1, EIO) : files.fail_append(1, EIO, 7);
        write(log, 2, 2);
        CHECK_THROWS_AS(log.barrier(), Error);
        CHECK_THROWS_AS(log.barrier(), Error);
        write(log, 3, 3);
        CHECK_THROWS_AS(log.flush(), Error);
        files.power_cut();
        CHECK(numbers(files) == std::vector<std::int64_t>{1});
    }
}

TEST_CASE("when what the records name cannot be synced, the barrier says so") {
    MemoryAppendFiles files;
    KeeperLogWriter log(files, k_run, 2,
                        [] { throw Error(ExitCode::store_full, "the packs' disk is full"); });
    write(log, 1, 1);
    try {
        log.barrier();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::store_full);
    }
}
