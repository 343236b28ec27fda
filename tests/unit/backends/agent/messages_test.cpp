#include "backends/agent/messages.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

using namespace amp;
using namespace amp::agent;

namespace {

struct Pair {
    std::array<int, 2> ends{};
    Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0); }
};

/// Two connected channels.
struct Line : Pair {
    Channel here{UniqueFd(ends[0])};
    Channel there{UniqueFd(ends[1])};

    /// The frames that have come over.
    std::vector<std::pair<Kind, std::string>> carry() {
        std::vector<std::pair<Kind, std::string>> frames;
        do {
            REQUIRE(here.flush());
            REQUIRE(there.receive());
            while (const auto frame = there.next()) {
                frames.emplace_back(static_cast<Kind>(frame->kind), std::string(frame->payload));
            }
        } while (here.has_unsent());
        return frames;
    }
};

TaskSpec spec(const std::string& step, std::size_t weight) {
    TaskSpec s;
    s.task = TaskName::parse(step);
    s.argv = {{{Piece::Kind::text, std::string(weight, 'x')}}};
    return s;
}

}  // namespace

TEST_CASE("hello, welcome and the rest survive their frames") {
    const Hello hello = hello_from(encode(Hello{"run", 7, "secret"}));
    CHECK(hello.run == "run");
    CHECK(hello.epoch == 7);
    CHECK(hello.secret == "secret");
    const AttemptId id{TaskName::parse("a/3"), 2};
    const Welcome welcome = welcome_from(encode(Welcome{42, {{id, "host", {1'793'174'400'123}}}}));
    CHECK(welcome.pid == 42);
    REQUIRE(welcome.running.size() == 1);
    CHECK(welcome.running[0].id == id);
    CHECK(welcome.running[0].at.ms == 1'793'174'400'123);
    CHECK(attempts_from(encode_attempts(std::vector{id})) == std::vector{id});
    CHECK(number_from(encode_number("n", 5), "n") == 5);
    CHECK(text_from(encode_text("who", "a\"b"), "who") == "a\"b");
    CHECK(cancel_run_from(encode(CancelRun{"run", "ann"})).who == "ann");
}

TEST_CASE("a place that is held comes over with all that belongs to it") {
    const EnterPlace ask = enter_place_from(encode(EnterPlace{"r1", "s", {{"a", {}}, 2}}));
    CHECK(ask.run == "r1");
    CHECK(ask.secret == "s");
    CHECK(ask.id == AttemptId{{"a", {}}, 2});
    OpenPlace place;
    place.folder = "/tmp/x";
    place.spec.task = {"a", {}};
    place.spec.secrets = {{"TOKEN", "env:T"}};
    place.secrets = {{"env:T", "T", std::string("\xff\0", 2)}};
    const OpenPlace read = open_place_from(encode(place));
    CHECK(read.folder == "/tmp/x");
    CHECK(read.spec.task.step == "a");
    CHECK(read.spec.secrets == place.spec.secrets);
    REQUIRE(read.secrets.size() == 1);
    CHECK(read.secrets.front().value == place.secrets.front().value);
    CHECK_THROWS_AS(open_place_from("{}"), Error);
}

TEST_CASE("specs travel in frames of a sensible size; one that is too large is given back") {
    Line line;
    const std::vector<TaskSpec> specs = {spec("a", 10), spec("b", 2 << 20), spec("c", 17 << 20),
                                         spec("d", 10), spec("e", 10)};
    const auto large = send_specs(line.here, specs);
    REQUIRE(large.size() == 1);
    CHECK(large[0]->task.step == "c");
    std::vector<std::string> steps;
    const auto frames = line.carry();
    CHECK(frames.size() == 3);
    for (const auto& [kind, payload] : frames) {
        CHECK(kind == Kind::submit);
        const ReadSpecs read = specs_from(payload);
        CHECK(read.unreadable.empty());
        for (const TaskSpec& s : read.specs) {
            steps.push_back(s.task.step);
        }
    }
    CHECK(steps == std::vector<std::string>{"a", "b", "d", "e"});
}

