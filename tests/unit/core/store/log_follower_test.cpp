#include "core/store/log_follower.hpp"

#include <doctest/doctest.h>

#include "core/store/journal.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_run = "261120-081530-bbbb";

/// A follower, and what it gave: "a b!" with a mark for what it says is not new.
struct Follower {
    explicit Follower(AppendFiles& files) : journal(files, k_run) {}
    std::string poll() {
        std::string given;
        journal.poll([&] { given += "restart "; },
                     [&](const Record& record, bool fresh) {
                         given += get_string(record.payload, "x") + (fresh ? " " : "! ");
                     });
        return given;
    }
    JournalFollower journal;
};

void add(JournalWriter& writer, const std::string& x) {
    writer.append("thing", Object{{"x", x}});
    writer.flush();
}

LogEnd end_of(AppendFiles& files) {
    return read_journal(files, k_run, [](const Record&) {});
}

}  // namespace

TEST_CASE("each record of a journal is given once, as it comes") {
    MemoryAppendFiles files;
    Follower follower(files);
    CHECK(follower.poll().empty());
    JournalWriter writer(files, k_run, 1, {});
    add(writer, "a");
    add(writer, "b");
    CHECK(follower.poll() == "restart a b ");
    CHECK(follower.poll().empty());
    add(writer, "c");
    CHECK(follower.poll() == "c ");
}

TEST_CASE("a half-written record waits for its other half") {
    MemoryAppendFiles files;
    Follower follower(files);
    {
        JournalWriter writer(files, k_run, 1, {});
        add(writer, "a");
    }
    follower.poll();
    {
        JournalWriter writer(files, k_run, 2, end_of(files));
        add(writer, "b");
        writer.barrier();
        follower.poll();
        add(writer, "c");
        writer.barrier();
    }
    const std::string key = files.list(layout::journal_prefix(k_run)).back();
    const std::string whole = files.bytes(key);
    REQUIRE(!whole.empty());
    const std::size_t cut = whole.rfind("thing") + 4;
    files.set_bytes(key, whole.substr(0, cut));
    CHECK(follower.poll().empty());
    files.set_bytes(key, whole);
    CHECK(follower.poll() == "c ");
}

TEST_CASE("after a take-over the journal is told again, and says what is new of it") {
    MemoryAppendFiles files;
    Follower follower(files);
    JournalWriter old(files, k_run, 1, {});
    add(old, "a");
    const LogEnd accepted = end_of(files);
    add(old, "late");  // comes too late: the next driver has not seen it
    CHECK(follower.poll() == "restart a late ");
    JournalWriter next(files, k_run, 2, accepted);
    add(next, "b");
    CHECK(follower.poll() == "restart a! b ");
}

TEST_CASE("keepers of all epochs are followed") {
    MemoryAppendFiles files;
    KeeperFollower follower(files, k_run);
    const auto poll = [&] {
        std::string given;
        follower.poll([&](const Record& record) { given += record.type + " "; });
        return given;
    };
    CHECK(poll().empty());
    KeeperLogWriter first(files, k_run, 1);
    first.append("start", Object{});
    first.flush();
    CHECK(poll() == "start ");
    KeeperLogWriter second(files, k_run, 2);
    second.append("start", Object{});
    second.flush();
    first.append("end", Object{});
    first.flush();
    CHECK(poll() == "end start ");
}
