#include "core/store/packs.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <functional>

#include "core/base/error.hpp"
#include "core/store/journal.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using amp::test::MemoryAppendFiles;

namespace {

const std::string k_run = "261120-081530-k3fx";
const TaskName k_task{"train", {{3, 0}, 2}};

std::vector<std::string> poll(PackFollower& follower) {
    std::vector<std::string> out;
    const std::size_t given = follower.poll([&](const PackFrame& f) {
        out.push_back(fmt::format("{} {} {} {} {}", f.task.text(), f.attempt, f.kind, f.at.ms, f.bytes));
    });
    CHECK(given == out.size());
    return out;
}

ExitCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::ok;
}

}  // namespace

TEST_CASE("pieces come back by their names") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    std::vector<std::pair<LogPiece, std::string>> pieces;
    for (const std::string& bytes : {std::string("hello\n"), std::string(),
                                     std::string("\0\xff\nP1 a b\n", 9), std::string(65536, 'v')}) {
        pieces.emplace_back(packs.append(k_task, 2, "log", bytes, {1234}), bytes);
        CHECK(pieces.back().first.length == bytes.size());
    }
    for (const auto& [piece, bytes] : pieces) {
        CHECK(read_piece(files, piece) == bytes);
    }
    LogPiece wrong = pieces[0].first;
    wrong.offset += 1;
    CHECK(code_of([&] { read_piece(files, wrong); }) == ExitCode::mismatch);
    wrong = pieces[0].first;
    wrong.length -= 1;
    CHECK(code_of([&] { read_piece(files, wrong); }) == ExitCode::mismatch);
    wrong.pack += "0";
    CHECK(code_of([&] { read_piece(files, wrong); }) == ExitCode::not_found);
}

TEST_CASE("a piece is known by its hash, where the record has one") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    LogPiece piece = packs.append(k_task, 1, "log", "right", {1});
    const std::string sound = files.bytes(piece.pack);
    MemoryAppendFiles others;
    PackWriter(others, k_run, 1).append(k_task, 1, "log", "wrong", {1});
    files.set_bytes(piece.pack, others.bytes(piece.pack));  // a sound frame, and another one
    CHECK(code_of([&] { read_piece(files, piece); }) == ExitCode::mismatch);
    piece.sha256.clear();  // as old records have it
    CHECK(read_piece(files, piece) == "wrong");
    files.set_bytes(piece.pack, sound);
    CHECK(read_piece(files, piece) == "right");
}

TEST_CASE("what is appended to a pack after a take-over does not count, unless its keeper lives") {
    MemoryAppendFiles files;
    JournalWriter(files, k_run, 1, {}).barrier();
    PackWriter dead(files, k_run, 1);
    PackWriter living(files, k_run, 2);
    const KeeperLogWriter keeper(files, k_run, 2);
    dead.append(k_task, 1, "log", "before", {1});
    const LogEnd end = read_journal(files, k_run, [](const Record&) {});
    for (std::uint32_t epoch = 3; epoch <= 4; ++epoch) {
        JournalWriter(files, k_run, epoch, read_journal(files, k_run, [](const Record&) {})).barrier();
        const LogPiece late = dead.append(k_task, 1, "log", "too late", {2});
        const LogPiece alive = living.append(k_task, 1, "log", "alive", {2});
        const PackLengths accepted = accepted_packs(files, k_run);
        CHECK(code_of([&] { read_piece(files, late, accepted); }) == ExitCode::mismatch);
        CHECK(read_piece(files, alive, accepted) == "alive");
    }
    std::vector<std::string> seen;
    PackFollower follower(files, k_run);
    follower.poll([&](const PackFrame& frame) { seen.push_back(frame.bytes); });
    CHECK(seen == std::vector<std::string>{"before", "alive", "alive"});
    CHECK(end.packs.empty());
}

TEST_CASE("after a failed sync of packs nobody hears that all is well") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    packs.append(k_task, 1, "log", "lost", {1});
    files.fail_sync(1, EIO);
    CHECK(code_of([&] { packs.sync(); }) == ExitCode::infrastructure);
    CHECK(code_of([&] { packs.sync(); }) == ExitCode::infrastructure);
}

TEST_CASE("damage in a pack is seen") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    const LogPiece piece = packs.append(k_task, 1, "value", "0.25", {99});
    const std::string sound = files.bytes(piece.pack);
    for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
        std::string bad = sound;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        files.set_bytes(piece.pack, bad);
        CHECK(code_of([&] { read_piece(files, piece); }) == ExitCode::mismatch);
    }
    for (std::size_t cut = 0; cut < sound.size(); ++cut) {
        files.set_bytes(piece.pack, sound.substr(0, cut));
        CHECK(code_of([&] { read_piece(files, piece); }) == ExitCode::mismatch);
    }
}

TEST_CASE("a follower sees each frame once, as it comes") {
    MemoryAppendFiles files;
    PackFollower follower(files, k_run);
    CHECK(poll(follower).empty());
    PackWriter packs(files, k_run, 1);
    packs.append(k_task, 1, "log", "one\n", {1});
    packs.append({"prepare", {}}, 2, "note", "two", {2});
    CHECK(poll(follower) == std::vector<std::string>{"train/3.0@2 1 log 1 one\n", "prepare/_ 2 note 2 two"});
    CHECK(poll(follower).empty());
    const std::string big(3 << 20, 'b');
    packs.append(k_task, 1, "log", big, {3});
    packs.append(k_task, 1, "log", "four", {4});
    const std::vector<std::string> got = poll(follower);
    REQUIRE(got.size() == 2);
    CHECK(got[0] == "train/3.0@2 1 log 3 " + big);
    CHECK(got[1] == "train/3.0@2 1 log 4 four");
}