TEST_CASE("events of a wake-up travel together") {
    Line line;
    EventBatch batch;
    const AttemptId id{TaskName::parse("a"), 1};
    batch.queued(id, "waits");
    batch.started(id, "host", {5});
    AttemptResult result;
    result.task = id.task;
    batch.ended(json::dump(to_value(result)));
    batch.note("a remark");
    batch.send_to(line.here);
    CHECK(batch.empty());
    const auto frames = line.carry();
    REQUIRE(frames.size() == 1);
    std::vector<std::string> notes;
    const auto events = events_from(frames[0].second, notes);
    REQUIRE(events.size() == 3);
    CHECK(std::get<AttemptQueued>(events[0]).reason == "waits");
    CHECK(std::get<AttemptStarted>(events[1]).where == "host");
    CHECK(std::get<AttemptEnded>(events[2]).result.task == id.task);
    CHECK(notes == std::vector<std::string>{"a remark"});
}

TEST_CASE("what cannot be read ends as infra, or is noted when it names no attempt") {
    const ReadSpecs read = specs_from(
        R"({"specs":[{"task":"a","argv":["x"]},{"task":"b","attempt":0},7,{"task":"c","attempt":2,"argv":[1]}]})");
    CHECK(read.specs.size() == 1);
    CHECK(read.notes.size() == 2);
    REQUIRE(read.unreadable.size() == 1);
    CHECK(read.unreadable[0].task.step == "c");
    CHECK(read.unreadable[0].cause == Cause::infra);

    std::vector<std::string> bad;
    const auto events = events_from(
        R"({"events":[{"event":"ended"},{"event":"dance"},{"event":"started","task":"a","attempt":1},
            {"event":"ended","result":{"task":"a","attempt":1,"cause":"bad luck"}},
            {"event":"ended","result":{"task":"b","attempt":1,"cause":"none",
                                       "artifacts":{"x":{"kind":"file","sha256":"zz"}}}}]})",
        bad);
    CHECK(bad.size() == 2);
    REQUIRE(events.size() == 3);
    CHECK(std::get<AttemptEnded>(events[1]).result.cause == Cause::infra);
    CHECK(std::get<AttemptEnded>(events[2]).result.cause == Cause::infra);
    CHECK(std::get<AttemptEnded>(events[2]).result.message ==
          "its result cannot be read: its output 'x' names no object");
    CHECK_THROWS_AS(specs_from("[]"), Error);
    CHECK_THROWS_AS(attempts_from(R"({"attempts":[{"task":"a"}]})"), Error);
    CHECK_THROWS_AS(hello_from(R"({"protocol":99})"), Error);
}

TEST_CASE("a peer that does not read holds nobody up") {
    Line line;
    for (int i = 0; i < 100; ++i) {
        line.here.send(Kind::events, std::string(100'000, 'x'));
        REQUIRE(line.here.flush());
    }
    CHECK(line.here.has_unsent());
    CHECK(line.carry().size() == 100);
    CHECK_FALSE(line.here.has_unsent());
}

TEST_CASE("a peer that is gone shows") {
    Line line;
    line.there = Channel(UniqueFd(dup(line.here.fd())));
    line.here.send(Kind::close, "{}");
    CHECK_FALSE(line.here.flush());
    CHECK_FALSE(line.here.receive());
}

TEST_CASE("a refusal says whether the store is full") {
    for (const ExitCode code : {ExitCode::store_full, ExitCode::infrastructure, ExitCode::bug}) {
        const std::string payload = agent::encode_refusal("no \"room\"", code);
        CHECK(agent::text_from(payload, "message") == "no \"room\"");
        CHECK(agent::refusal_code(payload) ==
              (code == ExitCode::store_full ? code : ExitCode::infrastructure));
    }
    CHECK(agent::refusal_code(agent::encode_text("message", "of an older keeper")) ==
          ExitCode::infrastructure);
}

TEST_CASE("secrets come over as they are, whatever bytes they hold") {
    const std::vector<Secret> sent = {{"env:A", "A", std::string("\xff\x01\n\"x", 5)},
                                      {"file:b", "B", "plain"}};
    const std::string payload = encode(sent);
    CHECK(payload.find("plain") == std::string::npos);
    const auto got = secrets_from(payload);
    REQUIRE(got.size() == 2);
    CHECK(got[0].key == "env:A");
    CHECK(got[0].name == "A");
    CHECK(got[0].value == sent[0].value);
    CHECK(got[1].value == "plain");
}
