#include "tests/support/meaning_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "core/base/text.hpp"
#include "core/engine/plan.hpp"
#include "core/flow/load.hpp"
#include "core/flow/toml_document.hpp"

namespace amp::test {

namespace {

std::string errors_of(const Diagnostics& diagnostics) {
    std::string text;
    for (const Diagnostic& d : diagnostics.sorted()) {
        if (d.severity == Diagnostic::Severity::error) {
            text += fmt::format("\n  {} line {}: {}", d.code, d.place.line, d.message);
        }
    }
    return text;
}

[[noreturn]] void refuse(const MeaningCase& c, const std::string& why) {
    throw std::runtime_error(fmt::format("{}: {}", c.name, why));
}

void check_keys(const MeaningCase& c, const Object& object, const std::set<std::string>& known) {
    for (const auto& [key, value] : object) {
        if (!known.contains(key)) {
            refuse(c, "unknown key " + key);
        }
    }
}

MeaningCase::Phase phase_of(const MeaningCase& c, const Value& value) {
    MeaningCase::Phase phase;
    for (const Value& argument : get_list(value, "arguments")) {
        phase.arguments.push_back(argument.as_string());
    }
    for (const auto& [key, decision] : get_object(value, "decide")) {
        phase.decide.emplace(key, decision);
    }
    const Value* expect = value.find("expect");
    if (expect == nullptr) {
        refuse(c, "nothing is expected");
    }
    check_keys(c, expect->as_object(), {"run", "exit", "tasks"});
    phase.run = get_string(*expect, "run");
    phase.exit = get_int(*expect, "exit", -1);
    for (const auto& [task, state] : get_object(*expect, "tasks")) {
        phase.tasks.emplace(task, state.as_string());
    }
    return phase;
}

MeaningCase read_case(const std::filesystem::path& path) {
    MeaningCase c;
    c.name = path.stem();
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    Diagnostics diagnostics;
    const Value value = parse_toml(text.str(), diagnostics).root.value();
    if (diagnostics.has_errors()) {
        refuse(c, errors_of(diagnostics));
    }
    check_keys(c, value.as_object(), {"about", "flow", "arguments", "script", "decide", "expect", "resume"});
    c.about = get_string(value, "about");
    c.flow = get_string(value, "flow");
    for (const auto& [task, outcomes] : get_object(value, "script")) {
        for (const Value& outcome : outcomes.as_list()) {
            c.script[task].push_back(outcome.as_string());
        }
    }
    c.phases.push_back(phase_of(c, value));
    for (const Value& resume : get_list(value, "resume")) {
        check_keys(c, resume.as_object(), {"arguments", "decide", "expect"});
        c.phases.push_back(phase_of(c, resume));
    }
    return c;
}

/// Plays one case.
class Player {
  public:
    explicit Player(const MeaningCase& c)
        : case_(c),
          flow_(load_flow(c.flow, "flow.toml", diagnostics_)),
          graph_(build()),
          plan_(graph_, {.keep_going = flow_.keep_going, .jitter_seed = 1}) {}

    std::string play() {
        if (diagnostics_.has_errors()) {
            return "the flow is not valid:" + errors_of(diagnostics_);
        }
        for (std::size_t i = 0; i < case_.phases.size() && difference_.empty(); ++i) {
            const auto& phase = case_.phases[i];
            if (i > 0) {
                const auto& given = phase.arguments;
                plan_.apply(RunReopened{std::count(given.begin(), given.end(), "--retry-caught") > 0}, now_);
            }
            first_cause_ = Cause::none;
            drive(phase);
            if (difference_.empty()) {
                compare(phase);
            }
            if (!difference_.empty()) {
                difference_ =
                    fmt::format("{}: {}", i == 0 ? "run" : fmt::format("resume {}", i), difference_);
            }
        }
        return difference_;
    }

  private:
    Graph build() {
        Diagnostics of_graph;
        validate(flow_, diagnostics_);
        return build_graph(flow_, of_graph);
    }
    std::string name(StepId step, const TaskIndex& index) const {
        return TaskName{graph_.nodes[step].name, index}.text();
    }

    void drive(const MeaningCase::Phase& phase) {
        while (!plan_.ended() && difference_.empty()) {
            const auto questions = plan_.take_questions(1);
            if (!questions.empty()) {
                answer(phase, questions.front());
                continue;
            }
            const auto tasks = plan_.take_ready(1);
            if (tasks.empty()) {
                difference_ = "the run stands still";
                return;
            }
            end(tasks.front());
        }
    }

