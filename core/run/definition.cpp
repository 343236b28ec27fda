#include "core/run/definition.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "core/base/json.hpp"
#include "core/base/line_diff.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"

namespace amp {
namespace {

void compare(std::vector<ValueDifference>& out, const std::string& path, const Value* before,
             const Value* after) {
    if (before && after && before->is_object() && after->is_object()) {
        std::set<std::string> names;
        for (const Value* side : {before, after}) {
            for (const auto& member : side->as_object()) {
                names.insert(member.first);
            }
        }
        for (const std::string& name : names) {
            compare(out, path.empty() ? name : path + "." + name, before->find(name), after->find(name));
        }
        return;
    }
    if (before && after ? *before == *after : before == after) {
        return;
    }
    out.push_back(
        {path, before ? std::optional(*before) : std::nullopt, after ? std::optional(*after) : std::nullopt});
}

/// Lines of a flow's file, from that of a place to that before the next thing in the file.
struct Block {
    std::uint32_t first = 0;  ///< 0: none
    std::string text;
};

std::uint32_t next_place(const Flow& flow, std::uint32_t line) {
    std::uint32_t next = std::numeric_limits<std::uint32_t>::max();
    const auto look = [&](const Place& place) {
        next = place.line > line ? std::min(next, place.line) : next;
    };
    for (const Step& step : flow.steps) {
        look(step.place);
        for (const auto& key : step.key_places) {
            look(key.second);
        }
    }
    for (const Parameter& parameter : flow.params) {
        look(parameter.place);
    }
    for (const ConfigFile& file : flow.config) {
        look(file.place);
    }
    return next;
}

Block block_at(const Flow& flow, const Place& place) {
    const auto lines = split(flow.source, '\n');
    Block block{place.line, {}};
    const std::size_t end = std::min<std::size_t>(lines.size() + 1, next_place(flow, place.line));
    for (std::size_t line = place.line; line > 0 && line < end; ++line) {
        block.text.append(lines[line - 1]).append("\n");
    }
    return block;
}

Place place_in(const Flow& flow, const std::string& step, const std::string& part, const std::string& name) {
    if (part == "parameter") {
        for (const Parameter& parameter : flow.params) {
            if (name == parameter.name || name.starts_with(parameter.name + ".")) {
                return parameter.place;
            }
        }
        return {};
    }
    if (part == "config") {
        for (const ConfigFile& file : flow.config) {
            if (name == file.name || name.starts_with(file.name + ".")) {
                return file.place;
            }
        }
        return {};
    }
    const Step* found = flow.find(step);
    const bool has_line = part == "python environment" || part == "run" || part == "shell" || part == "env" ||
                          part == "cwd" || part == "image" || part == "outputs" || part == "item" ||
                          part == "source" || part == "input" || part == "flow" || part == "secrets";
    if (!found || !has_line) {
        return {};
    }
    return found->place_of(part == "item"                 ? "foreach"
                           : part == "source"             ? "sources"
                           : part == "input"              ? "run"
                           : part == "python environment" ? "environment"
                                                          : part);
}

FlowLine line_at(const Flow& flow, std::uint32_t line) {
    const auto lines = split(flow.source, '\n');
    const std::string_view text = line > 0 && line <= lines.size() ? trim(lines[line - 1]) : "";
    return {flow.path, line, std::string(text)};
}

/// The first line that is another on either side, where the part is said in the file itself.
void point_at(DefinitionDifference& d, const Flow& before, const Flow& after, const std::string& step) {
    const Place old_place = place_in(before, step, d.part, d.name);
    const Place new_place = place_in(after, step, d.part, d.name);
    std::uint32_t old_line = old_place.line;
    std::uint32_t new_line = new_place.line;
    if (old_line > 0 && new_line > 0) {
        const Block a = block_at(before, old_place);
        const Block b = block_at(after, new_place);
        const auto changes = diff_lines(a.text, b.text);
        const auto first = std::find_if(changes.begin(), changes.end(), [](const LineChange& change) {
            return change.kind != LineChange::Kind::same;
        });
        if (first != changes.end()) {
            old_line = a.first + static_cast<std::uint32_t>(first->old_line) - 1;
            new_line = b.first + static_cast<std::uint32_t>(first->new_line) - 1;
        }
    }
    if (old_line > 0) {
        d.old_line = line_at(before, old_line);
    }
    if (new_line > 0) {
        d.new_line = line_at(after, new_line);
    }
}

std::string shown(const std::optional<Value>& value) {
    return value ? json::dump(*value) : std::string();
}

/// env and outputs are lists whose entries begin with a name.
Value by_name(const Value& list) {
    Object out;
    if (list.is_list()) {
        for (const Value& entry : list.as_list()) {
            if (entry.is_list() && !entry.as_list().empty() && entry.as_list().front().is_string()) {
                out.insert_or_assign(entry.as_list().front().as_string(), entry);
            }
        }
    }
    return out;
}

class Comparing {
  public:
    Comparing(const TaskDefinition& before, const TaskDefinition& after, const std::string& step)
        : before_(before), after_(after), step_(step) {}

