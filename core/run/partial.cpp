#include "core/run/partial.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"

namespace amp {
namespace {

/// Which steps are part of the run, by number.
std::vector<bool> inside(const Graph& graph, const RunRecord& record) {
    std::vector<bool> in(graph.nodes.size(), !record.partial());
    std::vector<StepId> work;
    for (const auto* named : {&record.until, &record.only}) {
        for (const std::string& name : *named) {
            work.push_back(graph.id(name));
        }
    }
    while (!work.empty()) {
        const StepId step = work.back();
        work.pop_back();
        if (step >= in.size() || in[step]) {
            continue;
        }
        in[step] = true;
        for (const Graph::Edge& edge : graph.nodes[step].needs) {
            work.push_back(edge.from);
        }
    }
    return in;
}

}  // namespace

void check_step_names(const Flow& flow, const std::vector<std::string>& names, const std::string& option) {
    std::vector<std::string> known;
    for (const Step& step : flow.steps) {
        known.push_back(step.name);
    }
    for (const std::string& name : names) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw Error(ExitCode::not_found,
                        fmt::format("the flow has no step '{}', which {} names", printable(name), option),
                        flow.path, near_hint(name, known, "its steps: " + join(known, ", ")));
        }
    }
}

void leave_outside(Flow& flow, Graph& graph, const RunRecord& record) {
    if (!record.partial()) {
        return;
    }
    const std::vector<bool> in = inside(graph, record);
    std::vector<Step> kept;
    for (StepId id = 0; id < in.size(); ++id) {
        if (in[id]) {
            kept.push_back(std::move(flow.steps[id]));
        }
    }
    flow.steps = std::move(kept);
    Diagnostics none;
    graph = build_graph(flow, none);
}

std::vector<std::string> outside_steps(const Flow& whole, const RunRecord& record) {
    Diagnostics none;
    const Graph graph = build_graph(whole, none);
    const std::vector<bool> in = inside(graph, record);
    std::vector<std::string> out;
    for (StepId id = 0; id < in.size(); ++id) {
        if (!in[id]) {
            out.push_back(graph.nodes[id].name);
        }
    }
    return out;
}

std::vector<std::string> outside_steps(const RunRecord& record) {
    if (!record.partial()) {
        return {};
    }
    Diagnostics none;
    return outside_steps(load_flow(record.flow_source, record.flow_path, none, record.overrides), record);
}

std::string partial_text(const RunRecord& record) {
    if (!record.only.empty()) {
        return "only " + join(record.only, ", ");
    }
    return record.until.empty() ? "" : "until " + join(record.until, ", ");
}

}  // namespace amp
