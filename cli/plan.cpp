#include "cli/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/documents.hpp"
#include "cli/follow.hpp"
#include "cli/run_text.hpp"
#include "cli/session.hpp"
#include "cli/show_differences.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_tasks_told = 20;

std::string heading(const Forecast& f) {
    switch (f.kind) {
        case Forecast::Kind::same_run:
            return fmt::format("run {} would go on: nothing has changed\n", f.run);
        case Forecast::Kind::run_from_origin:
            return fmt::format("a new run would go on from run {}:\n", f.run);
        case Forecast::Kind::new_run:
            break;
    }
    return fmt::format("a new run of {}\n", printable(f.flow_path));
}

std::string where_text(const Forecast& f, const ForecastStep& step) {
    std::string out = f.profile == f.backend ? f.backend : fmt::format("{} ({})", f.profile, f.backend);
    for (const auto& [name, value] : step.resources.as_object()) {
        out += fmt::format(", {} {}", name, value.is_string() ? value.as_string() : json::dump(value));
    }
    return out;
}

bool is_uniform(const ForecastStep& step) {
    return std::all_of(step.tasks.begin(), step.tasks.end(), [&](const ForecastTask& task) {
        return task.what == step.tasks.front().what && task.why == step.tasks.front().why &&
               task.differences.empty();
    });
}

std::string task_line(const ForecastTask& task, std::string_view name, const Style& style,
                      std::string_view indent) {
    const std::string why = task.why.empty() ? "" : "  " + printable(task.why);
    return fmt::format("{}{}  {}{}\n", indent, printable(task_text(name)), style.bold(task.what), why);
}

std::string step_text(const Forecast& f, const ForecastStep& step, const Style& style, bool unicode) {
    const bool alone = step.tasks.size() == 1;
    std::string out;
    if (alone || is_uniform(step)) {
        const std::string name =
            alone ? step.name : fmt::format("{} ({} tasks)", step.name, step.tasks.size());
        out = task_line(step.tasks.front(), name, style, "  ");
    } else {
        out = fmt::format("  {} ({} tasks)\n", printable(step.name), step.tasks.size());
        for (std::size_t i = 0; i < std::min(step.tasks.size(), k_tasks_told); ++i) {
            const std::string& task = step.tasks[i].task;
            out += task_line(step.tasks[i], task, style, unicode ? "  ├ " : "  | ");
        }
        out += step.tasks.size() > k_tasks_told
                   ? fmt::format("    and {} more\n", step.tasks.size() - k_tasks_told)
                   : "";
    }
    for (const ForecastTask& task : step.tasks) {
        if (!task.differences.empty()) {
            out += differences_text(task.differences, unicode);
            break;  // those of the other tasks are mostly the same
        }
    }
    const bool starts = std::any_of(step.tasks.begin(), step.tasks.end(), [](const ForecastTask& task) {
        return task.what != "reuse" && task.what != "keep" && task.what != "skip";
    });
    return starts ? out + fmt::format("      on {}\n", printable(where_text(f, step))) : out;
}

}  // namespace

std::string forecast_text(const Forecast& f, const Presentation& presentation) {
    const Style style(presentation.color_out);
    std::string out = heading(f);
    for (const std::string& why : f.why) {
        out += fmt::format("  {}\n", printable(why));
    }
    for (const ForecastStep& step : f.steps) {
        out += step_text(f, step, style, presentation.unicode);
    }
    return out;
}

Value forecast_document(const Forecast& f) {
    List steps;
    for (const ForecastStep& step : f.steps) {
        List tasks;
        for (const ForecastTask& task : step.tasks) {
            tasks.emplace_back(Object{{"task", task.task},
                                      {"what", task.what},
                                      {"why", text_or_null(task.why)},
                                      {"differences", differences_document(task.differences)}});
        }
        steps.emplace_back(
            Object{{"name", step.name}, {"tasks", std::move(tasks)}, {"resources", step.resources}});
    }
    constexpr std::array<std::string_view, 3> k_kinds = {"new_run", "same_run", "run_from_origin"};
    return Object{{"schema", "amp.plan/1"},
                  {"would", k_kinds.at(static_cast<std::size_t>(f.kind))},
                  {"flow", to_utf8(f.flow_path)},
                  {"run", text_or_null(f.run)},
                  {"why", List(f.why.begin(), f.why.end())},
                  {"profile", f.profile},
                  {"backend", f.backend},
                  {"steps", std::move(steps)}};
}

namespace {

Forecast foresee(Session& session, const PlanCommand& command) {
    try {
        return forecast(session.services, session.project(), command.query);
    } catch (const InvalidFlow& refused) {
        refuse_slips(refused, command.slips);
        throw;
    }
}

}  // namespace

ExitCode execute(Session& session, const PlanCommand& command) {
    const Forecast found = foresee(session, command);
    if (session.common.json) {
        session.out.document(forecast_document(found));
    } else {
        session.out.result(forecast_text(found, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
