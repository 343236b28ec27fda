#include "backends/agent/object_stream.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>

#include "core/base/hash.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::agent;
using namespace amp::test;

namespace {

struct Ends {
    Ends() {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
        one = std::make_unique<Channel>(UniqueFd(fds[0]));
        other = std::make_unique<Channel>(UniqueFd(fds[1]));
    }
    std::unique_ptr<Channel> one;
    std::unique_ptr<Channel> other;
};

/// Incompressible, the same at all times.
std::string noise(std::size_t size) {
    std::string out;
    for (std::uint64_t i = 0; out.size() < size; ++i) {
        out += sha256_hex(std::to_string(i));
    }
    std::string bytes;
    for (std::size_t i = 0; i + 1 < out.size() && bytes.size() < size; i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(out.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

/// Passes all that the sender has to a taker; what became of each object.
std::vector<ObjectTrouble> pass(ObjectSender& sender, ObjectTaker& taker, std::size_t flip = SIZE_MAX) {
    Ends ends;
    std::vector<ObjectTrouble> ended;
    std::size_t pieces = 0;
    while (!sender.idle() || ends.one->has_unsent()) {
        CHECK(sender.fill(*ends.one).empty());
        CHECK(ends.one->unsent() < (std::size_t{1} << 20));  // never much at once
        REQUIRE(ends.one->flush());
        REQUIRE(ends.other->receive());
        while (const auto frame = ends.other->next()) {
            switch (static_cast<Kind>(frame->kind)) {
                case Kind::object:
                    taker.begin(frame->payload);
                    break;
                case Kind::data: {
                    std::string bytes(frame->payload);
                    if (pieces++ == flip) {
                        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
                    }
                    taker.data(bytes);
                    break;
                }
                default:
                    REQUIRE(static_cast<Kind>(frame->kind) == Kind::object_end);
                    ended.push_back(taker.end(frame->payload));
            }
        }
    }
    return ended;
}

}  // namespace

TEST_CASE("objects come over as they are, raw, compressed, empty and large") {
    MemoryStore from;
    MemoryStore to;
    Objects objects(from);
    ObjectSender sender(from);
    ObjectTaker taker(to);
    std::vector<ObjectInfo> infos;
    for (const std::string& bytes :
         {std::string(), std::string("x"), noise(3 << 20), std::string(1 << 20, 'a'), noise(256 << 10),
          std::string("all the same")}) {
        infos.push_back(objects.put(bytes));
        sender.add({infos.back().sha256, infos.back().size_bytes});
        sender.add({infos.back().sha256, infos.back().size_bytes});  // once all the same
    }
    const auto ended = pass(sender, taker);
    REQUIRE(ended.size() == infos.size());
    for (std::size_t i = 0; i < infos.size(); ++i) {
        CHECK(ended[i].sha256 == infos[i].sha256);
        CHECK(ended[i].error.empty());
        CHECK(Objects(to).get(infos[i].sha256) == objects.get(infos[i].sha256));
        CHECK(object_present(to, {infos[i].sha256, infos[i].size_bytes}));
        CHECK(object_present(to, {infos[i].sha256}));
    }
}

TEST_CASE("a flipped bit on the way is no object") {
    for (const std::string& bytes : {noise(1 << 20), std::string(4 << 20, 'a') + noise(100'000)}) {
        MemoryStore from;
        MemoryStore to;
        const ObjectInfo info = Objects(from).put(bytes);
        ObjectSender sender(from);
        ObjectTaker taker(to);
        sender.add({info.sha256, info.size_bytes});
        const auto ended = pass(sender, taker, 0);
        REQUIRE(ended.size() == 1);
        CHECK_FALSE(ended[0].error.empty());
        CHECK_FALSE(object_present(to, {info.sha256}));
        sender.add({info.sha256, info.size_bytes});
        CHECK(pass(sender, taker).at(0).error.empty());
        CHECK(Objects(to).get(info.sha256) == bytes);
    }
}

TEST_CASE("a damaged object is replaced, and one that is not there is told") {
    MemoryStore from;
    MemoryStore to;
    const std::string bytes = noise(5000);
    const ObjectInfo info = Objects(from).put(bytes);
    to.put(layout::object(info.sha256, false), bytes.substr(1));
    ObjectSender sender(from);
    ObjectTaker taker(to);
    sender.add({info.sha256, info.size_bytes});
    CHECK(pass(sender, taker).at(0).error.empty());
    CHECK(Objects(to).get(info.sha256) == bytes);

    Ends ends;
    const std::string unknown(64, '0');
    sender.add({unknown, 3});
    const auto troubles = sender.fill(*ends.one);
    REQUIRE(troubles.size() == 1);
    CHECK(troubles[0].sha256 == unknown);
    CHECK_FALSE(ends.one->has_unsent());
}
