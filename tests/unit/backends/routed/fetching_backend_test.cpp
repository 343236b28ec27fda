#include "backends/routed/fetching_backend.hpp"

#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "tests/support/backend_contract.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/scripted_backend.hpp"

using namespace amp;
using namespace amp::test;

namespace {

const FarPlace k_box{"box", "ssh", "box", "", "store-1"};

/// From a store in memory, when the test says so.
class MemoryFetch : public FarFetch {
  public:
    MemoryFetch(ObjectStore& from, ObjectStore& to) : from_(from), to_(to) {}

    void want(const Artifact& artifact) override {
        if (std::find(wanted.begin(), wanted.end(), artifact) == wanted.end()) {
            wanted.push_back(artifact);
        }
    }
    int event_fd() override { return -1; }
    std::vector<FarArrival> events() override {
        std::vector<FarArrival> arrivals;
        for (; allowed > 0 && !wanted.empty(); --allowed) {
            const std::string sha256 = wanted.front().sha256;
            wanted.erase(wanted.begin());
            forget_far(to_, sha256);
            try {
                Objects(to_).put(Objects(from_).get(sha256));
                arrivals.push_back({sha256, {}, {}, ExitCode::ok});
            } catch (const Error& error) {
                arrivals.push_back({sha256, "it is there no more", "make it again", error.code()});
            }
        }
        return arrivals;
    }

    std::vector<Artifact> wanted;
    int allowed = 0;

  private:
    ObjectStore& from_;
    ObjectStore& to_;
};

struct World {
    FakeClock clock;
    MemoryStore far;
    MemoryStore here;
    ScriptedBackend* inner = nullptr;
    MemoryFetch* fetch = nullptr;
    std::unique_ptr<FetchingBackend> backend;

    explicit World(const ScriptedBackend::Script& script = [](const TaskSpec&) { return Verdict(); }) {
        auto scripted = std::make_unique<ScriptedBackend>(clock, script);
        inner = scripted.get();
        FarPlace box = k_box;
        box.store.clear();
        backend = std::make_unique<FetchingBackend>(
            std::move(scripted), here, std::map<std::string, FarPlace>{{"box", box}},
            [this](const FarPlace& place) {
                CHECK(place == k_box);
                CHECK(fetch == nullptr);  // one is enough
                auto made = std::make_unique<MemoryFetch>(far, here);
                fetch = made.get();
                return made;
            },
            [this] { return clock.now(); });
        backend->open();
    }

    /// It is on the box alone.
    Artifact stayed(const std::string& text) {
        const ObjectInfo info = Objects(far).put(text);
        Artifact file{Artifact::Kind::file, {}, info.sha256, info.size_bytes, {}, 0};
        note_far(here, {file, k_box});
        return file;
    }
    void submit(const std::string& step, const std::vector<Artifact>& inputs,
                const std::string& profile = {}) {
        TaskSpec spec;
        spec.task = TaskName::parse(step);
        spec.profile = profile;
        for (const Artifact& input : inputs) {
            spec.inputs.push_back({"in/" + input.sha256.substr(0, 4), input});
        }
        backend->submit({&spec, 1});
    }
    void let(int arrivals) const { fetch->allowed = arrivals; }
    /// What was handed on, so far.
    std::vector<std::string> handed() const {
        std::vector<std::string> steps;
        for (const TaskSpec& spec : inner->submitted()) {
            steps.push_back(spec.task.step);
        }
        return steps;
    }
    /// "a", or "a: MESSAGE" of one that failed.
    std::vector<std::string> ends() const {
        std::vector<std::string> out;
        for (const BackendEvent& event : backend->events()) {
            if (const auto* end = std::get_if<AttemptEnded>(&event)) {
                out.push_back(end->result.task.step +
                              (end->result.succeeded() ? "" : ": " + end->result.message));
            }
        }
        return out;
    }
};

using Steps = std::vector<std::string>;

/// Every other task has an input that comes at once.
class FetchingBench : public BackendBench {
  public:
    Backend& backend() override { return *world_.backend; }
    TaskSpec succeeding(const std::string& step) override { return spec(step, "good"); }
    TaskSpec failing(const std::string& step) override { return spec(step, "bad"); }
    TaskSpec endless(const std::string& step) override { return spec(step, "long"); }
    TaskSpec impossible(const std::string& step) override {
        TaskSpec giant = spec(step, "good");
        giant.resources.cpu = 1e6;
        return giant;
    }
    bool starts_processes() override { return false; }
    void wait() override {
        world_.clock.advance(1);
        if (world_.fetch != nullptr) {
            world_.fetch->allowed = 100;
        }
    }
    std::size_t times_run(const std::string& step) override {
        return world_.inner->times_started(TaskName::parse(step));
    }

