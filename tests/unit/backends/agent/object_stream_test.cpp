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

std::optional<SizedObject> anything(const std::string& sha256) {
    return SizedObject{sha256};
}

std::string object_frame(const std::string& sha256, std::uint64_t size) {
    return R"({"compressed":false,"sha256":")" + sha256 + R"(","size":)" + std::to_string(size) + "}";
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
    ObjectTaker taker(to, anything);
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
        ObjectTaker taker(to, anything);
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
    ObjectTaker taker(to, anything);
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

TEST_CASE("what is there stays until what comes is known to be right") {
    MemoryStore store;
    const std::string bytes = noise(5000);
    const ObjectInfo info = Objects(store).put(bytes);
    ObjectTaker taker(store, anything);
    taker.begin(object_frame(info.sha256, 17));
    CHECK(taker.end(R"({"error":"it broke"})").error == "it broke");
    CHECK(Objects(store).get(info.sha256) == bytes);
    taker.begin(object_frame(info.sha256, 17));
    taker.data("something else");
    CHECK_FALSE(taker.end(R"({"error":""})").error.empty());
    CHECK(Objects(store).get(info.sha256) == bytes);
    CHECK_THROWS_AS(taker.end(R"({"error":""})"), Error);
}

TEST_CASE("only what is wanted is taken, and no more of it") {
    MemoryStore store;
    const std::string bytes = noise(2 << 20);
    const std::string sha256 = sha256_hex(bytes);
    ObjectTaker idle(store, [](const std::string&) { return std::nullopt; });
    idle.begin(object_frame(sha256, bytes.size()));
    idle.data(bytes);
    CHECK(idle.end(R"({"error":""})").error == "nobody has asked for it");
    CHECK(store.calls() == 0);

    ObjectTaker taker(store, [](const std::string& name) { return SizedObject{name, 1000}; });
    taker.begin(object_frame(sha256, bytes.size()));
    taker.data(bytes);
    const ObjectTrouble longer = taker.end(R"({"error":""})");
    CHECK(longer.error == "it is longer than its 1000 bytes");
    CHECK_FALSE(longer.ours);
    CHECK_FALSE(object_present(store, {sha256}));
}

TEST_CASE("of what has no known size no more is taken than can be read, packed or not") {
    const std::string bytes = std::string(2 << 20, 'a') + noise(1000);
    MemoryStore from;
    const ObjectInfo info = Objects(from).put(bytes);
    REQUIRE(from.size(layout::object(info.sha256, true)).value_or(0) < 10'000);
    for (const bool packed : {true, false}) {
        MemoryStore store;
        ObjectTaker taker(store, anything, 1 << 20);
        if (packed) {
            ObjectSender sender(from);
            sender.add({info.sha256});
            CHECK(pass(sender, taker).at(0).error ==
                  "a list of files may have 1048576 bytes, and it has more");
        } else {
            taker.begin(object_frame(info.sha256, bytes.size()));
            taker.data(bytes);
            CHECK(taker.end(R"({"error":""})").error ==
                  "a list of files may have 1048576 bytes, and it has more");
        }
        CHECK_FALSE(object_present(store, {info.sha256}));
        ObjectTaker ample(store, anything, bytes.size());
        ObjectSender sender(from);
        sender.add({info.sha256});
        CHECK(pass(sender, ample).at(0).error.empty());
    }
}

TEST_CASE("whose trouble it is, is told") {
    const std::string bytes = noise(5000);
    const std::string sha256 = sha256_hex(bytes);
    MemoryStore store;
    ObjectTaker taker(store, anything);
    const auto bring = [&] {
        taker.begin(object_frame(sha256, bytes.size()));
        taker.data(bytes);
        return taker.end(R"({"error":""})");
    };
    store.fail_call(1);
    const ObjectTrouble trouble = bring();
    CHECK_FALSE(trouble.error.empty());
    CHECK(trouble.ours);
    CHECK(bring().error.empty());
    CHECK(Objects(store).get(sha256) == bytes);
}