TEST_CASE("a follower waits for a frame that is being written, and steps over a broken one") {
    MemoryAppendFiles files;
    std::string whole;
    {
        PackWriter packs(files, k_run, 1);
        packs.append(k_task, 1, "log", "one", {1});
        packs.append(k_task, 1, "log", "two", {2});
        packs.append(k_task, 1, "log", "three", {3});
    }
    const std::string key = layout::pack(k_run, 1, 1);
    whole = files.bytes(key);
    const std::vector<std::string> truth = {"train/3.0@2 1 log 1 one", "train/3.0@2 1 log 2 two",
                                            "train/3.0@2 1 log 3 three"};
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        PackFollower follower(files, k_run);
        files.set_bytes(key, whole.substr(0, cut));
        std::vector<std::string> got = poll(follower);
        files.set_bytes(key, whole);
        const std::vector<std::string> rest = poll(follower);
        got.insert(got.end(), rest.begin(), rest.end());
        CHECK(got == truth);
    }
    std::string bad = whole;
    bad[bad.find("two")] = 'T';
    files.set_bytes(key, bad);
    PackFollower follower(files, k_run);
    CHECK(poll(follower) == std::vector<std::string>{truth[0], truth[2]});
}

TEST_CASE("packs end at 64 MiB, and sync covers all of them") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    const std::string chunk(8 << 20, 'c');
    std::vector<LogPiece> pieces;
    pieces.reserve(9);
    for (int n = 0; n < 9; ++n) {
        pieces.push_back(packs.append(k_task, 1, "log", chunk, {n}));
    }
    CHECK(pieces.front().pack != pieces.back().pack);
    packs.sync();
    files.power_cut();
    for (const LogPiece& piece : pieces) {
        CHECK(read_piece(files, piece).size() == chunk.size());
    }
}

TEST_CASE("after a failed write the next piece goes into a new pack") {
    MemoryAppendFiles files;
    PackWriter packs(files, k_run, 1);
    const LogPiece before = packs.append(k_task, 1, "log", "before", {1});
    files.fail_append(1, ENOSPC, 10);
    CHECK(code_of([&] { packs.append(k_task, 1, "log", "lost", {2}); }) == ExitCode::store_full);
    const LogPiece after = packs.append(k_task, 1, "log", "after", {3});
    CHECK(after.pack != before.pack);
    CHECK(read_piece(files, before) == "before");
    CHECK(read_piece(files, after) == "after");
    PackFollower follower(files, k_run);
    CHECK(poll(follower).size() == 2);
}

TEST_CASE("two writers of one epoch do not touch each other's packs") {
    MemoryAppendFiles files;
    PackWriter one(files, k_run, 1);
    PackWriter two(files, k_run, 1);
    const LogPiece a = one.append(k_task, 1, "log", "a", {1});
    const LogPiece b = two.append(k_task, 1, "log", "b", {1});
    CHECK(a.pack != b.pack);
    files.drop_locks();
    PackWriter three(files, k_run, 1);
    const LogPiece c = three.append(k_task, 1, "log", "c", {1});
    CHECK(read_piece(files, a) == "a");
    CHECK(read_piece(files, b) == "b");
    CHECK(read_piece(files, c) == "c");
}

TEST_CASE("attempts that run elsewhere have packs of their own, which are followed as well") {
    MemoryAppendFiles files;
    PackFollower follower(files, k_run);
    PackWriter keeper(files, k_run, 1);
    const std::string first = layout::attempt_log_writer(k_run, k_task.text(), 2, 1);
    const std::string again = layout::attempt_log_writer(k_run, k_task.text(), 2, 2);
    PackWriter before(files, first);
    PackWriter now(files, again);
    const LogPiece piece = before.append(k_task, 2, "log", "before", {1});
    CHECK(piece.pack == "runs/261120-081530-k3fx/tasks/train/3.0@2/2/log/00000001-00000001");
    now.append(k_task, 2, "log", "now", {2});
    keeper.append(k_task, 1, "log", "here", {3});
    CHECK(read_piece(files, piece) == "before");
    CHECK(poll(follower) == std::vector<std::string>{"train/3.0@2 1 log 3 here", "train/3.0@2 2 log 1 before",
                                                     "train/3.0@2 2 log 2 now"});
    before.append(k_task, 2, "log", "more", {4});
    CHECK(poll(follower) == std::vector<std::string>{"train/3.0@2 2 log 4 more"});
    CHECK(list_packs(files, k_run).size() == 3);
}

TEST_CASE("only the logs of attempts are logs of attempts") {
    const std::string log = layout::attempt_log_writer(k_run, "log/_", 1, 1) + "00000001";
    CHECK(layout::is_attempt_log(log));
    CHECK(layout::is_attempt_log("quarantine/20261120T081530.123Z/" + log));
    CHECK_FALSE(layout::is_attempt_log(layout::attempt_claim(k_run, "log/_", 1)));
    CHECK_FALSE(layout::is_attempt_log(layout::attempt_claim(k_run, "tasks/_", 1)));
    CHECK_FALSE(layout::is_attempt_log(layout::task_commit(k_run, "log/_")));
    CHECK_FALSE(layout::is_attempt_log(layout::pack(k_run, 1, 1)));
}