  private:
    TaskSpec spec(const std::string& step, const std::string& token) {
        TaskSpec spec;
        spec.task = TaskName::parse(step);
        spec.token = token;
        if (specs_++ % 2 == 0) {
            spec.inputs.push_back({"in", world_.stayed("input of " + step)});
        }
        return spec;
    }

    World world_{[](const TaskSpec& spec) {
        Verdict verdict = spec.token == "bad" ? fail(Cause::user, 3) : succeed();
        verdict.takes_s = spec.token == "long" ? 1e9 : 0.5;
        return verdict;
    }};
    int specs_ = 0;
};

}  // namespace

TEST_CASE("with inputs on their way it keeps the contract of a backend") {
    check_backend_contract([] { return std::make_unique<FetchingBench>(); });
}

TEST_CASE("what has all its inputs passes, and what has not waits for them alone") {
    World w;
    const Artifact one = w.stayed("one");
    const Artifact two = w.stayed("two");
    const ObjectInfo home = Objects(w.here).put("home");
    w.submit("both", {one, two});
    w.submit("one", {one});
    w.submit("home", {{Artifact::Kind::file, {}, home.sha256, home.size_bytes, {}, 0}});
    CHECK(w.handed() == Steps{"home"});
    CHECK(w.ends() == Steps{"home"});
    CHECK(w.fetch->wanted.size() == 2);
    w.let(1);
    CHECK(w.ends().empty());  // handed on at the end of this round
    CHECK(w.handed() == Steps{"home", "one"});
    w.let(2);
    CHECK(w.ends() == Steps{"one"});
    CHECK(w.ends() == Steps{"both"});
}

TEST_CASE("it says what a task waits for") {
    World w;
    w.submit("a", {w.stayed("one")});
    const auto events = w.backend->events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<AttemptQueued>(events[0]).reason == "an input is on its way from box");
}

TEST_CASE("a task where its input is has nothing brought") {
    World w;
    w.submit("there", {w.stayed("one")}, "box");
    CHECK(w.handed() == Steps{"there"});
    CHECK(w.fetch == nullptr);
    w.submit("elsewhere", {w.stayed("two")}, "other");
    CHECK(w.handed() == Steps{"there"});
    CHECK(w.fetch != nullptr);
}

TEST_CASE("what cannot be brought ends those that need it, and nothing starts before that is known") {
    World w;
    const Artifact gone = w.stayed("gone");
    const Artifact good = w.stayed("good");
    w.far.remove(layout::object(gone.sha256, false));
    w.submit("a", {gone});
    w.submit("b", {gone, good});
    w.submit("c", {good});
    w.let(9);
    const std::string message =
        ": its input 'in/" + gone.sha256.substr(0, 4) + "': it is there no more; make it again";
    CHECK(w.ends() == Steps{"a" + message, "b" + message});
    CHECK(w.handed().empty());
    w.backend->go_on();
    CHECK(w.handed() == Steps{"c"});
}

TEST_CASE("one that waits can be cancelled, and is handed on to nobody") {
    World w;
    w.submit("a", {w.stayed("one")});
    w.submit("a", {w.stayed("one")});  // the same attempt
    w.backend->cancel(std::vector{AttemptId{TaskName::parse("a"), 1}, AttemptId{TaskName::parse("x"), 1}});
    CHECK(w.inner->cancelled().size() == 1);
    CHECK(w.ends() == Steps{"a: cancelled before it started"});
    w.let(9);
    CHECK(w.ends().empty());
    CHECK(w.handed().empty());
}

TEST_CASE("when all is lost, what waits here is submitted again by the driver alone") {
    World w;
    const Artifact one = w.stayed("one");
    w.submit("a", {one});
    w.inner->die("gone");
    w.backend->events();
    w.let(9);
    CHECK(w.ends().empty());
    CHECK(w.handed().empty());
    w.submit("a", {one});
    CHECK(w.handed() == Steps{"a"});
}
