#include <algorithm>

#include "core/flow/load_parts.hpp"
#include "core/flow/setting.hpp"

// What is made of keys with mistakes: all errors are to be told in one pass, so the parts that are right are
// looked at all the same, and what a broken part would have said is not taken for missing.

namespace amp::loading {
namespace {

bool is_right(const TomlNode& node, const schema::Rule& rule) {
    Diagnostics told_before;
    return schema::check(node, rule, {}, told_before);
}

/// The items and members that are right by themselves.
TomlNode right_parts(const TomlNode& node, const schema::Rule& rule) {
    TomlNode out = node;
    std::erase_if(out.items, [&](const TomlNode& item) {
        return rule.element != nullptr && !is_right(item, *rule.element);
    });
    std::erase_if(out.members, [&](const TomlMember& member) {
        if (rule.keys.empty()) {
            return schema::find_mistake(member.key, rule.member_key).has_value() ||
                   (rule.member != nullptr && !is_right(member.value, *rule.member));
        }
        const schema::Key* key = schema::find_key(rule.keys, member.key);
        return key == nullptr || !is_right(member.value, *key->rule);
    });
    return out;
}

/// Calls `use` for each text within that may hold `{{ }}`, and does.
template <class Use>
void each_template(const TomlNode& node, const schema::Rule& rule, const Use& use) {
    if (node.is_string() && rule.expression && has_expression(node.text())) {
        use(node);
    }
    for (const TomlNode& item : node.items) {
        if (rule.element != nullptr) {
            each_template(item, *rule.element, use);
        }
    }
    for (const TomlMember& member : node.members) {
        const schema::Key* key = schema::find_key(rule.keys, member.key);
        const schema::Rule* below = key != nullptr ? key->rule : rule.member;
        if (below != nullptr) {
            each_template(member.value, *below, use);
        }
    }
}

}  // namespace

void StepLoader::apply_right_parts(Step& step, const Entry& entry) {
    made_.push_back(right_parts(*entry.node, *entry.key->rule));
    if (is_right(made_.back(), *entry.key->rule)) {
        Entry rest = entry;
        rest.node = &made_.back();
        apply(step, rest);
    }
}

void StepLoader::note_broken(Step& step, const Entry& entry) {
    if (!step.broken) {
        step.broken = Step::Broken();
    }
    const std::string_view key = entry.key->name;
    step.broken->keys.push_back(key);
    each_template(*entry.node, *entry.key->rule, [&](const TomlNode& text) {
        for (Expression& expression :
             TextTemplate::readable_expressions(text.text(), text.text_place, text.escaped)) {
            step.broken->expressions.emplace_back(key, std::move(expression));
        }
        if (key == "run") {
            step.broken->commands += text.text() + " ";
        }
    });
}

/// The names of outputs with mistakes are known: what refers to them is right.
void StepLoader::name_broken_outputs(Step& step, const TomlNode& node) {
    const auto name = [&](const std::string& artifact) {
        if (schema::is_identifier(artifact) &&
            std::none_of(step.outputs.begin(), step.outputs.end(),
                         [&](const TaskOutput& known) { return known.name == artifact; })) {
            step.outputs.push_back(
                {.name = artifact, .path = artifact, .type = TaskOutput::Type::automatic, .optional = false});
        }
    };
    for (const TomlMember& member : node.members) {
        name(member.key);
    }
    for (const TomlNode& item : node.items) {
        if (item.is_string()) {
            name(item.text());
        }
    }
}

}  // namespace amp::loading
