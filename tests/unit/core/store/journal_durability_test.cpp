#include "core/store/journal.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/frames.hpp"
#include "core/store/layout.hpp"
#include "tests/support/journal_samples.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test::journal_samples;
using amp::test::MemoryAppendFiles;

namespace {

/// Ten records, each visible when flushed; the journal moves to a second segment when it is degraded.
void write_ten(MemoryAppendFiles& files, JournalWriter& journal) {
    for (int n = 1; n <= 10; ++n) {
        journal.append("rec", payload(n));
        journal.flush();
        if (n % 2 == 0) {
            journal.barrier();
        }
        CHECK(read_all(files).records == expected_all(n));
    }
    CHECK(files.list(layout::journal_prefix(k_run)).size() == (journal.degraded() ? 2 : 1));
}

}  // namespace

TEST_CASE("what a barrier confirmed outlives a power cut") {
    for (std::size_t survivors = 0; survivors < 400; survivors += 7) {
        MemoryAppendFiles files;
        JournalWriter journal(files, k_run, 1, {});
        int confirmed = 0;
        for (int n = 1; n <= 12; ++n) {
            journal.append("rec", payload(n));
            if (n % 4 == 0) {
                journal.barrier();
                confirmed = n;
            } else if (n % 2 == 0) {
                journal.flush();
            }
        }
        write(journal, 13, 15);
        journal.flush();
        files.power_cut(survivors);
        const std::vector<std::string> got = read_all(files).records;
        CHECK(got.size() >= static_cast<std::size_t>(confirmed));
        CHECK(is_prefix(got, expected_all(15)));
    }
}

TEST_CASE("a power cut that leaves holes takes a tail, and nothing that a barrier confirmed") {
    int torn = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        MemoryAppendFiles files;
        std::size_t confirmed = 0;
        std::vector<std::string> truth;
        for (int epoch = 1; epoch <= 3; ++epoch) {
            const LogEnd end = read_all(files).end;
            JournalWriter journal(files, k_run, static_cast<std::uint32_t>(epoch), end);
            const int first = static_cast<int>(end.next_seq);
            truth.resize(static_cast<std::size_t>(first) - 1);
            for (int n = first; n < first + 12; ++n) {
                truth.push_back(expected(n, epoch));
                journal.append("rec", payload(n));
                journal.flush();
                if (n == first + static_cast<int>(seed % 5)) {
                    journal.barrier();
                    confirmed = truth.size();
                }
            }
            files.power_cut_with_holes(seed * 3 + static_cast<std::uint64_t>(epoch), 16U << (seed % 5));
            const Read read = read_all(files);
            CHECK(read.records.size() >= confirmed);
            CHECK(is_prefix(read.records, truth));
            torn += read.end.torn_bytes > 0 ? 1 : 0;
        }
    }
    CHECK(torn > 300);
}

TEST_CASE("a failed write takes no word of what was synced into the new segment") {
    for (std::size_t nth = 1; nth <= 6; ++nth) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            MemoryAppendFiles files;
            JournalWriter journal(files, k_run, 1, {});
            files.fail_append(nth, EIO);
            for (int n = 1; n <= 4; ++n) {
                write(journal, n, n);
                journal.barrier();
            }
            write(journal, 5, 9);
            journal.flush();
            files.power_cut_with_holes(seed, 64);
            const std::vector<std::string> got = read_all(files).records;
            CHECK(got.size() >= 4);
            CHECK(is_prefix(got, expected_all(9)));
        }
    }
}

TEST_CASE("what was flushed is synced without a barrier") {
    MemoryAppendFiles files;
    JournalWriter journal(files, k_run, 1, {});
    write(journal, 1, 10);
    journal.flush();
    CHECK(files.wait_synced(segment(1, 1), files.bytes(segment(1, 1)).size()));
    CHECK(files.syncs() <= 3);
    files.power_cut();
    CHECK(read_all(files).records == expected_all(10));
}

TEST_CASE("one sync serves many records") {
    MemoryAppendFiles files;
    JournalWriter journal(files, k_run, 1, {});
    for (int n = 1; n <= 1000; ++n) {
        journal.append("rec", payload(n));
        journal.flush();
    }
    journal.barrier();
    CHECK(files.syncs() < 500);
    CHECK(read_all(files).records == expected_all(1000));
}

TEST_CASE("one failed write is survived in a new segment") {
    for (const int error_number : {ENOSPC, EIO}) {
        for (std::size_t nth = 1; nth <= 8; ++nth) {
            for (const std::size_t partly : {0, 1, 40, 1000}) {
                CAPTURE(nth);
                CAPTURE(partly);
                MemoryAppendFiles files;
                JournalWriter journal(files, k_run, 1, {});
                files.fail_append(nth, error_number, partly);
                write_ten(files, journal);
                CHECK(journal.degraded());
                files.power_cut();
                CHECK(read_all(files).records == expected_all(10));
            }
        }
    }
}

TEST_CASE("a new segment that cannot be written whole fences off nothing") {
    for (std::size_t partly = 0; partly < 1000; partly += 50) {
        CAPTURE(partly);
        MemoryAppendFiles files;
        {
            JournalWriter journal(files, k_run, 1, {});
            write(journal, 1, 3);
            journal.barrier();
            write(journal, 4, 5);
            journal.flush();
            files.fail_for_ever(ENOSPC, partly);
            write(journal, 6, 6);
            CHECK_THROWS_AS(journal.flush(), Error);
        }
        const std::vector<std::string> got = read_all(files).records;
        CHECK(got.size() >= 5);
        CHECK(is_prefix(got, expected_all(6)));
    }
}

TEST_CASE("one failed sync is survived in a new segment") {
    for (std::size_t nth = 1; nth <= 8; ++nth) {
        CAPTURE(nth);
        MemoryAppendFiles files;
        JournalWriter journal(files, k_run, 1, {});
        files.fail_sync(nth, EIO);
        write_ten(files, journal);
        files.power_cut();
        CHECK(read_all(files).records == expected_all(10));
    }
}

TEST_CASE("a disk that stays full ends the journal with the right error, and keeps what was confirmed") {
    for (const int error_number : {ENOSPC, EIO}) {
        MemoryAppendFiles files;
        JournalWriter journal(files, k_run, 1, {});
        write(journal, 1, 5);
        journal.barrier();
        files.fail_for_ever(error_number);
        write(journal, 6, 6);
        const ExitCode code = error_number == ENOSPC ? ExitCode::store_full : ExitCode::infrastructure;
        for (int again = 0; again < 3; ++again) {
            try {
                journal.barrier();
                FAIL("no error");
            } catch (const Error& error) {
                CHECK(error.code() == code);
            }
        }
        CHECK(journal.degraded());
        CHECK(is_prefix(read_all(files).records, expected_all(6)));
        files.power_cut();
        CHECK(read_all(files).records == expected_all(5));
    }
}

TEST_CASE("what a record names is synced before the record") {
    MemoryAppendFiles files;
    std::size_t before = 0;
    const auto packs = files.open("packs", 0);
    JournalWriter journal(files, k_run, 1, {}, [&] {
        packs->sync();
        ++before;
    });
    packs->append("what record 1 names");
    write(journal, 1, 1);
    journal.barrier();
    CHECK(before > 0);
    files.power_cut();
    CHECK(files.bytes("packs") == "what record 1 names");
}