    void answer(const MeaningCase::Phase& phase, const Question& q) {
        static constexpr std::string_view k_kinds[] = {"edges", "when", "items", "until", "wait"};
        const auto key =
            fmt::format("{} {}", name(q.step, q.index), k_kinds[static_cast<std::size_t>(q.kind)]);
        const auto it = phase.decide.find(key);
        const Value* given = it == phase.decide.end() ? nullptr : &it->second;
        if (given != nullptr && given->is_string()) {  // "fails"
            plan_.apply(DecisionFailed{q}, now_);
            note_failure(q.step, q.index, Cause::user);
        } else if (q.kind == Question::Kind::items) {
            if (given == nullptr) {
                difference_ = "the case does not say " + key;
                return;
            }
            plan_.apply(ItemsDecided{q.step, q.index, static_cast<std::uint32_t>(given->as_int())}, now_);
        } else if (q.kind == Question::Kind::when) {
            plan_.apply(WhenDecided{q.step, q.index, given != nullptr ? given->as_bool() : cleanup_when(q)},
                        now_);
        } else if (q.kind == Question::Kind::until) {
            plan_.apply(UntilDecided{q.step, q.index, given == nullptr || given->as_bool()}, now_);
            note_failure(q.step, q.index, Cause::user);
        } else if (q.kind == Question::Kind::wait) {
            plan_.apply(WaitEnded{q.step, q.index}, now_);
        } else {
            std::vector<bool> open(graph_.nodes[q.step].needs.size(), true);
            for (std::size_t i = 0; given != nullptr && i < open.size(); ++i) {
                open[i] = given->as_list().at(i).as_bool();
            }
            plan_.apply(EdgesDecided{q.step, q.index, open}, now_);
        }
    }

    /// failed(), failed("step") and always() stand alone in the table's flows; other conditions are in
    /// `decide`.
    bool cleanup_when(const Question& q) const {
        const Expression& when = *flow_.steps[q.step].when;
        if (!when.is_cleanup() || when.text().find("always()") != std::string::npos) {
            return true;
        }
        if (when.failed_steps().empty()) {
            return plan_.has_failed(q.step, q.index, std::nullopt);
        }
        return plan_.has_failed(q.step, q.index, graph_.id(when.failed_steps().front()));
    }

    void end(TaskId task) {
        const StepId step = plan_.step(task);
        const TaskIndex index = plan_.index(task);
        const std::uint32_t attempt = plan_.attempt(task);
        std::string outcome = "ok";
        if (const auto it = case_.script.find(name(step, index)); it != case_.script.end()) {
            outcome = attempt <= it->second.size() ? it->second[attempt - 1] : "ok";
        }
        const bool never = outcome == "exit 202";
        const auto cause = outcome == "ok" ? Cause::none : parse_cause(never ? "user" : outcome);
        if (!cause) {
            difference_ = "unknown outcome " + outcome;
            return;
        }
        plan_.apply(TaskEnded{step, index, attempt, *cause, never}, now_);
        note_failure(step, index, *cause);
    }

    void note_failure(StepId step, const TaskIndex& index, Cause cause) {
        const auto task = plan_.find(step, index);
        if (first_cause_ == Cause::none && task && plan_.state(*task) == TaskState::failed) {
            first_cause_ = cause;
        }
    }

    void compare(const MeaningCase::Phase& phase) {
        std::map<std::string, std::string> tasks;
        for (TaskId task = 0; task < plan_.task_count(); ++task) {
            if (plan_.is_task(task)) {
                tasks[name(plan_.step(task), plan_.index(task))] = text_of(task);
            }
        }
        std::string text;
        for (const auto& [task, state] : tasks) {
            const auto it = phase.tasks.find(task);
            const bool any = it != phase.tasks.end() && it->second.ends_with(" ?");
            const auto size = any ? it->second.size() - 2 : std::string::npos;
            if (it == phase.tasks.end() || it->second.substr(0, size) != state.substr(0, size)) {
                text += fmt::format("\n  {} is {}, not {}", task, state,
                                    it == phase.tasks.end() ? "expected" : it->second);
            }
        }
        for (const auto& [task, state] : phase.tasks) {
            text += tasks.contains(task) ? "" : fmt::format("\n  {} is not there", task);
        }
        if (state_name(plan_.state()) != phase.run || exit_code() != phase.exit) {
            text += fmt::format("\n  the run is {} with exit {}", state_name(plan_.state()), exit_code());
        }
        difference_ = text;
    }

    /// Attempts are told where they are not what one would think: 1 of what ran, none of what did not.
    std::string text_of(TaskId task) const {
        const TaskState state = plan_.state(task);
        const bool ran =
            state == TaskState::succeeded || state == TaskState::failed || state == TaskState::caught;
        const std::uint32_t attempt = plan_.attempt(task);
        const bool plain = state == TaskState::cancelled || attempt == (ran ? 1U : 0U);
        return plain ? std::string(state_name(state)) : fmt::format("{} {}", state_name(state), attempt);
    }

    std::int64_t exit_code() const {
        if (plan_.state() == RunState::succeeded) {
            return 0;
        }
        const bool user =
            first_cause_ == Cause::user || first_cause_ == Cause::oom || first_cause_ == Cause::timeout;
        return user ? 1 : 5;
    }

    const MeaningCase& case_;
    Diagnostics diagnostics_;
    Flow flow_;
    Graph graph_;
    Plan plan_;
    Timestamp now_{1'000'000};
    Cause first_cause_ = Cause::none;
    std::string difference_;
};

}  // namespace

std::vector<MeaningCase> read_meaning_cases(const std::string& folder) {
    std::vector<MeaningCase> cases;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".toml") {
            cases.push_back(read_case(entry.path()));
        }
    }
    std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return cases;
}

std::string play(const MeaningCase& c) {
    return Player(c).play();
}

}  // namespace amp::test
