#include "core/python/flow_reader.hpp"

#include <algorithm>

#include "core/python/decorators.hpp"
#include "core/python/encoding.hpp"
#include "core/python/flow_members.hpp"
#include "core/python/parser.hpp"
#include "core/python/started_class.hpp"
#include "core/python/undecided.hpp"

namespace amp::python {
namespace {

bool has_step(const Names& names, const ClassInfo& info) {
    return std::any_of(info.members.begin(), info.members.end(), [&](const Member& member) {
        return names.tree().is(member.node, Kind::function_def) &&
               read_step_decorators(names, member.node).is_step;
    });
}

/// The classes that are flows: those made of FlowSpec, and those made of something of another module that
/// look like one.
std::vector<std::size_t> flow_classes(const Names& names, const Classes& classes,
                                      const std::vector<std::size_t>& started) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < classes.all().size(); ++i) {
        const ClassInfo& info = classes.all()[i];
        const bool is_started = std::find(started.begin(), started.end(), i) != started.end();
        if (info.from_flowspec || (info.from_elsewhere && (is_started || has_step(names, info)))) {
            out.push_back(i);
        }
    }
    return out;
}

/// Without those that others are made of.
std::vector<std::size_t> leaves(const Classes& classes, const std::vector<std::size_t>& flows) {
    std::vector<bool> is_base(classes.all().size(), false);
    for (const std::size_t index : flows) {
        for (const std::size_t base : classes.all()[index].local_bases) {
            is_base[base] = true;
        }
    }
    std::vector<std::size_t> out;
    std::copy_if(flows.begin(), flows.end(), std::back_inserter(out),
                 [&](std::size_t index) { return !is_base[index]; });
    return out;
}

/// The flow that is meant, or that there is none or more than one.
std::optional<std::size_t> choose(const Names& names, const Classes& classes, std::string_view wanted,
                                  PythonFlow& flow) {
    const std::vector<std::size_t> started = started_classes(names, classes);
    const std::vector<std::size_t> flows = flow_classes(names, classes, started);
    std::vector<std::size_t> chosen;
    for (const std::size_t index : flows) {
        const ClassInfo& info = classes.all()[index];
        const bool is_started = std::find(started.begin(), started.end(), index) != started.end();
        flow.candidates.push_back({std::string(info.name), names.place(info.name), is_started});
        if (wanted.empty() ? is_started : info.name == wanted) {
            chosen.push_back(index);
        }
    }
    if (chosen.empty() && wanted.empty()) {
        chosen = leaves(classes, flows);
    }
    flow.found = chosen.empty()       ? PythonFlow::Found::none
                 : chosen.size() == 1 ? PythonFlow::Found::one
                                      : PythonFlow::Found::several;
    return chosen.size() == 1 ? std::optional(chosen.front()) : std::nullopt;
}

void read_flow_decorators(const Names& names, const Classes& classes, const ClassInfo& info,
                          PythonFlow& flow) {
    for (const NodeId id : names.tree().group(info.node, 0)) {
        Decorator one = read_decorator(names, id);
        if (const auto why = why_undecided(names, classes, one)) {
            flow.undecided.push_back({Undecided::About::decorators, one.place, *why, {}});
        } else {
            add_computed(one, {}, flow.undecided);
        }
        flow.decorators.push_back(std::move(one));
    }
}

/// Its own first, then those of its bases: what decorates a base decorates what is made of it.
void read_class(const Names& names, const Classes& classes, std::size_t index, PythonFlow& flow) {
    const ClassInfo& info = classes.all()[index];
    flow.name = std::string(info.name);
    flow.place = names.place(info.name);
    flow.doc = doc_of(names.tree(), names.tree().group(info.node, 3));
    flow.bases = info.bases;
    auto order = classes.order(index);
    if (!order) {
        flow.undecided.push_back({Undecided::About::flow,
                                  flow.place,
                                  "Python finds no order of the classes that '" + flow.name + "' is made of",
                                  {}});
        order = std::vector{index};
    }
    const Methods methods(names, classes, *order);
    for (const std::size_t one : *order) {
        read_flow_decorators(names, classes, classes.all()[one], flow);
    }
    find_undecided(methods, flow.undecided);
    read_members(methods, flow);
    std::sort(flow.undecided.begin(), flow.undecided.end(), [](const Undecided& a, const Undecided& b) {
        return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
    });
}

}  // namespace

PythonFlow read_python_flow(std::string_view text, Diagnostics& diagnostics, std::string_view wanted) {
    PythonFlow flow;
    if (!check_encoding(text, diagnostics)) {
        return flow;
    }
    const SourceText source(text);
    const ParsedFile file = parse(source);
    if (file.error) {
        diagnostics.error(file.error->code, source.place(file.error->begin, file.error->end),
                          file.error->message, file.error->hint);
        return flow;
    }
    const Names names(source, file.tree);
    const Classes classes(names);
    if (const auto index = choose(names, classes, wanted, flow)) {
        read_class(names, classes, *index, flow);
    }
    return flow;
}

}  // namespace amp::python
