#include "core/run/run_scope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace amp {
namespace {

std::optional<Value> member(const Value& object, std::span<const Access> path) {
    return apply_path(object, path);
}

Value git_object(const std::optional<GitState>& git) {
    if (!git) {
        return Object{};
    }
    return Object{{"commit", git->commit}, {"branch", git->branch}, {"dirty", git->dirty}};
}

bool makes(const Step& step, std::string_view name) {
    return step.catch_as == name ||
           std::any_of(step.outputs.begin(), step.outputs.end(),
                       [&](const TaskOutput& output) { return output.name == name; });
}

std::string dotted(const std::vector<std::uint32_t>& path, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < path.size(); ++i) {
        out += i == from ? "" : ".";
        out += fmt::format_int(path[i]).str();
    }
    return out;
}

}  // namespace

std::optional<Value> RecordScope::resolve(const std::string& root, std::span<const Access> path) const {
    if (root == "params") {
        return member(record_.params, path);
    }
    if (root == "config") {
        return member(record_.config, path);
    }
    if (root == "env") {
        return member(record_.env, path);
    }
    if (root == "git") {
        return member(git_object(record_.git), path);
    }
    if (root == "run") {
        return member(
            Object{{"id", record_.run}, {"created", format_time(record_.created)}, {"user", record_.user}},
            path);
    }
    if (root == "flow") {
        return member(Object{{"name", flow_name_}}, path);
    }
    return std::nullopt;
}

RunScope::RunScope(const RunData& data, ScopePosition position, const ArtifactLoader& load, Timestamp now)
    : data_(data),
      position_(std::move(position)),
      load_(load),
      now_(now),
      record_scope_(data.record(), data.flow().name) {}

std::optional<Value> RunScope::resolve(const std::string& root, std::span<const Access> path) const {
    if (auto found = record_scope_.resolve(root, path)) {
        return found;
    }
    const Graph::Node& node = data_.graph().nodes[position_.step];
    if (root == "step") {
        return member(Object{{"name", node.name}}, path);
    }
    if (root == "attempt" && path.empty()) {
        return Value(static_cast<std::int64_t>(position_.attempt));
    }
    if (root == "round" && path.empty()) {
        return Value(static_cast<std::int64_t>(position_.index.round));
    }
    if (root == "index" && path.empty() && !position_.index.path.empty()) {
        return Value(static_cast<std::int64_t>(position_.index.path.back()));
    }
    if (root == "outputs" && !path.empty() && path.front().kind == Access::Kind::member) {
        for (const TaskOutput& output : data_.step(position_.step).outputs) {
            if (output.name == path.front().name) {
                return output_value(output.path);
            }
        }
        return std::nullopt;
    }
    if (root == "prev") {
        return position_.index.round <= 1 ? std::nullopt : previous_round(path);
    }
    if (auto found = item(root)) {
        return member(*found, path);
    }
    const StepId step = data_.graph().id(root);
    return step < data_.graph().nodes.size() ? step_reference(step, path) : bare_reference(root, path);
}

