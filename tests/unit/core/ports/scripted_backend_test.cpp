#include "tests/support/scripted_backend.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/backend_contract.hpp"
#include "tests/support/fake_clock.hpp"

using namespace amp;
using namespace amp::test;

namespace {

class ScriptedBench : public BackendBench {
  public:
    ScriptedBench() : backend_(clock_, [this](const TaskSpec& spec) { return verdict(spec); }) {}

    Backend& backend() override { return backend_; }
    TaskSpec succeeding(const std::string& step) override { return spec(step, "good"); }
    TaskSpec failing(const std::string& step) override { return spec(step, "bad"); }
    TaskSpec endless(const std::string& step) override { return spec(step, "long"); }
    TaskSpec impossible(const std::string& step) override {
        TaskSpec giant = spec(step, "good");
        giant.resources.cpu = 1e6;
        return giant;
    }
    bool starts_processes() override { return false; }
    void wait() override { clock_.advance(1); }
    std::size_t times_run(const std::string& step) override {
        return backend_.times_started(TaskName::parse(step));
    }

  private:
    static TaskSpec spec(const std::string& step, const std::string& token) {
        TaskSpec spec;
        spec.task = TaskName::parse(step);
        spec.token = token;
        return spec;
    }
    static Verdict verdict(const TaskSpec& spec) {
        Verdict verdict = spec.token == "bad" ? fail(Cause::user, 3) : succeed();
        verdict.takes_s = spec.token == "long" ? 1e9 : 0.5;
        return verdict;
    }

    FakeClock clock_;
    ScriptedBackend backend_;
};

TaskSpec spec_of(const std::string& step) {
    TaskSpec spec;
    spec.task = TaskName::parse(step);
    return spec;
}

std::size_t count_ends(const std::vector<BackendEvent>& events) {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(),
                      [](const BackendEvent& event) { return std::holds_alternative<AttemptEnded>(event); }));
}

}  // namespace

TEST_CASE("the scripted backend keeps the contract") {
    check_backend_contract([] { return std::make_unique<ScriptedBench>(); });
}

TEST_CASE("a scripted answer can be lost, doubled or of a stranger") {
    FakeClock clock;
    ScriptedBackend backend(clock);
    const auto run = [&](Verdict::Answer answer, const std::string& step) {
        backend.set_script([answer](const TaskSpec&) {
            Verdict verdict;
            verdict.answer = answer;
            return verdict;
        });
        const TaskSpec spec = spec_of(step);
        backend.submit({&spec, 1});
        return backend.events();
    };
    CHECK(count_ends(run(Verdict::Answer::plain, "plain")) == 1);
    CHECK(count_ends(run(Verdict::Answer::lost, "lost")) == 0);
    CHECK(count_ends(run(Verdict::Answer::duplicate, "twice")) == 2);
    CHECK(count_ends(run(Verdict::Answer::unknown, "stranger")) == 2);
    CHECK(std::holds_alternative<AttemptStarted>(run(Verdict::Answer::late, "late").back()));
    backend.die("as told");
    const auto events = backend.events();
    REQUIRE(events.size() == 1);
    CHECK(std::get<BackendLost>(events[0]).reason == "as told");
}
