#include "core/store/journal_glance.hpp"

#include <doctest/doctest.h>

#include "core/store/frames.hpp"
#include "tests/support/journal_samples.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test::journal_samples;
using amp::test::MemoryAppendFiles;

namespace {

constexpr std::uint64_t k_plenty = std::uint64_t{1} << 30;

/// As journal_samples::expected, without numbers.
std::vector<std::string> glanced(AppendFiles& files, std::uint64_t limit = k_plenty) {
    std::vector<std::string> out;
    glance_journal(files, k_run, limit, [&](const JournalText& text) {
        out.push_back(fmt::format("{} {}", text.type, text.payload));
    });
    return out;
}

std::vector<std::string> texts(int count) {
    std::vector<std::string> out;
    for (int n = 1; n <= count; ++n) {
        out.push_back("rec " + json::dump(payload(n)));
    }
    return out;
}

void write_epochs(MemoryAppendFiles& files, int epochs) {
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        JournalWriter journal(files, k_run, static_cast<std::uint32_t>(epoch), read_all(files).end);
        write(journal, 10 * epoch - 9, 10 * epoch);
        journal.barrier();
    }
}

}  // namespace

TEST_CASE("a glance sees the records of all segments, and nothing in a run without a journal") {
    MemoryAppendFiles files;
    CHECK(glanced(files).empty());
    write_epochs(files, 3);
    CHECK(glanced(files) == texts(30));
}

TEST_CASE("a glance sees what lies within its limit") {
    MemoryAppendFiles files;
    write_epochs(files, 2);
    const auto all = texts(20);
    const std::uint64_t whole = files.bytes(segment(1, 1)).size() + files.bytes(segment(2, 1)).size();
    std::size_t before = 0;
    for (std::uint64_t limit = 0; limit <= whole; ++limit) {
        const auto seen = glanced(files, limit);
        REQUIRE(is_prefix(seen, all));
        REQUIRE(seen.size() >= before);
        before = seen.size();
    }
    CHECK(before == 20);
}

TEST_CASE("a glance passes over what was fenced off, and stops before damage without a word") {
    MemoryAppendFiles files;
    write_epochs(files, 2);
    std::string late;
    frames::append(late, 99, 1, "rec", "{}");
    files.set_bytes(segment(1, 1), files.bytes(segment(1, 1)) + late);
    CHECK(glanced(files) == texts(20));
    std::string last = files.bytes(segment(2, 1));
    last[last.rfind("\"n\":20")] = '!';
    files.set_bytes(segment(2, 1), last);
    CHECK(glanced(files) == texts(19));
}
