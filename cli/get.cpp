#include "cli/get.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "cli/session.hpp"
#include "cli/show_run.hpp"
#include "cli/task_files.hpp"
#include "cli/terminal.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"

namespace amp {
namespace {

constexpr std::string_view k_standard_output = "-";

ExitCode get_in_task(Session& session, const GetCommand& command) {
    const auto folder = session.services.environment.find("AMP_IN");
    if (folder == session.services.environment.end() || folder->second.empty()) {
        const bool place = command.name.find('/') != std::string::npos;
        throw Error(ExitCode::usage, "'amp get NAME' works inside a task: AMP_IN is not set", "",
                    place
                        ? fmt::format("name the artifact: amp get {} NAME", printable(command.name))
                        : fmt::format("elsewhere say which run: amp get latest {}", printable(command.name)));
    }
    const bool to_output = command.output == k_standard_output;
    if (!command.output.empty() && !to_output) {
        throw Error(ExitCode::usage, "'amp get -o' takes a run: inside a task the input is a file already",
                    "", fmt::format("amp get {} prints its path", printable(command.name)));
    }
    const TaskInputFile input = find_input(folder->second, command.name);
    if (to_output) {
        print_input(input, [&](std::string_view part) { session.out.result(part); });
        return ExitCode::ok;
    }
    const Value value = input.is_value ? input.value : Value(input.path);
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.value/1"},
                                    {"run", Value()},
                                    {"task", Value()},
                                    {"name", command.name},
                                    {"value", input.is_value ? value : Value()},
                                    {"path", input.is_value ? Value() : value}});
    } else {
        const std::string line = value_line(value);
        session.out.result(session.out.presentation().out_is_tty ? safe_for_terminal(line) : line);
    }
    return ExitCode::ok;
}

/// The only task that is meant: the one that is named, or the one that made an artifact of that name.
TaskName find_task(const RunView& view, const TaskTarget& target, const std::string& name) {
    if (target.index) {
        return {target.step, *target.index};
    }
    std::set<TaskName> tasks;
    for (const MadeArtifact& made : made_artifacts(view, target.step, std::nullopt)) {
        if (made.name == name) {
            tasks.insert({made.task.step, TaskIndex{made.task.index.path, 0}});
        }
    }
    if (tasks.size() > 1) {
        throw Error(
            ExitCode::usage, fmt::format("{} tasks made '{}'", tasks.size(), printable(name)), view.run,
            fmt::format("say which one: amp get {}/{} {}", view.run, tasks.begin()->text(), printable(name)));
    }
    if (!tasks.empty()) {
        return *tasks.begin();
    }
    if (target.step.empty()) {
        throw Error(ExitCode::not_found, fmt::format("no task made '{}'", printable(name)), view.run,
                    fmt::format("amp artifacts {} lists what there is", view.run));
    }
    return {target.step, TaskIndex{}};
}

}  // namespace

ExitCode execute(Session& session, const GetCommand& command) {
    if (!command.target) {
        return get_in_task(session, command);
    }
    const Project project = session.project();
    const RunView view = view_run(session.services, project, command.target->run);
    const TaskName task = find_task(view, *command.target, command.name);
    const Artifact artifact = find_artifact(view, task, command.name);
    const bool file = artifact.kind == Artifact::Kind::file && !session.common.json;
    if (const auto elsewhere = view.elsewhere.find(artifact.sha256); elsewhere != view.elsewhere.end()) {
        session.out.say(fmt::format("'{}' ({}) stayed on {}: it comes from there", printable(command.name),
                                    format_size(artifact.size_bytes), elsewhere->second));
    }
    if (command.output == k_standard_output || (command.output.empty() && file)) {
        const bool careful = command.output.empty() && session.out.presentation().out_is_tty;
        read_artifact(session.services, project, artifact, [&](std::string_view part) {
            session.out.result(careful ? safe_for_terminal(part) : std::string(part));
        });
        return ExitCode::ok;
    }
    if (!command.output.empty()) {
        save_artifact(session.services, project, view.run, artifact, command.output);
        return ExitCode::ok;
    }
    const Value value = artifact_value(session.services, project, view.run, artifact);
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.value/1"},
                                    {"run", view.run},
                                    {"task", task.text()},
                                    {"name", command.name},
                                    {"value", value},
                                    {"path", Value()}});
    } else {
        session.out.result(value_line(value));
    }
    return ExitCode::ok;
}

}  // namespace amp