    std::vector<DefinitionDifference> all() {
        whole("run", "run", "changed");
        whole("shell", "shell");
        named("env", "env");
        whole("cwd", "cwd");
        whole("image", "image");
        whole("python", "python environment", "changed");
        named("outputs", "outputs");
        members("params", "parameter");
        members("config", "config");
        members("environment", "variable");
        whole("items", "item");
        members("inputs", "input");
        whole("secrets", "secrets");
        subflows();
        sources();
        return std::move(out_);
    }

  private:
    static const Value& part(const TaskDefinition& side, std::string_view key) {
        static const Value none;
        const Value* found = side.parts.find(key);
        return found ? *found : none;
    }

    void add(std::string kind, std::string name, std::string old_text, std::string new_text) {
        DefinitionDifference d{
            std::move(kind), std::move(name), std::move(old_text), std::move(new_text), {}, {}};
        point_at(d, whole_flow(before_.data, whole_before_), whole_flow(after_.data, whole_after_), step_);
        out_.push_back(std::move(d));
    }

    /// With the steps that a partial run has left outside: where a step ends is told by those behind it.
    static const Flow& whole_flow(const RunData& data, std::optional<Flow>& loaded) {
        const RunRecord& record = data.record();
        if (!record.partial()) {
            return data.flow();
        }
        if (!loaded) {
            Diagnostics none;
            loaded = load_flow(record.flow_source, record.flow_path, none, record.overrides);
            loaded->path = record.flow_path;
        }
        return *loaded;
    }

    void whole(std::string_view key, const std::string& kind, const std::string& instead = {}) {
        const Value& a = part(before_, key);
        const Value& b = part(after_, key);
        if (!(a == b)) {
            add(kind, "", instead.empty() ? json::dump(a) : instead,
                instead.empty() ? json::dump(b) : instead);
        }
    }

    void named(std::string_view key, const std::string& kind) {
        const Value a = by_name(part(before_, key));
        const Value b = by_name(part(after_, key));
        for (const ValueDifference& d : value_differences(a, b)) {
            add(kind, d.path, d.before ? "changed" : "", d.after ? "changed" : "");
        }
        const bool only_order = a == b && !(part(before_, key) == part(after_, key));
        if (only_order) {
            add(kind, "", "changed", "changed");
        }
    }

    void members(std::string_view key, const std::string& kind) {
        for (const ValueDifference& d : value_differences(part(before_, key), part(after_, key))) {
            add(kind, d.path, shown(d.before), shown(d.after));
        }
    }

    /// One hash stands for all flows that it runs: the records tell which have changed.
    void subflows() {
        whole("flow", "flow");
        if (part(before_, "flows") == part(after_, "flows")) {
            return;
        }
        const Value& old_flows = before_.data.record().flows;
        const Value& new_flows = after_.data.record().flows;
        std::set<std::string> files;
        for (const Value* side : {&old_flows, &new_flows}) {
            for (const auto& flow : side->as_object()) {
                files.insert(flow.first);
            }
        }
        for (const std::string& file : files) {
            const Value* a = old_flows.find(file);
            const Value* b = new_flows.find(file);
            if (!(a && b && *a == *b)) {
                add("flow", file, a ? "changed" : "", b ? "changed" : "");
            }
        }
    }

    /// One hash stands for all files that `sources` names: the manifests tell which.
    void sources() {
        if (part(before_, "sources") == part(after_, "sources")) {
            return;
        }
        const Step* old_step = before_.data.flow().find(step_);
        const Step* new_step = after_.data.flow().find(step_);
        const auto named_by = [](const Step* step, const std::string& path) {
            return step && std::any_of(step->sources.begin(), step->sources.end(),
                                       [&](const auto& glob) { return glob_matches(glob, path); });
        };
        const std::size_t had = out_.size();
        for (const CodeDifference& d : differences(before_.data.record().code, after_.data.record().code)) {
            if (named_by(old_step, d.path) || named_by(new_step, d.path)) {
                add("source", d.path, d.how == "added" ? "" : "changed", d.how == "removed" ? "" : "changed");
            }
        }
        if (out_.size() == had) {
            add("source", "", "changed", "changed");  // the globs themselves
        }
    }

    const TaskDefinition& before_;
    const TaskDefinition& after_;
    const std::string& step_;
    std::optional<Flow> whole_before_;
    std::optional<Flow> whole_after_;
    std::vector<DefinitionDifference> out_;
};

}  // namespace

std::vector<DefinitionDifference> definition_differences(const TaskDefinition& before,
                                                         const TaskDefinition& after,
                                                         const std::string& step) {
    return Comparing(before, after, step).all();
}

std::vector<ValueDifference> value_differences(const Value& before, const Value& after) {
    std::vector<ValueDifference> out;
    compare(out, "", &before, &after);
    return out;
}

}  // namespace amp
