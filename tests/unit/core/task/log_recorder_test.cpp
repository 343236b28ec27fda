#include "core/task/log_recorder.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test;

namespace {

const Timestamp k_now{1'793'174'400'000};

struct Recording {
    MemoryAppendFiles files;
    PackWriter packs{files, "261120-081530-k3fx", 1};
    LogRecorder log;

    explicit Recording(std::uint64_t head = 1 << 20, std::uint64_t tail = 1 << 10)
        : log(packs, TaskName::parse("a"), 1, head, tail) {}
    std::string stored() {
        std::string text;
        for (const LogPiece& piece : log.pieces()) {
            text += read_piece(files, piece);
        }
        return text;
    }
};

}  // namespace

TEST_CASE("small writes wait to become one piece") {
    Recording recording;
    for (int i = 0; i < 100; ++i) {
        recording.log.add("line\n", k_now);
    }
    CHECK(recording.log.has_pending());
    CHECK(recording.log.pieces().empty());
    recording.log.write_pending(k_now);
    CHECK(recording.log.pieces().size() == 1);
    CHECK_FALSE(recording.log.has_pending());
    CHECK(recording.stored().size() == 500);
}

TEST_CASE("64 KiB are written at once") {
    Recording recording;
    recording.log.add(std::string(70'000, 'x'), k_now);
    CHECK_FALSE(recording.log.has_pending());
    CHECK(recording.stored().size() == 70'000);
}

TEST_CASE("nothing written is nothing stored") {
    Recording recording;
    recording.log.finish(k_now);
    CHECK(recording.log.pieces().empty());
    CHECK(recording.files.list("").empty());
}

TEST_CASE("of a flood the head and the tail stay, and the gap is told") {
    Recording recording(100, 50);
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        recording.log.add(line, k_now);
        all += line;
    }
    recording.log.finish(k_now);
    CHECK(recording.log.total_bytes() == all.size());
    CHECK(recording.log.dropped_bytes() == all.size() - 150);
    CHECK(recording.stored() == all.substr(0, 100) + "… " + std::to_string(all.size() - 150) +
                                    " bytes dropped …\n" + all.substr(all.size() - 50));
}

TEST_CASE("one write larger than head and tail together") {
    Recording recording(10, 5);
    recording.log.add("0123456789abcdefghijklmnop", k_now);
    recording.log.finish(k_now);
    CHECK(recording.stored() == "0123456789… 11 bytes dropped …\nlmnop");
}

TEST_CASE("what fits into head and tail is whole, without a note") {
    Recording recording(10, 50);
    recording.log.add("0123456789abcdef", k_now);
    recording.log.finish(k_now);
    CHECK(recording.stored() == "0123456789abcdef");
    CHECK(recording.log.dropped_bytes() == 0);
}

TEST_CASE("a store that cannot be written costs the log, not the task") {
    Recording recording;
    recording.files.fail_for_ever(ENOSPC);
    recording.log.add("lost", k_now);
    recording.log.finish(k_now);
    CHECK(recording.log.pieces().empty());
    CHECK(recording.log.dropped_bytes() == 4);
}

TEST_CASE("a log without end is written more and more seldom") {
    Recording recording;
    const double first = recording.log.patience();
    for (int i = 0; i < 1000; ++i) {
        recording.log.add("x", k_now);
        recording.log.write_pending(k_now);
    }
    CHECK(recording.log.patience() > first);
    CHECK(recording.log.patience() <= 2);
}
