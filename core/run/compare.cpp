#include "core/run/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/line_diff.hpp"
#include "core/base/text.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/environments.hpp"
#include "core/run/run_record.hpp"
#include "core/store/objects.hpp"
#include "core/task/report_line.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_patched_bytes = std::uint64_t{1} << 20;
constexpr std::size_t k_members_shown = 32;  // of a value that is an object
constexpr std::size_t k_text_shown = 80;
constexpr std::string_view k_code_column = "code";  // no other is without a dot

bool is_scalar(const Value& value) {
    return value.is_bool() || value.is_number() ||
           (value.is_string() && value.as_string().size() <= k_text_shown);
}

/// "train" for the only task of a step, else "train/3".
std::string brief(const TaskName& name) {
    return name.index.path.empty() ? name.step : name.step + "/" + TaskIndex{name.index.path, 0}.text();
}

Object metrics_of(const RunView& view) {
    Object out;
    for (const TaskView& task : view.tasks) {
        if (!task.report) {
            continue;
        }
        for (const auto& [name, summary] : task.report->metrics) {
            if (!is_system_metric(name)) {  // no two runs use the same
                out.insert_or_assign(brief(task.name) + "." + name, summary.last);
            }
        }
    }
    return out;
}

const CodeEntry* entry_of(const CodeManifest& code, const std::string& path) {
    const auto it = std::find_if(code.entries.begin(), code.entries.end(),
                                 [&](const CodeEntry& entry) { return entry.path == path; });
    return it == code.entries.end() ? nullptr : &*it;
}

/// nullopt: it was not kept, or is no text; `why` says which.
std::optional<std::string> text_of(Objects& objects, const CodeEntry* entry, std::string& why) {
    if (!entry) {
        return "";
    }
    if (entry->folder) {
        return "an empty folder\n";
    }
    if (!entry->link_target.empty()) {
        return "link to " + entry->link_target + "\n";
    }
    if (entry->size_bytes > k_patched_bytes) {
        why = "it is too large to be shown";
        return std::nullopt;
    }
    try {
        std::string text = objects.get(entry->sha256);
        if (text.find('\0') == std::string::npos && is_utf8(text)) {
            return text;
        }
        why = "it is binary";
    } catch (const Error&) {
        why = "its content was not kept";
    }
    return std::nullopt;
}

std::string patch_of(Objects& objects, const CodeManifest& before, const CodeManifest& after,
                     const std::string& path) {
    const CodeEntry* a = entry_of(before, path);
    const CodeEntry* b = entry_of(after, path);
    std::string why;
    const auto old_text = text_of(objects, a, why);
    const auto new_text = text_of(objects, b, why);
    if (!old_text || !new_text) {
        return fmt::format("{}: {}\n", path, why);
    }
    std::string out =
        unified_diff(*old_text, *new_text, a ? "a/" + path : "/dev/null", b ? "b/" + path : "/dev/null");
    if (a && b && a->executable != b->executable) {
        out = fmt::format("{}: {}\n", path, b->executable ? "now executable" : "no longer executable") + out;
    }
    return out;
}

using Tasks = std::map<TaskName, std::pair<const TaskView*, const TaskView*>>;

Tasks paired_tasks(const RunDifference& d) {
    Tasks out;
    for (const TaskView& task : d.before.tasks) {
        out[{task.name.step, TaskIndex{task.name.index.path, 0}}].first = &task;
    }
    for (const TaskView& task : d.after.tasks) {
        out[{task.name.step, TaskIndex{task.name.index.path, 0}}].second = &task;
    }
    return out;
}

/// A result that was taken over counts as one that was made.
std::string told_state(const TaskView* task) {
    if (!task) {
        return "";
    }
    return std::string(state_name(task->state == TaskState::cached ? TaskState::succeeded : task->state));
}

void compare_artifacts(RunDifference& d, const std::string& task, const TaskView* before,
                       const TaskView* after) {
    std::set<std::string> names;
    for (const TaskView* side : {before, after}) {
        for (const auto& made : side ? side->artifacts : std::map<std::string, Artifact>{}) {
            names.insert(made.first);
        }
    }
    const auto of = [](const TaskView* side, const std::string& name) -> std::optional<Artifact> {
        const auto it = side ? side->artifacts.find(name) : std::map<std::string, Artifact>::const_iterator();
        return side && it != side->artifacts.end() ? std::optional(it->second) : std::nullopt;
    };
    for (const std::string& name : names) {
        const auto a = of(before, name);
        const auto b = of(after, name);
        if (a && b && a->kind == b->kind && a->sha256 == b->sha256) {
            ++d.same_artifacts;
        } else {
            d.artifacts.push_back({task, name, a, b});
        }
    }
}

/// The commit; where that is not all, the hash of the files too.
std::string code_of(const RunView& view) {
    constexpr std::size_t k_short = 12;
    const Value* code = view.record.find("code");
    const std::string hash = code ? get_string(*code, "hash").substr(0, k_short) : "";
    if (view.commit.empty()) {
        return hash;
    }
    return view.commit.substr(0, k_short) + (view.dirty ? " dirty " + hash : "");
}

