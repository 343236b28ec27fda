#include "core/store/journal.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <tuple>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/frames.hpp"
#include "core/store/journal_segments.hpp"
#include "core/store/layout.hpp"
#include "tests/support/journal_samples.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test::journal_samples;
using amp::test::MemoryAppendFiles;

namespace {

/// 30 records of epoch 1 in one segment.
std::string small_journal() {
    MemoryAppendFiles files;
    {
        JournalWriter journal(files, k_run, 1, {});
        write(journal, 1, 30);
        journal.flush();
    }
    return files.bytes(segment(1, 1));
}

}  // namespace

TEST_CASE("an empty journal has nothing in it") {
    MemoryAppendFiles files;
    const Read read = read_all(files);
    CHECK(read.records.empty());
    CHECK(read.end.segment == 0);
    CHECK(read.end.next_seq == 1);
    CHECK(read.end.epoch == 0);
}

TEST_CASE("records come back in order, over several epochs") {
    MemoryAppendFiles files;
    std::vector<std::string> truth;
    for (int epoch = 1; epoch <= 5; ++epoch) {
        const Read before = read_all(files);
        CHECK(before.records == truth);
        CHECK(before.end.next_seq == truth.size() + 1);
        JournalWriter journal(files, k_run, static_cast<std::uint32_t>(epoch), before.end);
        const int first = static_cast<int>(truth.size()) + 1;
        write(journal, first, first + epoch);
        journal.flush();
        for (int n = first; n <= first + epoch; ++n) {
            truth.push_back(expected(n, epoch));
        }
        CHECK(read_all(files).records == truth);  // flushed is visible
        CHECK(read_all(files).end.epoch == static_cast<unsigned>(epoch));
    }
}

TEST_CASE("an epoch is used once") {
    MemoryAppendFiles files;
    { JournalWriter(files, k_run, 2, {}).barrier(); }
    CHECK_THROWS_AS(JournalWriter(files, k_run, 2, read_all(files).end), Error);
    CHECK_THROWS_AS(JournalWriter(files, k_run, 1, read_all(files).end), Error);
}

TEST_CASE("a writer is the only one of its epoch") {
    MemoryAppendFiles files;
    JournalWriter journal(files, k_run, 1, {});
    CHECK_THROWS_AS(JournalWriter(files, k_run, 1, {}), Error);
}

TEST_CASE("a journal cut at any byte gives a prefix, and can be written on") {
    const std::string whole = small_journal();
    const std::vector<std::string> truth = expected_all(30);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        CAPTURE(cut);
        MemoryAppendFiles files;
        files.set_bytes(segment(1, 1), whole.substr(0, cut));
        CHECK(reads_prefix(files, truth));
        Read read = read_all(files);
        const int have = static_cast<int>(read.records.size());
        if (cut == whole.size()) {
            CHECK(have == 30);
        }
        {
            JournalWriter journal(files, k_run, 2, read.end);
            write(journal, have + 1, have + 2);
            journal.barrier();
        }
        read.records.push_back(expected(have + 1, 2));
        read.records.push_back(expected(have + 2, 2));
        CHECK(read_all(files).records == read.records);
        CHECK(files.bytes(segment(1, 1)) == whole.substr(0, cut));  // the old segment is never touched
    }
}

TEST_CASE("any flipped bit in a journal is seen or harmless") {
    const std::string whole = small_journal();
    const std::vector<std::string> truth = expected_all(30);
    int seen = 0;
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        CAPTURE(bit);
        std::string bad = whole;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        MemoryAppendFiles files;
        files.set_bytes(segment(1, 1), bad);
        seen += reads_prefix(files, truth) ? 0 : 1;
    }
    // Only the last record, which says that all before it is on the disk, may pass for a torn tail.
    const std::size_t last = whole.rfind("A1 ");
    CHECK(seen == static_cast<int>(last * 8));
}

TEST_CASE("damage in any of several segments is seen or harmless") {
    MemoryAppendFiles sound;
    std::vector<std::string> truth;
    for (int epoch = 1; epoch <= 3; ++epoch) {
        JournalWriter journal(sound, k_run, static_cast<std::uint32_t>(epoch), read_all(sound).end);
        const int first = static_cast<int>(truth.size()) + 1;
        write(journal, first, first + 3);
        journal.barrier();
        for (int n = first; n <= first + 3; ++n) {
            truth.push_back(expected(n, epoch));
        }
    }
    for (int damaged = 1; damaged <= 3; ++damaged) {
        const std::string whole = sound.bytes(segment(damaged, 1));
        for (std::size_t at = 0; at < whole.size(); ++at) {
            CAPTURE(damaged);
            CAPTURE(at);
            MemoryAppendFiles files;
            for (int epoch = 1; epoch <= 3; ++epoch) {
                files.set_bytes(segment(epoch, 1), sound.bytes(segment(epoch, 1)));
            }
            std::string bad = whole;
            bad[at] = static_cast<char>(bad[at] ^ 4);
            files.set_bytes(segment(damaged, 1), bad);
            CHECK(reads_prefix(files, truth) == (damaged == 3 && at >= whole.rfind("A1 ")));
            files.set_bytes(segment(damaged, 1), whole.substr(0, at));
            CHECK(reads_prefix(files, truth) == (damaged == 3));
        }
    }
}