/// The item of the innermost open foreach whose name (`as`) this is.
std::optional<Value> RunScope::item(std::string_view name) const {
    const auto& stack = data_.graph().nodes[position_.step].stack;
    const auto& path = position_.index.path;
    for (std::size_t level = std::min(stack.size(), path.size()); level-- > 0;) {
        if (data_.step(stack[level]).as == name) {
            const List* items =
                data_.items(stack[level], {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(level)});
            return items && path[level] < items->size() ? std::optional((*items)[path[level]]) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<Value> RunScope::step_reference(StepId step, std::span<const Access> path) const {
    const auto& mine = data_.graph().nodes[position_.step].stack;
    const auto& theirs = data_.graph().nodes[step].stack;
    const std::size_t known = position_.index.path.size();
    std::size_t common = 0;
    while (common < theirs.size() && common < mine.size() && common < known &&
           theirs[common] == mine[common]) {
        ++common;
    }
    std::vector<std::uint32_t> at(position_.index.path.begin(),
                                  position_.index.path.begin() + static_cast<std::ptrdiff_t>(common));
    return of_levels(step, std::move(at), common, theirs.size() - common, path);
}

/// `closed` levels are still to be chosen by an index or a star; `at` is the path so far, `common` what both
/// sides share.
std::optional<Value> RunScope::of_levels(StepId step, std::vector<std::uint32_t> at, std::size_t common,
                                         std::size_t closed, std::span<const Access> path) const {
    if (closed == 0) {
        return of_task(step, at, common, path);
    }
    if (path.empty() || path.front().kind == Access::Kind::member) {
        return std::nullopt;
    }
    if (path.front().kind == Access::Kind::star) {
        return star(step, at, common, closed, path.subspan(1));
    }
    const StepId foreach = data_.graph().nodes[step].stack[at.size()];
    const List* items = data_.items(foreach, at);
    std::int64_t index = path.front().index;
    index += index < 0 && items ? static_cast<std::int64_t>(items->size()) : 0;
    if (!items || index < 0 || index >= static_cast<std::int64_t>(items->size())) {
        return std::nullopt;
    }
    at.push_back(static_cast<std::uint32_t>(index));
    return of_levels(step, std::move(at), common, closed - 1, path.subspan(1));
}

/// A star goes through the items of one level; levels below that are not named get stars of their own, so
/// lists nest.
Value RunScope::star(StepId step, const std::vector<std::uint32_t>& at, std::size_t common,
                     std::size_t closed, std::span<const Access> rest) const {
    const StepId foreach = data_.graph().nodes[step].stack[at.size()];
    const List* items = data_.items(foreach, at);
    List out;
    for (std::uint32_t i = 0; items && i < items->size(); ++i) {
        auto below = at;
        below.push_back(i);
        if (closed > 1) {
            const bool named = !rest.empty() && rest.front().kind != Access::Kind::member;
            auto inner = named ? of_levels(step, below, common, closed - 1, rest)
                               : std::optional(star(step, below, common, closed - 1, rest));
            if (inner) {
                out.push_back(std::move(*inner));
            }
        } else if (rest.empty()) {
            out.push_back(overview(step, below, common));
        } else if (auto value = of_task(step, below, common, rest)) {
            out.push_back(std::move(*value));
        }
    }
    return out;
}

std::optional<Value> RunScope::of_task(StepId step, const std::vector<std::uint32_t>& at, std::size_t common,
                                       std::span<const Access> path) const {
    const auto task = data_.plan().find(step, TaskIndex{at, 0});
    if (!task || path.empty() || path.front().kind != Access::Kind::member) {
        return std::nullopt;
    }
    const auto* made = data_.artifacts(*task);
    const auto found =
        made ? made->find(path.front().name) : std::map<std::string, Artifact>::const_iterator();
    if (!made || found == made->end()) {
        return std::nullopt;
    }
    return apply_path(artifact_value(step, at, common, found->first, found->second), path.subspan(1));
}

/// `prev`: before a round that is the last finished one, after it (in `until`) the one before that.
std::optional<Value> RunScope::previous_round(std::span<const Access> path) const {
    const auto task = data_.plan().find(position_.step, TaskIndex{position_.index.path, 0});
    if (!task || path.empty() || path.front().kind != Access::Kind::member) {
        return std::nullopt;
    }
    const auto* made =
        position_.after_round ? data_.artifacts_of_round_before(*task) : data_.artifacts(*task);
    const auto found =
        made ? made->find(path.front().name) : std::map<std::string, Artifact>::const_iterator();
    if (!made || found == made->end()) {
        return std::nullopt;
    }
    const auto& at = position_.index.path;
    return apply_path(artifact_value(position_.step, at, at.size(), found->first, found->second),
                      path.subspan(1));
}

Value RunScope::overview(StepId step, const std::vector<std::uint32_t>& at, std::size_t common) const {
    const auto task = data_.plan().find(step, TaskIndex{at, 0});
    const auto& stack = data_.graph().nodes[step].stack;
    const List* items = data_.items(stack[at.size() - 1], {at.begin(), at.end() - 1});
    Object artifacts;
    if (const auto* made = task ? data_.artifacts(*task) : nullptr) {
        for (const auto& [name, artifact] : *made) {
            artifacts.emplace(name, artifact_value(step, at, common, name, artifact));
        }
    }
    const Value* error = task ? data_.error(*task) : nullptr;
    return Object{{"index", static_cast<std::int64_t>(at.back())},
                  {"item", items && at.back() < items->size() ? (*items)[at.back()] : Value()},
                  {"state", task ? state_name(data_.plan().state(*task)) : std::string_view("skipped")},
                  {"error", error ? *error : Value()},
                  {"artifacts", std::move(artifacts)}};
}

Value RunScope::artifact_value(StepId step, const std::vector<std::uint32_t>& at, std::size_t common,
                               const std::string& name, const Artifact& artifact) const {
    const bool in_join = at.size() > common;
    const std::string branch = in_join ? dotted(at, common) + "/" : "";
    const std::string path = data_.graph().nodes[step].name + "/" + branch + name;
    reads_.insert(Read{path, name, artifact, in_join});
    if (artifact.kind == Artifact::Kind::value) {
        return artifact.value ? *artifact.value : load_(artifact);
    }
    return FileRef{path, artifact.sha256, artifact.size_bytes, artifact.kind == Artifact::Kind::folder};
}

/// Declared outputs first; then whatever an ancestor has made of that name (`amp put`).
std::optional<Value> RunScope::bare_reference(const std::string& name, std::span<const Access> path) const {
    std::vector<Access> whole{Access{Access::Kind::member, name, 0}};
    whole.insert(whole.end(), path.begin(), path.end());
    for (const bool declared : {true, false}) {
        for (StepId step = 0; step < data_.graph().nodes.size(); ++step) {
            if (makes(data_.step(step), name) != declared || !is_ancestor(step)) {
                continue;
            }
            auto value = step_reference(step, whole);
            if (value || declared) {
                return value;
            }
        }
    }
    return std::nullopt;
}

bool RunScope::is_ancestor(StepId step) const {
    if (ancestors_.empty()) {
        ancestors_.assign(data_.graph().nodes.size(), false);
        ancestors_[position_.step] = position_.after_round;
        std::vector<StepId> work{position_.step};
        while (!work.empty()) {
            const StepId current = work.back();
            work.pop_back();
            for (const Graph::Edge& edge : data_.graph().nodes[current].needs) {
                if (!ancestors_[edge.from]) {
                    ancestors_[edge.from] = true;
                    work.push_back(edge.from);
                }
            }
        }
    }
    return ancestors_[step];
}

bool RunScope::failed(const std::optional<std::string>& step) const {
    const auto of = step ? std::optional(data_.graph().id(*step)) : std::nullopt;
    if (of && *of >= data_.graph().nodes.size()) {
        return false;  // no part of this run
    }
    return data_.plan().has_failed(position_.step, position_.index, of);
}

}  // namespace amp
