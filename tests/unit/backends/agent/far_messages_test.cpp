#include "backends/agent/far_messages.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>

#include "core/base/error.hpp"

using namespace amp;
using namespace amp::agent;

namespace {

AttemptId id(const char* task, std::uint32_t attempt) {
    return {TaskName::parse(task), attempt};
}

}  // namespace

TEST_CASE("a far hello comes back as it was") {
    FarHello hello{"261120-081530-k3fx", 7, 1'000'000, 3, std::nullopt, {{"runs/r/packs/1-1", 17}}, "abc"};
    FarHello back = far_hello_from(encode(hello));
    CHECK(back.run == hello.run);
    CHECK(back.epoch == 7);
    CHECK(back.number_base == 1'000'000);
    CHECK(back.workers == 3);
    CHECK(back.packs == hello.packs);
    CHECK(back.code == "abc");
    CHECK_FALSE(back.held);
    hello.held = std::vector<AttemptId>{};
    REQUIRE(far_hello_from(encode(hello)).held);
    hello.held = {id("train/3", 2), id("a/_@2", 1)};
    CHECK(far_hello_from(encode(hello)).held == hello.held);
    CHECK(far_greeting_from(encode(FarGreeting{"00ff"})).binary == "00ff");
    CHECK_THROWS_AS(far_greeting_from("{\"protocol\":99}"), Error);
}

TEST_CASE("a far welcome comes back as it was") {
    FarWelcome welcome;
    welcome.host = "box";
    welcome.root = "/home/me/with space\n";
    welcome.capacity = {2.5, 1ULL << 40, 8};
    welcome.workers = 3;
    welcome.running = {{id("train/3", 2), "box", Timestamp{1'600'000'000'123}}};
    welcome.lost = {id("eval/_", 1)};
    welcome.code_ready = true;
    const FarWelcome back = far_welcome_from(encode(welcome));
    CHECK(back.host == "box");
    CHECK(back.root == welcome.root);
    CHECK(back.capacity.cpu == 2.5);
    CHECK(back.capacity.memory_bytes == 1ULL << 40);
    CHECK(back.capacity.gpu == 8);
    CHECK(back.workers == 3);
    REQUIRE(back.running.size() == 1);
    CHECK(back.running[0].id == id("train/3", 2));
    CHECK(back.running[0].at == Timestamp{1'600'000'000'123});
    CHECK(back.lost == welcome.lost);
    CHECK(back.code_ready);
}

TEST_CASE("of numbers that the other side says only sensible ones are taken") {
    for (const char* bad : {R"("workers":-1)", R"("workers":1000001)", R"("workers":9223372036854775807)",
                            R"("gpu":-1)", R"("gpu":4294967296)"}) {
        CHECK_THROWS_AS(far_welcome_from("{" + std::string(bad) + "}"), Error);
    }
    CHECK_THROWS_AS(far_hello_from(R"({"protocol":1,"workers":-1})"), Error);
    CHECK(far_welcome_from(R"({"workers":256,"gpu":8,"memory":-1})").capacity.memory_bytes == 0);
}

TEST_CASE("bytes of a pack may be any bytes") {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes.push_back(static_cast<char>(i));
    }
    const std::string text = encode(PackBytes{"runs/r/packs/01000001-00000001", 12345678901ULL, bytes});
    const PackBytes back = pack_bytes_from(text);
    CHECK(back.key == "runs/r/packs/01000001-00000001");
    CHECK(back.offset == 12345678901ULL);
    CHECK(back.bytes == bytes);
    for (const char* bad : {"", "key", "key 1", "key x\nbytes", "key 1x\nbytes", "key\nbytes", "key -1\nb"}) {
        CHECK_THROWS_AS(pack_bytes_from(bad), Error);
    }
}

TEST_CASE("lists of objects and troubles come back, and nonsense is refused") {
    const std::vector<SizedObject> objects = {{"aa", 0}, {"bb", 1ULL << 50}, {"cc", k_unknown_size}};
    CHECK(objects_from(encode_objects(objects)) == objects);
    const std::string lists = encode_hashes({{"there", {"aa"}}, {"missing", {"bb", "cc"}}});
    CHECK(hashes_from(lists, "there") == std::vector<std::string>{"aa"});
    CHECK(hashes_from(lists, "missing") == std::vector<std::string>{"bb", "cc"});
    CHECK(hashes_from(lists, "else").empty());
    const ObjectTrouble trouble =
        object_trouble_from(encode(ObjectTrouble{"aa", "no room", ExitCode::store_full}));
    CHECK(trouble.error == "no room");
    CHECK(trouble.code == ExitCode::store_full);
    for (const char* bad :
         {"{\"objects\":[1]}", "{\"objects\":[[1,2]]}", "{\"objects\":[[\"a\",-1]]}", "[]", "{"}) {
        CHECK_THROWS_AS(objects_from(bad), Error);
    }
}

TEST_CASE("however many objects are asked for, no frame is large") {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
    Channel one{UniqueFd(fds[0])};
    Channel other{UniqueFd(fds[1])};
    std::vector<SizedObject> objects(250'000);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        objects[i] = {std::string(58, 'a') + std::to_string(100'000 + i), i};
    }
    send_objects(one, Kind::fetch, objects);
    std::vector<SizedObject> back;
    while (back.size() < objects.size()) {
        REQUIRE(one.flush());
        REQUIRE(other.receive());
        while (const auto frame = other.next()) {
            REQUIRE(static_cast<Kind>(frame->kind) == Kind::fetch);
            CHECK(frame->payload.size() < (std::size_t{1} << 20));
            const auto some = objects_from(frame->payload);
            back.insert(back.end(), some.begin(), some.end());
        }
    }
    CHECK(back == objects);
    send_objects(one, Kind::fetch, {});
    CHECK_FALSE(one.has_unsent());
}

TEST_CASE("an end of before that names no objects is an end all the same") {
    const ReadAdopted read = adopted_from(
        R"({"last":true,"results":[{"task":"a","attempt":2,"cause":"none",
                                    "artifacts":{"x":{"kind":"file","sha256":"00"}}}]})");
    REQUIRE(read.results.size() == 1);
    CHECK(read.results[0].task.step == "a");
    CHECK(read.results[0].attempt == 2);
    CHECK(read.results[0].cause == Cause::infra);
    CHECK(read.results[0].message == "its result cannot be read: its output 'x' names no object");
    CHECK(read.results[0].artifacts.empty());
}

TEST_CASE("ends of before come in as many frames as needed, and the last says so") {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
    Channel one{UniqueFd(fds[0])};
    Channel other{UniqueFd(fds[1])};
    std::vector<AttemptResult> results(300);
    for (std::size_t i = 0; i < results.size(); ++i) {
        results[i].task = TaskName::parse("train/" + std::to_string(i));
        results[i].message = std::string(10'000, 'x');
    }
    for (const std::size_t count : {std::size_t{0}, results.size()}) {
        send_adopted(one, std::span(results).first(count));
        std::vector<AttemptResult> back;
        std::size_t frames = 0;
        bool last = false;
        while (!last) {
            one.flush();
            REQUIRE(other.receive());
            while (const auto frame = other.next()) {
                REQUIRE(frame->kind == static_cast<std::uint8_t>(Kind::adopted));
                CHECK_FALSE(last);
                ReadAdopted read = adopted_from(frame->payload);
                last = read.last;
                ++frames;
                back.insert(back.end(), read.results.begin(), read.results.end());
            }
        }
        REQUIRE(back.size() == count);
        CHECK(frames == (count == 0 ? 1 : 3));
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(back[i].task == results[i].task);
        }
    }
}