TEST_CASE("sound records behind a broken one are a torn tail, unless a record says that it was synced") {
    std::string bytes = segments::header_frame(k_run, 1, {});
    std::vector<std::size_t> starts;
    for (int n = 1; n <= 3; ++n) {
        starts.push_back(bytes.size());
        frames::append(bytes, static_cast<std::uint64_t>(n), 1, "rec", json::dump(payload(n)));
    }
    bytes[starts[1] + 5] = '\0';
    for (const auto& [run, epoch, durable, damaged] :
         {std::tuple(k_run, 1U, starts[1], false), std::tuple(k_run, 1U, starts[1] + 1, true),
          std::tuple(k_run, 2U, starts[2], false), std::tuple(std::string("other"), 1U, starts[2], false)}) {
        CAPTURE(durable);
        MemoryAppendFiles files;
        files.set_bytes(segment(1, 1), bytes + segments::synced_frame(run, epoch, durable));
        CHECK(reads_prefix(files, expected_all(3)) == !damaged);
        if (!damaged) {
            const Read read = read_all(files);
            CHECK(read.records == expected_all(1));
            CHECK(read.end.length == starts[1]);
            CHECK(read.end.torn_bytes == files.bytes(segment(1, 1)).size() - starts[1]);
        }
    }
}

TEST_CASE("a journal of before, which does not say what was synced, is judged as it was then") {
    std::string bytes;
    frames::append(bytes, 0, 1, "segment",
                   R"({"accepted":{},"previous_sha256":"","run":")" + k_run + R"(","schema":1})");
    for (int n = 1; n <= 3; ++n) {
        frames::append(bytes, static_cast<std::uint64_t>(n), 1, "rec", json::dump(payload(n)));
    }
    MemoryAppendFiles files;
    files.set_bytes(segment(1, 1), bytes);
    CHECK(read_all(files).records == expected_all(3));
    bytes[bytes.find("A1 2 ") + 20] ^= 1;
    files.set_bytes(segment(1, 1), bytes);
    CHECK_FALSE(reads_prefix(files, expected_all(3)));
}

TEST_CASE("what a take-over accepts is on the disk") {
    MemoryAppendFiles files;
    files.set_bytes(segment(1, 1), small_journal());
    JournalWriter old(files, k_run, 2, read_all(files).end);
    old.barrier();
    write(old, 31, 33);
    old.flush();  // and dies, before it is synced
    files.drop_locks();
    JournalWriter young(files, k_run, 3, read_all(files).end);
    young.barrier();
    files.power_cut();
    CHECK(read_all(files).records.size() == 33);
}

TEST_CASE("what is torn is kept in quarantine") {
    MemoryAppendFiles files;
    const std::string whole = small_journal();
    files.set_bytes(segment(1, 1), whole.substr(0, whole.size() - 5));
    const LogEnd end = read_all(files).end;
    CHECK(end.torn_bytes > 0);
    JournalWriter journal(files, k_run, 2, end);
    const std::string copy = files.bytes("quarantine/" + k_run + "/00000001-00000001.torn");
    CHECK(copy.size() == end.torn_bytes);
    CHECK(whole.find(copy) == end.length);
}

TEST_CASE("an old driver that wakes up harms nothing") {
    MemoryAppendFiles files;
    JournalWriter old(files, k_run, 1, {});
    write(old, 1, 5);
    old.barrier();
    const LogEnd end = read_all(files).end;
    old.append("rec", payload(6));  // buffered when it is stopped
    files.drop_locks();

    JournalWriter young(files, k_run, 2, end);
    young.append("rec", payload(6));
    young.barrier();
    std::vector<std::string> truth = expected_all(5);
    truth.push_back(expected(6, 2));

    write(old, 7, 9);
    old.barrier();  // its bytes lie behind what was accepted
    CHECK(read_all(files).records == truth);
    young.append("rec", payload(7));
    young.barrier();
    truth.push_back(expected(7, 2));
    CHECK(read_all(files).records == truth);

    // Not even segments that it opens now count.
    for (int n = 10; n < 13; ++n) {
        old.append("rec", std::string(8 << 20, 'o'));
        old.flush();
    }
    old.barrier();
    REQUIRE_FALSE(files.bytes(segment(1, 2)).empty());
    CHECK(read_all(files).records == truth);

    // And the next take-over keeps them out too.
    files.drop_locks();
    JournalWriter third(files, k_run, 3, read_all(files).end);
    third.append("rec", payload(8));
    third.barrier();
    truth.push_back(expected(8, 3));
    CHECK(read_all(files).records == truth);
}

