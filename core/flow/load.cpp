#include "core/flow/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "core/base/text.hpp"
#include "core/flow/load_parts.hpp"

namespace amp {
namespace {

using loading::StepLoader;

/// The tables of the file.
constexpr schema::Rule k_section = {.kinds = schema::k_table, .expected = "a table"};
constexpr std::array<schema::Key, 5> k_sections = {{
    {"flow", &k_section, {}, true},
    {"params", &k_section},
    {"config", &k_section},
    {"defaults", &k_section},
    {"step", &k_section},
}};

class Loader {
  public:
    Loader(Flow& flow, Diagnostics& diagnostics, const Value& overrides)
        : flow_(flow), diagnostics_(diagnostics), overrides_(overrides) {}

    /// Takes the steps out of the tree as it goes.
    void load(TomlNode& root) {
        join_sections(root);
        for (const TomlMember& member : root.members) {
            const schema::Key* key = schema::known_key(member, k_sections, {}, diagnostics_);
            misspelt_ = misspelt_ || key == nullptr;
            if (key != nullptr) {
                schema::check(member.value, *key->rule, {nullptr, member.key}, diagnostics_);
            }
        }
        load_flow_table(root);
        if (const TomlNode* params = table(root, "params")) {
            loading::load_parameters(*params, flow_, diagnostics_);
        }
        if (const TomlNode* config = table(root, "config")) {
            loading::load_config_files(*config, flow_, diagnostics_);
        }
        load_steps(root);
    }

  private:
    static const TomlNode* table(const TomlNode& root, std::string_view name) {
        const TomlNode* found = root.find(name);
        return found != nullptr && found->is_table() ? found : nullptr;
    }
    static TomlNode* steps_table(TomlNode& root) {
        const auto it = std::find_if(root.members.begin(), root.members.end(),
                                     [](const TomlMember& m) { return m.key == "step"; });
        return it != root.members.end() && it->value.is_table() ? &it->value : nullptr;
    }

    /// Of a section that is there twice, which was told, the second is laid below the first.
    void join_sections(TomlNode& root) {
        for (auto second = root.members.begin(); second != root.members.end();) {
            const auto first = std::find_if(root.members.begin(), second,
                                            [&](const TomlMember& m) { return m.key == second->key; });
            if (first == second || !first->value.is_table() || !second->value.is_table()) {
                ++second;
                continue;
            }
            std::set<std::string, std::less<>> known;
            for (const TomlMember& member : first->value.members) {
                known.insert(member.key);
            }
            for (TomlMember& member : second->value.members) {
                if (!known.contains(member.key)) {
                    first->value.members.push_back(std::move(member));
                    continue;
                }
                diagnostics_.error("AMP1002", member.place,
                                   fmt::format("'{}.{}' is given twice", second->key, printable(member.key)),
                                   "keep one of the two");
            }
            second = root.members.erase(second);
        }
    }

    void load_flow_table(const TomlNode& root) {
        const TomlNode* node = table(root, "flow");
        if (node == nullptr) {
            if (!flow_.incomplete && !misspelt_ && root.find("flow") == nullptr) {
                diagnostics_.error("AMP1012", {1, 1, 1}, "the file has no [flow]",
                                   "begin it with [flow] and name = \"…\"");
            }
            return;
        }
        const schema::Path path{nullptr, "flow"};
        for (const TomlMember& member : node->members) {
            const schema::Key* key = schema::known_key(member, schema::flow_keys(), path, diagnostics_);
            if (key != nullptr &&
                schema::check(member.value, *key->rule, {&path, member.key}, diagnostics_)) {
                read_flow_key(*key, member.value);
            }
        }
        if (!flow_.incomplete && node->find("name") == nullptr) {
            diagnostics_.error("AMP1012", node->place, "`flow` has no `name`", "add name = \"…\"");
        }
    }

    void read_code(const TomlNode& node) {
        if (!node.is_table()) {
            flow_.code_mode = node.text();
            return;
        }
        if (const TomlNode* include = node.find("include")) {
            flow_.code_include = loading::read_texts(*include);
        }
        if (const TomlNode* exclude = node.find("exclude")) {
            flow_.code_exclude = loading::read_texts(*exclude);
        }
    }

    void read_flow_key(const schema::Key& key, const TomlNode& node) {
        if (key.name == "code") {
            read_code(node);
        } else if (key.later) {
            if (auto setting = loading::read_setting(node, diagnostics_)) {
                flow_.later.insert_or_assign(std::string(key.name), std::move(*setting));
            }
        } else if (key.name == "name") {
            flow_.name = node.text();
        } else if (key.name == "description") {
            flow_.description = node.text();
        } else if (key.name == "project") {
            flow_.project = node.text();
        } else if (key.name == "tags") {
            flow_.tags = loading::read_texts(node);
        } else if (key.name == "max_workers") {
            flow_.max_workers = loading::read_setting(node, diagnostics_);
        } else if (key.name == "concurrency") {
            flow_.concurrency = node.text();
        } else if (key.name == "keep_going") {
            flow_.keep_going = node.scalar.as_bool();
        } else if (key.name == "timeout") {
            flow_.timeout_s = loading::read_duration(node);
        } else if (key.name == "cleanup_timeout") {
            flow_.cleanup_timeout_s = loading::read_duration(node);
        }
    }

    void load_steps(TomlNode& root) {
        StepLoader loader(flow_.params, diagnostics_);
        if (const TomlNode* defaults = table(root, "defaults")) {
            loader.set_defaults(*defaults);
        }
        TomlNode* steps = steps_table(root);
        if (steps != nullptr) {
            flow_.steps.reserve(steps->members.size());
            for (TomlMember& member : steps->members) {
                const Value* overrides = overrides_.find(member.key);
                loader.load(member, overrides == nullptr ? Value() : *overrides, flow_);
                member.value = {};  // no longer needed: its memory serves the next steps
            }
        }
        if (flow_.steps.empty() && !flow_.incomplete && !misspelt_ &&
            (steps != nullptr || root.find("step") == nullptr)) {
            diagnostics_.error("AMP1027", {1, 1, 1}, "the flow has no steps",
                               "add [step.NAME] with run = \"…\"");
        }
    }

    Flow& flow_;
    Diagnostics& diagnostics_;
    const Value& overrides_;
    bool misspelt_ = false;  ///< a table is unknown: it may be the one that seems to be missing
};

}  // namespace

Flow load_flow(std::string_view text, std::string path, Diagnostics& diagnostics, const Value& overrides) {
    Flow flow;
    flow.path = std::move(path);
    flow.source = std::string(text);
    TomlDocument document = parse_toml(text, diagnostics);
    flow.incomplete = document.incomplete;
    Loader(flow, diagnostics, overrides).load(document.root);
    return flow;
}

std::vector<LaterKey> keys_not_acted_upon(const Flow& flow) {
    std::vector<LaterKey> keys;
    for (const auto& [key, setting] : flow.later) {
        keys.push_back({"flow." + key, setting.place});
    }
    for (const Step& step : flow.steps) {
        for (const auto& [key, setting] : step.later) {
            keys.push_back({fmt::format("step.{}.{}", step.name, key), setting.place});
        }
    }
    std::stable_sort(keys.begin(), keys.end(), [](const LaterKey& a, const LaterKey& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    return keys;
}

}  // namespace amp
