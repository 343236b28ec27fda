#include "core/task/log_recorder.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/ports/task_spec.hpp"
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
    CHECK_FALSE(recording.log.failure().empty());
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

TEST_CASE("a task that prints for weeks has a small result, and no byte of it is lost") {
    constexpr int k_flushes = 1'000'000;
    Recording recording(std::uint64_t{1} << 30);
    const TaskName other = TaskName::parse("b");
    std::string printed;
    for (int i = 0; i < k_flushes; ++i) {
        const std::string line = std::to_string(i) + "\n";
        recording.log.add(line, k_now);
        recording.log.write_pending(k_now);
        printed += line;
        if (i % 1000 == 0) {
            recording.packs.append(other, 1, "log", std::string(40'000, 'x'), k_now);
            recording.packs.append(TaskName::parse("a"), 2, "log", "of another attempt\n", k_now);
        }
    }
    AttemptResult result;
    result.task = TaskName::parse("a");
    result.log = recording.log.pieces();
    CHECK(recording.files.list("").size() > 1);  // one range over several packs
    const std::string record = json::dump_record(to_value(result));
    CHECK(record.size() < 64 * 1024);
    const AttemptResult read = attempt_result_from(json::parse(record));
    CHECK(read.log == result.log);
    std::string stored;
    for (const LogPiece& piece : read.log) {
        read_range(recording.files, piece, read.task, read.attempt, {},
                   [&](std::string_view bytes) { stored += bytes; });
    }
    CHECK((stored == printed));  // not told apart in megabytes
}

TEST_CASE("a range that is not whole is noticed") {
    Recording recording;
    for (int i = 0; i < 1000; ++i) {
        recording.log.add("line\n", k_now);
        recording.log.write_pending(k_now);
    }
    const LogPiece range = recording.log.pieces().front();
    REQUIRE(range.is_range());
    const auto read = [&](const PackLengths& accepted) {
        read_range(recording.files, range, TaskName::parse("a"), 1, accepted, [](std::string_view) {});
    };
    CHECK_NOTHROW(read({}));
    CHECK_THROWS_AS(read({{range.pack, range.last_offset}}), Error);
}

TEST_CASE("what the ranks of a gang print lies together, and is read apart") {
    Recording first;
    LogRecorder second(first.packs, TaskName::parse("a"), 1, 1 << 20, 1 << 10);
    first.log.set_rank(0, 2);
    second.set_rank(1, 2);
    for (int i = 0; i < 1000; ++i) {
        first.log.add("0\n", k_now);
        first.log.write_pending(k_now);
        second.add("1\n", k_now);
        second.write_pending(k_now);
    }
    CHECK(first.log.pieces().size() <= 128);
    AttemptResult result;
    result.task = TaskName::parse("a");
    result.log = second.pieces();
    const AttemptResult read = attempt_result_from(json::parse(json::dump_record(to_value(result))));
    REQUIRE(read.log.front().is_range());
    CHECK(read.log.front().rank == std::uint32_t{1});
    std::string stored;
    for (const LogPiece& piece : read.log) {
        read_range(first.files, piece, read.task, 1, {}, [&](std::string_view bytes) { stored += bytes; });
    }
    CHECK(stored.size() == 2000);
    CHECK(stored.find('0') == std::string::npos);
    std::size_t frames = 0;
    PackFollower(first.files, "261120-081530-k3fx").poll([&](const PackFrame& frame) {
        CHECK(frame.kind == "log");
        REQUIRE(frame.rank);
        CHECK(frame.bytes == std::to_string(*frame.rank) + "\n");
        ++frames;
    });
    CHECK(frames == 2000);
}
