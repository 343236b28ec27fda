#include "backends/ssh/pack_tail.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <utility>

#include "backends/agent/far_messages.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "tests/support/memory_append_files.hpp"

using namespace amp;
using namespace amp::test;

namespace {

constexpr const char* k_run = "261120-081530-k3fx";
constexpr std::uint32_t k_first = 1'000'001;
constexpr std::uint32_t k_last = 1'999'999;

struct Ends {
    Ends() {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
        one = std::make_unique<agent::Channel>(UniqueFd(fds[0]));
        other = std::make_unique<agent::Channel>(UniqueFd(fds[1]));
    }
    std::unique_ptr<agent::Channel> one;
    std::unique_ptr<agent::Channel> other;
};

/// Sends all that was seen, and gives it to the mirror; how many bytes that were.
std::uint64_t pass(PackTail& tail, PackMirror& mirror) {
    Ends ends;
    std::uint64_t bytes = 0;
    while (!tail.idle() || ends.one->has_unsent()) {
        tail.fill(*ends.one);
        REQUIRE(ends.one->flush());
        REQUIRE(ends.other->receive());
        while (const auto frame = ends.other->next()) {
            bytes += agent::pack_bytes_from(frame->payload).bytes.size();
            mirror.take(frame->payload);
        }
    }
    return bytes;
}

/// Another driver writes the copy just after we have asked how long it is.
class SharedFiles : public MemoryAppendFiles {
  public:
    std::uint64_t size(std::string_view key) override {
        const std::uint64_t size = MemoryAppendFiles::size(key);
        if (!more_.empty()) {
            open(key, size)->append(std::exchange(more_, {}));
        }
        return size;
    }
    void write_next(std::string bytes) { more_ = std::move(bytes); }

  private:
    std::string more_;
};

void append(AppendFiles& files, const std::string& key, const std::string& bytes) {
    const auto file = files.open(key, files.size(key));
    REQUIRE(file);
    file->append(bytes);
}

}  // namespace

TEST_CASE("packs are copied as they grow, from where the copy ends") {
    MemoryAppendFiles there;
    MemoryAppendFiles here;
    PackMirror mirror(here, k_run, k_first, k_last);
    const std::string one = layout::pack(k_run, k_first, 1);
    const std::string two = layout::pack(k_run, k_first, 2);
    append(there, one, "some");
    append(there, layout::pack(k_run, 7, 1), "of another driver");
    {
        PackTail tail(there, k_run, k_first, k_last, mirror.lengths());
        tail.look();
        CHECK(tail.seen() == 4);
        CHECK(pass(tail, mirror) == 4);
        CHECK(tail.sent() == 4);
        append(there, one, std::string(700'000, 'x'));
        append(there, two, "begun");
        tail.look();
        append(there, two, " and");
        tail.look();
        CHECK(pass(tail, mirror) == 700'009);
        CHECK(tail.sent() == tail.seen());
    }
    append(there, two, " more");
    PackTail next(there, k_run, k_first, k_last, mirror.lengths());
    next.look();
    CHECK(pass(next, mirror) == 5);
    for (const std::string& key : {one, two}) {
        CHECK(here.read(key, 0, 1'000'000) == there.read(key, 0, 1'000'000));
    }
    CHECK(here.list(layout::pack_prefix(k_run)) == std::vector<std::string>{one, two});
    CHECK(mirror.dirty());
    mirror.sync();
    CHECK_FALSE(mirror.dirty());
}

TEST_CASE("a copy takes nothing twice, nothing with a gap, and nothing that is no pack of these tasks") {
    MemoryAppendFiles here;
    PackMirror mirror(here, k_run, k_first, k_last);
    const std::string key = layout::pack(k_run, k_first, 1);
    const auto give = [&mirror](const std::string& name, std::uint64_t offset, const char* bytes) {
        mirror.take(agent::encode(agent::PackBytes{name, offset, bytes}));
    };
    give(key, 0, "abcdef");
    give(key, 2, "cd");
    give(key, 4, "efgh");
    CHECK(here.read(key, 0, 100) == "abcdefgh");
    CHECK_THROWS_AS(give(key, 9, "x"), Error);
    for (const std::string& bad :
         {std::string("runs/other/packs/01000001-00000001"), layout::pack(k_run, 1, 1),
          layout::pack(k_run, k_last + 1, 1), layout::run_record(k_run),
          layout::pack_prefix(k_run) + "../../x", layout::pack_prefix(k_run) + "01000001-../x"}) {
        CHECK_THROWS_AS(give(bad, 0, "x"), Error);
    }
    CHECK(here.list("runs/").size() == 1);
    const auto busy = here.open(key, 8);
    CHECK_THROWS_AS(give(key, 8, "x"), Error);
}

TEST_CASE("nothing is cut off that another driver has written meanwhile") {
    SharedFiles here;
    PackMirror mirror(here, k_run, k_first, k_last);
    const std::string key = layout::pack(k_run, k_first, 1);
    mirror.take(agent::encode(agent::PackBytes{key, 0, "abcd"}));
    here.write_next("efgh");
    mirror.take(agent::encode(agent::PackBytes{key, 4, "ef"}));
    CHECK(here.bytes(key) == "abcdefgh");
    here.write_next("ij");
    mirror.take(agent::encode(agent::PackBytes{key, 8, "ijkl"}));
    CHECK(here.bytes(key) == "abcdefghijkl");
}
