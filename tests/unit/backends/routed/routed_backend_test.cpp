#include "backends/routed/routed_backend.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/store/log_follower.hpp"
#include "tests/support/backend_contract.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/scripted_backend.hpp"

using namespace amp;
using namespace amp::test;

namespace {

TaskSpec spec_of(const std::string& step, const std::string& profile, const std::string& token = "good") {
    TaskSpec spec;
    spec.task = TaskName::parse(step);
    spec.profile = profile;
    spec.token = token;
    return spec;
}

/// This machine, and a box beside it.
struct Two {
    FakeClock clock;
    ScriptedBackend* here = nullptr;
    ScriptedBackend* box = nullptr;
    MemoryAppendFiles files;
    std::unique_ptr<RoutedBackend> routed;

    explicit Two(const ScriptedBackend::Script& script, bool sure = true) {
        std::vector<RoutedBackend::Place> places;
        auto local = std::make_unique<ScriptedBackend>(clock, script);
        auto other = std::make_unique<ScriptedBackend>(clock, script);
        here = local.get();
        box = other.get();
        places.push_back({"", std::move(local), true});
        places.push_back({"box", std::move(other), sure});
        routed = std::make_unique<RoutedBackend>(std::move(places), [this] {
            return std::make_unique<KeeperLogWriter>(files, "r", 1, std::function<void()>(), Witness::driver);
        });
    }

    /// "start b" and the like, as onlookers read them.
    std::vector<std::string> notes() {
        std::vector<std::string> out;
        const auto take = [&out](const Record& record) {
            if (record.type == "start" || record.type == "end") {
                out.push_back(record.type + " " + TaskName::parse(get_string(record.payload, "task")).step);
            }
        };
        read_keeper_log(files, "r", 1, take, Witness::driver);
        return out;
    }
};

Verdict verdict(const TaskSpec& spec) {
    Verdict verdict = spec.token == "bad" ? fail(Cause::user, 3) : succeed();
    verdict.takes_s = spec.token == "long" ? 1e9 : 0.5;
    return verdict;
}

/// Some steps run elsewhere; what waits for `go_on` waits where the failure was.
class RoutedBench : public BackendBench {
  public:
    Backend& backend() override { return *two_.routed; }
    TaskSpec succeeding(const std::string& step) override { return spec(step, "good"); }
    TaskSpec failing(const std::string& step) override { return spec(step, "bad"); }
    TaskSpec endless(const std::string& step) override { return spec(step, "long"); }
    TaskSpec impossible(const std::string& step) override {
        TaskSpec giant = spec(step, "good");
        giant.resources.cpu = 1e6;
        return giant;
    }
    bool starts_processes() override { return false; }
    void wait() override { two_.clock.advance(1); }
    std::size_t times_run(const std::string& step) override {
        const TaskName task = TaskName::parse(step);
        return two_.here->times_started(task) + two_.box->times_started(task);
    }

  private:
    TaskSpec spec(const std::string& step, const std::string& token) {
        return spec_of(step, step.find('o') != std::string::npos ? "box" : "", token);
    }

    Two two_{verdict};
};

template <class E>
std::vector<E> events_of(Backend& backend) {
    std::vector<E> out;
    for (const BackendEvent& event : backend.events()) {
        if (const auto* found = std::get_if<E>(&event)) {
            out.push_back(*found);
        }
    }
    return out;
}

}  // namespace

TEST_CASE("two backends behind one keep the contract of one") {
    check_backend_contract([] { return std::make_unique<RoutedBench>(); });
}

TEST_CASE("a spec goes to the backend of its profile, and so does what is said of it later") {
    Two two(verdict);
    two.routed->open();
    two.routed->submit(std::vector{spec_of("a", "", "long"), spec_of("b", "box", "long")});
    REQUIRE(two.here->submitted().size() == 1);
    REQUIRE(two.box->submitted().size() == 1);
    CHECK(two.box->submitted().front().task.step == "b");
    two.routed->cancel(std::vector{AttemptId{TaskName::parse("b"), 1}});
    CHECK(two.here->cancelled().empty());
    CHECK(two.box->cancelled().size() == 1);
    two.routed->kill(std::vector{AttemptId{TaskName::parse("a"), 1}});
    CHECK(two.here->killed().size() == 1);
    CHECK(two.box->killed().empty());
    // Of one that has ended either may still keep its place.
    two.routed->cancel(std::vector{AttemptId{TaskName::parse("ended"), 1}});
    CHECK(two.here->cancelled().size() == 1);
    CHECK(two.box->cancelled().size() == 2);
    CHECK_THROWS_AS(two.routed->submit(std::vector{spec_of("c", "elsewhere")}), Error);
}

TEST_CASE("a place that may not be needed is opened when it is") {
    Two two(verdict, false);
    two.routed->open();
    CHECK(two.here->times_opened() == 1);
    CHECK(two.box->times_opened() == 0);
    two.routed->submit(std::vector{spec_of("b", "box")});
    CHECK(two.box->times_opened() == 1);
    two.routed->open();  // as after a loss
    CHECK(two.box->times_opened() == 2);
}

