#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/base/text.hpp"
#include "core/flow/validate_parts.hpp"

namespace amp::validating {
namespace {

/// The roots whose members are few and known.
struct Root {
    std::string_view name;
    std::array<std::string_view, 3> members;
};
constexpr std::array<Root, 4> k_roots = {{
    {"git", {"commit", "branch", "dirty"}},
    {"run", {"id", "created", "user"}},
    {"flow", {"name", "", ""}},
    {"step", {"name", "", ""}},
}};

/// The first member behind the root, or nullptr after saying that one is missing.
const std::string* first_member(Context& context, const Reference& reference, std::string_view example) {
    if (!reference.path.empty() && reference.path.front().kind == Access::Kind::member) {
        return &reference.path.front().name;
    }
    context.diagnostics.error("AMP1402", reference.place,
                              fmt::format("`{}` alone is no value", reference.text()),
                              fmt::format("name what you need of it: {}", example));
    return nullptr;
}

template <class Range>
std::vector<std::string> names_of(const Range& range) {
    std::vector<std::string> names;
    for (const auto& entry : range) {
        names.push_back(entry.name);
    }
    return names;
}

void check_param(Context& context, const Reference& reference) {
    if (reference.path.empty()) {
        context.all_params_used = true;  // the whole table: as an object, or with a computed name
        return;
    }
    const std::string* name = first_member(context, reference, "params.lr");
    if (name == nullptr) {
        return;
    }
    if (!context.params.contains(*name)) {
        context.diagnostics.error("AMP1401", reference.place,
                                  fmt::format("the flow has no parameter '{}'", *name),
                                  context.suggester.hint(*name, context.params_list()));
        return;
    }
    context.used_params.insert(*name);
}

void check_config(Context& context, const Expression::Use& use) {
    const Reference& reference = use.reference;
    const std::string* name = first_member(context, reference, "config.NAME.key");
    if (name == nullptr) {
        return;
    }
    const auto& files = context.flow.config;
    const auto it =
        std::find_if(files.begin(), files.end(), [&](const ConfigFile& c) { return c.name == *name; });
    if (it == files.end()) {
        context.diagnostics.error("AMP1403", reference.place,
                                  fmt::format("the flow has no config '{}'", *name),
                                  context.suggester.hint(*name, names_of(files)));
        return;
    }
    if (use.guarded || context.config.find(*name) == nullptr) {
        return;  // not known: not read, or told already
    }
    Value value = context.config;
    for (const Access& access : reference.path) {
        const auto next = apply_path(value, std::span(&access, 1));
        if (next) {
            value = *next;
            continue;
        }
        std::vector<std::string> keys;
        if (value.is_object()) {
            for (const auto& [key, member] : value.as_object()) {
                keys.push_back(key);
            }
        }
        const std::string hint = context.suggester.hint(access.name, keys);
        context.diagnostics.error(
            "AMP1404", reference.place, fmt::format("the config '{}' has no '{}'", *name, reference.text()),
            hint.empty() ? fmt::format("where it may be missing, say default({}, …)", reference.text())
                         : hint);
        return;
    }
}

}  // namespace

std::string Suggester::hint(std::string_view word, const std::vector<std::string>& candidates) {
    if (used_++ >= k_limit) {
        return {};
    }
    const auto nearest = did_you_mean(word, candidates);
    return nearest ? fmt::format("did you mean '{}'?", *nearest) : std::string();
}

bool check_fixed_root(Context& context, const Expression::Use& use) {
    const Reference& reference = use.reference;
    if (reference.root == "params") {
        check_param(context, reference);
        return true;
    }
    if (reference.root == "config") {
        check_config(context, use);
        return true;
    }
    if (reference.root == "env") {
        first_member(context, reference, "env.HOME");
        return true;
    }
    const auto root =
        std::find_if(k_roots.begin(), k_roots.end(), [&](const Root& r) { return r.name == reference.root; });
    if (root == k_roots.end()) {
        return false;
    }
    const std::string* member =
        first_member(context, reference, fmt::format("{}.{}", root->name, root->members.front()));
    if (member != nullptr && (member->empty() || std::find(root->members.begin(), root->members.end(),
                                                           *member) == root->members.end())) {
        std::vector<std::string> known;
        for (const std::string_view name : root->members) {
            if (!name.empty()) {
                known.push_back(fmt::format("{}.{}", root->name, name));
            }
        }
        context.diagnostics.error("AMP1405", reference.place,
                                  fmt::format("there is no `{}`", reference.text()),
                                  fmt::format("there is {}", amp::join(known, ", ")));
    }
    return true;
}

}  // namespace amp::validating