/// Of what cannot be shown, "9f86d081884c 12.1 MiB"; equal in two runs whose artifacts are.
std::string artifact_of(const Artifact& artifact) {
    constexpr std::size_t k_short = 12;
    return artifact.sha256.substr(0, k_short) + " " + format_size(artifact.size_bytes);
}

void add_value(std::map<std::string, Value>& out, const std::string& name, const Value& value) {
    if (is_scalar(value)) {
        out.insert_or_assign(name, value);
    } else if (value.is_object() && value.as_object().size() <= k_members_shown) {
        for (const auto& [key, member] : value.as_object()) {
            if (is_scalar(member)) {
                out.insert_or_assign(name + "." + key, member);
            }
        }
    }
}

Comparison::Run compared_run(RunView view, bool system) {
    Comparison::Run run;
    for (const auto& [name, value] : view.params.as_object()) {
        run.values.insert_or_assign("params." + name, is_scalar(value) ? value : Value(json::dump(value)));
    }
    run.values.insert_or_assign(std::string(k_code_column), code_of(view));
    for (const TaskView& task : view.tasks) {
        for (const auto& [name, artifact] : task.artifacts) {
            if (artifact.value) {
                add_value(run.values, brief(task.name) + "." + name, *artifact.value);
            } else {
                run.values.insert_or_assign(brief(task.name) + "." + name, artifact_of(artifact));
            }
        }
        if (task.report) {
            for (const auto& [name, summary] : task.report->metrics) {
                if (system || !is_system_metric(name)) {
                    run.values.insert_or_assign(brief(task.name) + "." + name, summary.last);
                }
            }
        }
    }
    run.view = std::move(view);
    return run;
}

}  // namespace

bool RunDifference::any() const {
    return !params.empty() || !config.empty() || !environments.empty() || !flow.empty() || !code.empty() ||
           !artifacts.empty() || !metrics.empty() || !states.empty() || before.state != after.state;
}

RunDifference diff_runs(Services& services, const Project& project, const std::string& before,
                        const std::string& after, bool patch) {
    const OpenStore store = services.open_store(project.store_folder, false);
    RunDifference d;
    d.before = view_run(services, project, before);
    d.after = view_run(services, project, after);
    const RunRecord a = run_record_from(d.before.record);
    const RunRecord b = run_record_from(d.after.record);
    d.params = value_differences(d.before.params, d.after.params);
    d.config = value_differences(a.config, b.config);
    d.environments = value_differences(environment_keys(a), environment_keys(b));
    d.flow = unified_diff(a.flow_source, b.flow_source, fmt::format("{} of {}", a.flow_path, a.run),
                          fmt::format("{} of {}", b.flow_path, b.run));
    Objects objects(*store.objects);
    for (const CodeDifference& file : differences(a.code, b.code)) {
        d.code.push_back({file, patch ? patch_of(objects, a.code, b.code, file.path) : std::string()});
    }
    for (const auto& [name, sides] : paired_tasks(d)) {
        const std::string old_state = told_state(sides.first);
        const std::string new_state = told_state(sides.second);
        if (old_state != new_state) {
            d.states.push_back({name.text(), old_state, new_state});
        }
        compare_artifacts(d, name.text(), sides.first, sides.second);
    }
    d.metrics = value_differences(metrics_of(d.before), metrics_of(d.after));
    return d;
}

Comparison compare_runs(Services& services, const Project& project,
                        const std::vector<std::string>& references, const RunFilter& filter, bool system) {
    Comparison out;
    std::vector<std::string> runs = references;
    if (runs.empty()) {
        for (const RunSummary& summary : list_run_summaries(services, project, filter)) {
            if (summary.state != "unreadable") {
                runs.push_back(summary.run);
            }
        }
    }
    std::set<std::string> params;
    std::set<std::string> others;
    for (const std::string& run : runs) {
        out.runs.push_back(compared_run(view_run(services, project, run), system));
        for (const auto& named : out.runs.back().values) {
            (named.first.starts_with("params.") ? params : others).insert(named.first);
        }
    }
    if (others.erase(std::string(k_code_column)) > 0) {
        out.columns.emplace_back(k_code_column);
    }
    out.columns.insert(out.columns.end(), params.begin(), params.end());
    out.columns.insert(out.columns.end(), others.begin(), others.end());
    for (const std::string& column : out.columns) {
        const auto value = [&](const Comparison::Run& run) {
            const auto it = run.values.find(column);
            return it == run.values.end() ? Value() : it->second;
        };
        const bool same = std::all_of(out.runs.begin(), out.runs.end(), [&](const Comparison::Run& run) {
            return value(run) == value(out.runs.front());
        });
        if (!same) {
            out.differing.push_back(column);
        }
    }
    return out;
}

}  // namespace amp