TEST_CASE("a take-over that died before its first record leaves the journal as it was") {
    MemoryAppendFiles files;
    files.set_bytes(segment(1, 1), small_journal());
    { JournalWriter journal(files, k_run, 2, read_all(files).end); }
    const std::string header = files.bytes(segment(2, 1));
    for (std::size_t cut = 0; cut <= header.size(); ++cut) {
        files.set_bytes(segment(2, 1), header.substr(0, cut));
        const Read read = read_all(files);
        CHECK(read.records == expected_all(30));
        CHECK(read.end.epoch == 2);  // so that nobody uses it again
    }
}

TEST_CASE("segments roll at 16 MiB") {
    MemoryAppendFiles files;
    std::size_t count = 0;
    {
        JournalWriter journal(files, k_run, 1, {});
        for (int n = 0; n < 40; ++n) {
            journal.append("big", std::string(1 << 20, static_cast<char>('a' + n % 26)));
            journal.flush();
        }
        journal.barrier();
        CHECK_FALSE(journal.degraded());
    }
    CHECK(files.list(layout::journal_prefix(k_run)).size() == 3);
    for (const std::string& key : files.list(layout::journal_prefix(k_run))) {
        CHECK(files.bytes(key).size() <= (16U << 20));
    }
    const LogEnd end = read_journal(files, k_run, [&](const Record& record) {
        CHECK(record.payload.as_string()[0] == static_cast<char>('a' + count % 26));
        ++count;
    });
    CHECK(count == 40);
    CHECK(end.segment == 3);
    // A segment put in place of another is seen by the chain of hashes, though all of its frames are sound.
    std::string other = files.bytes(segment(1, 1));
    const auto frame = frames::read(other, frames::read(other, 0)->end);
    std::string swapped;
    frames::append(swapped, 1, 1, "big", "\"" + std::string(frame->payload.size() - 2, 'z') + "\"");
    other.replace(frames::read(other, 0)->end, swapped.size(), swapped);
    files.set_bytes(segment(1, 1), other);
    CHECK_THROWS_AS(read_all(files), Error);
}

TEST_CASE("a journal of another run or of a newer amp is refused") {
    MemoryAppendFiles files;
    files.set_bytes("runs/261120-081530-zzzz/journal/00000001-00000001", small_journal());
    CHECK_THROWS_AS(read_journal(files, "261120-081530-zzzz", [](const Record&) {}), Error);
    std::string newer;
    frames::append(newer, 0, 1, "segment",
                   R"({"accepted":{},"previous_sha256":"","run":")" + k_run + R"(","schema":3})");
    files.set_bytes(segment(1, 1), newer);
    try {
        read_all(files);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::invalid);
    }
}

TEST_CASE("reading 100,000 records is quick") {
    MemoryAppendFiles files;
    {
        JournalWriter journal(files, k_run, 1, {});
        for (int n = 0; n < 100'000; ++n) {
            journal.append(
                "task_ended",
                Object{{"task", fmt::format("train/{}", n)},
                       {"attempt", 1},
                       {"cause", "none"},
                       {"started", "2026-11-20T08:15:30.123Z"},
                       {"ended", "2026-11-20T08:15:31.456Z"},
                       {"cpu_s", 0.25},
                       {"max_rss_bytes", 104857600},
                       {"artifacts", Object{{"loss", Object{{"value", 0.125}, {"size_bytes", 5}}}}}});
            if (n % 100 == 0) {
                journal.flush();
            }
        }
        journal.barrier();
    }
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const std::string& key : files.list(layout::journal_prefix(k_run))) {
        bytes += files.bytes(key).size();
    }
    const auto start = std::chrono::steady_clock::now();
    read_journal(files, k_run, [&](const Record&) { ++count; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    CHECK(count == 100'000);
    MESSAGE("reading " << count << " records (" << bytes / count << " bytes each) took " << took.count()
                       << " s");
}