TEST_CASE("of a backend that is lost only what it held is lost") {
    Two two(verdict);
    two.routed->open();
    two.routed->submit(std::vector{spec_of("a", "", "long"), spec_of("b", "box", "long")});
    two.routed->events();
    two.box->die("unplugged");
    const auto lost = events_of<BackendLost>(*two.routed);
    REQUIRE(lost.size() == 1);
    REQUIRE(lost.front().held);
    CHECK(*lost.front().held == std::vector{AttemptId{TaskName::parse("b"), 1}});
}

TEST_CASE("places of what has failed are lost with the backend that keeps them, until they are freed") {
    Two two(verdict);
    two.routed->open();
    two.routed->submit(std::vector{spec_of("a", "", "bad"), spec_of("b", "box", "bad"),
                                   spec_of("c", "box", "bad"), spec_of("d", "box")});
    two.routed->events();
    for (int i = 0; i < 4; ++i) {  // each failure holds back what waits beside it
        two.routed->go_on();
        two.clock.advance(1);
        two.routed->events();
    }
    two.routed->cancel(std::vector{AttemptId{TaskName::parse("c"), 1}});
    CHECK(two.here->cancelled().empty());  // it is known who keeps it
    CHECK(two.box->cancelled().size() == 1);
    two.box->die("unplugged");
    const auto lost = events_of<BackendLost>(*two.routed);
    REQUIRE(lost.size() == 1);
    REQUIRE(lost.front().held);
    CHECK(*lost.front().held == std::vector{AttemptId{TaskName::parse("b"), 1}});
}

TEST_CASE("what was left running in either place is adopted, and cancelled there") {
    Two two(verdict);
    const AttemptId left{TaskName::parse("b"), 2};
    Adoption adoption;
    adoption.running.push_back({left, "box", {}});
    two.box->set_adoption(adoption);
    CHECK(two.routed->adopt().running.size() == 1);
    two.routed->cancel(std::vector{left});
    CHECK(two.box->cancelled() == std::vector{left});
    CHECK(two.here->cancelled().empty());
}

TEST_CASE("two places may use one ticket for two spawns") {
    Two two(verdict);
    two.here->inject(SpawnAsked{{TaskName::parse("a"), 1}, 1, Value()});
    two.box->inject(SpawnAsked{{TaskName::parse("b"), 1}, 1, Value()});
    const auto asked = events_of<SpawnAsked>(*two.routed);
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].ticket != asked[1].ticket);
    two.here->inject(SpawnAsked{{TaskName::parse("a"), 1}, 1, Value()});  // it asks again
    const auto again = events_of<SpawnAsked>(*two.routed);
    REQUIRE(again.size() == 1);
    CHECK(again[0].ticket == asked[0].ticket);
}

TEST_CASE("what runs elsewhere is noted for those who look on, what runs here is not") {
    Two two(verdict);
    two.routed->open();
    two.routed->submit(std::vector{spec_of("a", ""), spec_of("b", "box"), spec_of("c", "box", "long")});
    two.routed->events();
    CHECK(two.notes() == std::vector<std::string>{"start b", "start c"});
    two.clock.advance(1);
    two.routed->events();
    CHECK(two.notes() == std::vector<std::string>{"start b", "start c", "end b"});
    two.box->die("unplugged");
    two.routed->events();
    CHECK(two.notes().back() == "end c");
}

TEST_CASE("the notes of a driver that was killed while it wrote them are read, and others go on") {
    MemoryAppendFiles source;
    const auto note = [](AppendFiles& files, std::uint32_t epoch, const std::string& step) {
        KeeperLogWriter log(files, "r", epoch, {}, Witness::driver);
        for (const char* type : {"start", "end"}) {
            log.append(type,
                       Object{{"task", step + "/_"}, {"attempt", 1}, {"at", "2026-11-20T08:15:30.000Z"}});
            log.flush();
        }
    };
    note(source, 1, "before");
    const std::string key = layout::starts_log("r", 1);
    const std::string whole = source.bytes(key);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        CAPTURE(cut);
        Two two(verdict);
        two.files.set_bytes(key, whole.substr(0, cut));
        const std::size_t sound = two.notes().size();
        KeeperFollower onlooker(two.files, "r");
        std::vector<std::string> seen;
        const auto look = [&] {
            onlooker.poll([&](const Record& record) {
                if (record.type == "start" || record.type == "end") {
                    seen.push_back(record.type + " " + get_string(record.payload, "task"));
                }
            });
        };
        look();
        CHECK(seen.size() == sound);
        note(two.files, 2, "after");  // the next driver has a file of its own
        look();
        REQUIRE(seen.size() == sound + 2);
        CHECK(seen[sound] == "start after/_");
        CHECK(seen[sound + 1] == "end after/_");
        CHECK(two.notes().size() == sound);
    }
}

TEST_CASE("a store that takes no notes stops nothing") {
    Two two(verdict);
    two.files.fail_for_ever(ENOSPC);
    two.routed->open();
    two.routed->submit(std::vector{spec_of("b", "box")});
    CHECK(events_of<AttemptStarted>(*two.routed).size() == 1);
    two.clock.advance(1);
    CHECK(events_of<AttemptEnded>(*two.routed).size() == 1);
}
