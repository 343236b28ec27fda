#include <fmt/format.h>

#include <algorithm>

#include "core/flow/validate_parts.hpp"

namespace amp::validating {
namespace {

/// Up to so many makers of a name are asked about one by one; more are carried through the graph at once.
constexpr std::size_t k_few = 16;

}  // namespace

void ArtifactCheck::add_step_reference(Lookup lookup, StepId target) {
    Pending pending{std::move(lookup), {target}, {}, false, false};
    pending.tickets.push_back(context_.reach.ask(target, pending.lookup.step));
    pending_.push_back(std::move(pending));
}

void ArtifactCheck::add_bare_name(Lookup lookup) {
    Pending pending{std::move(lookup), {}, {}, true, false};
    const auto& makers = context_.artifacts.makers(pending.lookup.use.reference.root);
    if (makers.size() <= k_few) {
        for (const StepId maker : makers) {
            pending.targets.push_back(maker);
            pending.tickets.push_back(context_.reach.ask(maker, pending.lookup.step));
        }
    }
    pending_.push_back(std::move(pending));
}

void ArtifactCheck::add_failed(StepId step, const std::string& name, Place place) {
    const StepId target = context_.graph.id(name);
    if (target == context_.graph.nodes.size()) {
        std::vector<std::string> names;
        for (const Step& other : context_.flow.steps) {
            names.push_back(other.name);
        }
        context_.diagnostics.error("AMP1411", place,
                                   fmt::format("failed(\"{}\") asks for a step that does not exist", name),
                                   context_.suggester.hint(name, names));
        return;
    }
    Pending pending{{step, Site::when, nullptr, {}}, {target}, {}, false, true};
    pending.lookup.use.reference.place = place;
    pending.tickets.push_back(context_.reach.ask(target, step));
    pending_.push_back(std::move(pending));
}

void ArtifactCheck::report() {
    context_.reach.answer_all();
    // The same name with many makers is carried through the graph once, however often it is used.
    const auto earlier = [](const Pending& a, const Pending& b) {
        return a.bare != b.bare ? b.bare
                                : a.bare && a.lookup.use.reference.root < b.lookup.use.reference.root;
    };
    if (!std::is_sorted(pending_.begin(), pending_.end(), earlier)) {
        std::stable_sort(pending_.begin(), pending_.end(), earlier);
    }
    std::string carried;
    std::vector<Reach::Makers> before;
    for (Pending& pending : pending_) {
        const std::string& root = pending.lookup.use.reference.root;
        if (!pending.bare) {
            if (!context_.reach.answer(pending.tickets.front())) {
                report_unreachable(pending.lookup, pending.targets.front());
            } else if (!pending.failed_only) {
                check_access(pending.lookup, pending.targets.front(), pending.lookup.use.reference.path,
                             false);
            }
            continue;
        }
        const auto& makers = context_.artifacts.makers(root);
        if (makers.size() > k_few && !node(pending.lookup.step).at_end) {
            if (carried != root) {
                before = context_.reach.makers_before(makers);
                carried = root;
            }
            const Reach::Makers& found = before[pending.lookup.step];
            for (const StepId maker : {found.first, found.second}) {
                if (maker != context_.reach.none()) {
                    pending.targets.push_back(maker);
                }
            }
        } else if (makers.size() > k_few) {
            pending.targets.assign(makers.begin(), makers.begin() + 2);
        }
        decide_bare(pending);
    }
}

void ArtifactCheck::decide_bare(const Pending& pending) {
    const Lookup& lookup = pending.lookup;
    std::vector<StepId> before;
    for (std::size_t i = 0; i < pending.targets.size(); ++i) {
        const bool own = pending.targets[i] == lookup.step && lookup.site == Site::until;
        if (pending.tickets.empty() || own || context_.reach.answer(pending.tickets[i])) {
            before.push_back(pending.targets[i]);
        }
    }
    if (before.empty()) {
        report_bare_nobody(lookup);
    } else if (before.size() > 1) {
        report_ambiguous(lookup, before[0], before[1]);
    } else if (before.front() != lookup.step) {
        std::vector<Access> path = {{Access::Kind::member, lookup.use.reference.root, 0}};
        path.insert(path.end(), lookup.use.reference.path.begin(), lookup.use.reference.path.end());
        check_access(lookup, before.front(), path, true);
    }
}

void ArtifactCheck::report_bare_nobody(const Lookup& lookup) {
    if (context_.graph.doubtful[lookup.step]) {
        return;
    }
    const Reference& reference = lookup.use.reference;
    const auto& makers = context_.artifacts.makers(reference.root);
    if (!makers.empty()) {
        const std::string& maker = node(makers.front()).name;
        const std::string hint =
            makers.front() == lookup.step
                ? fmt::format("outputs.{} is its place, prev.{} that of the round before", reference.root,
                              reference.root)
                : fmt::format("add '{}' to the needs of '{}'", maker, node(lookup.step).name);
        context_.diagnostics.error("AMP1422", reference.place,
                                   fmt::format("'{}' is made by step '{}', which does not come before '{}'",
                                               reference.root, maker, node(lookup.step).name),
                                   hint);
        return;
    }
    const auto& params = context_.flow.params;
    std::string hint;
    if (context_.params.contains(reference.root)) {
        hint = fmt::format("did you mean params.{}?", reference.root);
    } else if (!context_.suggester.spent()) {
        std::vector<std::string> names;
        for (StepId id = 0; id < context_.graph.nodes.size(); ++id) {
            names.push_back(node(id).name);
            const auto& made = context_.artifacts.names(id);
            names.insert(names.end(), made.begin(), made.end());
        }
        for (const Parameter& parameter : params) {
            names.push_back("params." + parameter.name);
        }
        if (!reference.path.empty()) {
            for (const std::string_view root :
                 {"outputs", "params", "config", "env", "git", "run", "flow", "step", "prev"}) {
                names.emplace_back(root);
            }
        }
        hint = context_.suggester.hint(reference.root, names);
    }
    const std::string what = reference.path.empty()
                                 ? fmt::format("no step makes '{}'", reference.root)
                                 : fmt::format("there is no step, item or artifact '{}'", reference.root);
    context_.diagnostics.error("AMP1422", reference.place, what,
                               hint.empty() ? "a text needs quotes of its own: 'text'" : hint);
}

void ArtifactCheck::report_ambiguous(const Lookup& lookup, StepId first, StepId second) {
    const std::string& name = lookup.use.reference.root;
    context_.diagnostics.error(
        "AMP1423", lookup.use.reference.place,
        fmt::format("'{}' is made by '{}' and by '{}'", name, node(first).name, node(second).name),
        fmt::format("say which: {}.{} or {}.{}", node(first).name, name, node(second).name, name));
}

void ArtifactCheck::report_unreachable(const Lookup& lookup, StepId target) {
    if (context_.graph.doubtful[lookup.step]) {
        return;
    }
    const std::string& self = node(lookup.step).name;
    const std::string& other = node(target).name;
    const Place place = lookup.use.reference.place;
    if (target == lookup.step) {
        context_.diagnostics.error(
            "AMP1414", place, fmt::format("step '{}' refers to itself", self),
            "its outputs are outputs.NAME; with `repeat`, the round before is prev.NAME");
    } else if (node(lookup.step).at_end) {
        context_.diagnostics.error("AMP1418", place,
                                   fmt::format("'{}' and '{}' both run at the end, in no order", other, self),
                                   "do both in one step");
    } else {
        context_.diagnostics.error(
            "AMP1418", place,
            fmt::format("step '{}' refers to '{}', which does not come before it", self, other),
            fmt::format("add '{}' to the needs of '{}'", other, self));
    }
}

std::size_t ArtifactCheck::closed_levels(StepId step, StepId target) const {
    const auto& mine = node(step).stack;
    const auto& theirs = node(target).stack;
    std::size_t common = 0;
    while (common < mine.size() && common < theirs.size() && mine[common] == theirs[common]) {
        ++common;
    }
    return theirs.size() - common;
}

/// Walks over the `.*` and `[3]` that choose items. @return where the artifact's name is, or npos after a
/// mistake
std::size_t ArtifactCheck::skip_levels(const Lookup& lookup, StepId target, const std::vector<Access>& path,
                                       bool bare, bool& starred) {
    const std::size_t closed = closed_levels(lookup.step, target);
    const std::string& other = node(target).name;
    const Place place = lookup.use.reference.place;
    const auto chooses = [&](std::size_t i) {
        return i < path.size() && path[i].kind != Access::Kind::member;
    };
    std::size_t at = 0;
    if (context_.graph.doubtful[lookup.step] || context_.graph.doubtful[target]) {
        for (; chooses(at); ++at) {
            starred = starred || path[at].kind == Access::Kind::star;
        }
        return at;
    }
    for (std::size_t level = 0; level < closed; ++level) {
        if (chooses(at)) {
            starred = starred || path[at].kind == Access::Kind::star;
            ++at;
        } else if (!starred) {  // behind a star, levels that are not named have stars of their own
            const std::string name = at < path.size() ? path[at].name : "NAME";
            context_.diagnostics.error(
                "AMP1416", place,
                fmt::format("'{}' is made once an item by step '{}', whose foreach is closed before '{}'",
                            name, other, node(lookup.step).name),
                fmt::format("all of them are the list {}.*.{}", other, name));
            return std::string::npos;
        }
    }
    if (chooses(at)) {
        const bool none = closed == 0;
        context_.diagnostics.error(
            "AMP1417", place,
            fmt::format("`{}` chooses among items of '{}', but {}", lookup.use.reference.text(), other,
                        none ? "no join closes its foreach before" : "it has no more levels"),
            none && !bare && at + 1 < path.size() && path[at + 1].kind == Access::Kind::member
                ? fmt::format("the one of the same branch is {}.{}", other, path[at + 1].name)
                : "");
        return std::string::npos;
    }
    return at;
}

void ArtifactCheck::check_access(const Lookup& lookup, StepId target, const std::vector<Access>& path,
                                 bool bare) {
    bool starred = false;
    const std::size_t at = skip_levels(lookup, target, path, bare, starred);
    if (at == std::string::npos) {
        return;
    }
    if (at == path.size()) {
        if (!starred && !lookup.use.reference.dynamic) {
            const auto& made = context_.artifacts.names(target);
            context_.diagnostics.error("AMP1402", lookup.use.reference.place,
                                       fmt::format("`{}` alone is no value", lookup.use.reference.text()),
                                       made.empty() ? "name an artifact of it"
                                                    : fmt::format("name an artifact of it: {}.{}",
                                                                  lookup.use.reference.text(), made.front()));
        }
        return;
    }
    check_artifact(lookup, target, path[at].name, starred);
}

void ArtifactCheck::check_artifact(const Lookup& lookup, StepId target, const std::string& name,
                                   bool starred) {
    if (!context_.artifacts.makes(target, name)) {
        if (context_.flow.steps[target].is_broken("catch")) {
            return;  // it may be what the error was to be called
        }
        const auto& made = context_.artifacts.names(target);
        std::string hint = context_.suggester.hint(name, made);
        if (hint.empty()) {
            hint = fmt::format("declare it there: outputs = {{ {} = \"{}\" }}", name, name);
        }
        context_.diagnostics.error("AMP1415", lookup.use.reference.place,
                                   fmt::format("step '{}' makes no '{}'", node(target).name, name), hint);
        return;
    }
    if (!starred && !lookup.use.guarded) {
        check_guard(lookup, target, name);
    }
}

/// The reference as it was written, indices too; where the step was left out, with it.
std::string ArtifactCheck::asked_for(const Lookup& lookup, const std::string& step, const std::string& name) {
    const Reference& reference = lookup.use.reference;
    if (reference.root != step) {
        return step + "." + name;
    }
    Reference shown = reference;
    const auto last = std::find_if(shown.path.begin(), shown.path.end(),
                                   [&](const Access& access) { return access.name == name; });
    shown.path.erase(last == shown.path.end() ? last : last + 1, shown.path.end());
    return shown.text();
}

/// Artifacts that may not be there must be asked for by default() or exists(): by clean-up steps always, else
/// it is a warning.
void ArtifactCheck::check_guard(const Lookup& lookup, StepId target, const std::string& name) {
    const Place place = lookup.use.reference.place;
    const std::string& other = node(target).name;
    const auto guarded = [&] { return fmt::format("say default({}, …)", asked_for(lookup, other, name)); };
    if (node(lookup.step).cleanup) {
        if (target != lookup.step) {
            context_.diagnostics.error(
                "AMP1419", place,
                fmt::format("the clean-up step '{}' uses '{}' of '{}', which may have failed",
                            node(lookup.step).name, name, other),
                lookup.site == Site::input
                    ? fmt::format("leave it out of `inputs`, and {} in `run`", guarded())
                    : guarded());
        }
        return;
    }
    const bool by_need = lookup.need != nullptr && [&] {
        const StepId needed = context_.graph.id(lookup.need->step);
        return needed < context_.graph.nodes.size() && context_.reach.dominates(target, needed);
    }();
    if (!by_need && !context_.reach.surely_ran(target, lookup.step)) {
        context_.diagnostics.warning(
            "AMP1420", place,
            fmt::format("step '{}' may have been skipped, and then there is no '{}'", other, name),
            guarded());
        return;
    }
    const Step& maker = context_.flow.steps[target];
    const auto output = std::find_if(maker.outputs.begin(), maker.outputs.end(),
                                     [&](const TaskOutput& o) { return o.name == name; });
    if (maker.catch_as == name) {
        context_.diagnostics.warning(
            "AMP1421", place, fmt::format("'{}' is there only if step '{}' failed", name, other), guarded());
    } else if (node(target).caught || (output != maker.outputs.end() && output->optional)) {
        context_.diagnostics.warning(
            "AMP1421", place,
            fmt::format(
                "'{}' may be missing, since {}", name,
                node(target).caught ? fmt::format("a failure of '{}' is caught", other) : "it is optional"),
            guarded());
    }
}

}  // namespace amp::validating
