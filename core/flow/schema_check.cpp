#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/setting.hpp"

namespace amp::schema {
namespace {

constexpr std::size_t k_max_shown_text = 60;

unsigned bit_of(TomlNode::Kind kind) {
    switch (kind) {
        case TomlNode::Kind::string:
            return k_string;
        case TomlNode::Kind::integer:
            return k_integer;
        case TomlNode::Kind::floating:
            return k_float;
        case TomlNode::Kind::boolean:
            return k_boolean;
        case TomlNode::Kind::datetime:
            return k_date;
        case TomlNode::Kind::list:
            return k_list;
        case TomlNode::Kind::table:
            return k_table;
    }
    return 0;
}

/// The offending value, short enough for a message.
std::string shown(const TomlNode& node) {
    if (node.is_list() || node.is_table()) {
        return std::string(node.kind_name());
    }
    std::string text = node.kind == TomlNode::Kind::datetime ? node.text() : json::dump(node.scalar);
    if (text.size() > k_max_shown_text) {
        text = to_utf8(text.substr(0, k_max_shown_text)) + "…";
    }
    return node.is_string() ? text : fmt::format("{} ({})", text, node.kind_name());
}

void wrong_kind(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    const bool number = node.kind == TomlNode::Kind::integer || node.kind == TomlNode::Kind::floating;
    if (rule.format == Format::size && number) {
        const std::string digits = json::dump(node.scalar);
        diagnostics.error(
            "AMP1019", node.place,
            fmt::format("`{}` must be {}, not the bare number {}", path.text(), rule.expected, digits),
            fmt::format(R"(write "{}G" or "{}Gi")", digits, digits));
        return;
    }
    std::string hint;
    if (node.is_list() && rule.format == Format::expression) {
        hint = "write the list as an expression in quotes: \"['a', 'b']\"";
    } else if (node.kind == TomlNode::Kind::datetime || ((rule.kinds & k_string) != 0 && number)) {
        hint = "put it in quotes";
    }
    diagnostics.error("AMP1011", node.place,
                      fmt::format("`{}` must be {}, not {}", path.text(), rule.expected, shown(node)), hint);
}

bool check_choice(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    if (std::find(rule.choices.begin(), rule.choices.end(), node.text()) != rule.choices.end()) {
        return true;
    }
    const std::vector<std::string> words(rule.choices.begin(), rule.choices.end());
    const auto nearest = did_you_mean(node.text(), words);
    diagnostics.error("AMP1013", node.place, fmt::format("`{}` cannot be {}", path.text(), shown(node)),
                      nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                              : fmt::format("one of {}", amp::join(words, ", ")));
    return false;
}

bool check_range(double number, const TomlNode& node, const Rule& rule, const Path& path,
                 Diagnostics& diagnostics) {
    const bool unlimited = std::isinf(rule.min) && std::isinf(rule.max);
    if (unlimited || (number >= rule.min && number <= rule.max)) {
        return true;
    }
    const std::string limit =
        !(number >= rule.min) ? fmt::format("at least {}", rule.min) : fmt::format("at most {}", rule.max);
    diagnostics.error("AMP1014", node.place,
                      fmt::format("`{}` is {}, but must be {}", path.text(), shown(node), limit));
    return false;
}

bool check_string(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    if (has_expression(node.text())) {
        if (rule.expression) {
            return true;
        }
        if (rule.format == Format::expression && trim(node.text()).starts_with("{{")) {
            diagnostics.error("AMP1020", node.place, fmt::format("`{}` is an expression anyway", path.text()),
                              "write it without {{ }}");
            return false;
        }
        if ((rule.format != Format::none && rule.format != Format::expression &&
             rule.format != Format::pattern) ||
            !rule.choices.empty()) {
            diagnostics.error(
                "AMP1020", node.place,
                fmt::format("`{}` cannot hold an expression: it must be known before the run", path.text()),
                "write the value itself");
            return false;
        }
    }
    if (!rule.choices.empty()) {
        return check_choice(node, rule, path, diagnostics);
    }
    const auto mistake = find_mistake(node.text(), rule.format);
    if (!mistake && rule.format == Format::duration) {
        return check_range(*parse_duration(node.text()), node, rule, path, diagnostics);
    }
    if (!mistake && rule.format == Format::expression && trim(node.text()).empty()) {
        diagnostics.error("AMP1015", node.place, fmt::format("`{}` is empty", path.text()));
        return false;
    }
    if (!mistake) {
        return true;
    }
    // What was meant as a secret is not repeated.
    const std::string value = rule.format == Format::secret ? "the value" : shown(node);
    const std::string message =
        mistake->code == "AMP1011" ? fmt::format("`{}` must be {}, not {}", path.text(), rule.expected, value)
                                   : fmt::format("{} in `{}` {}", value, path.text(), mistake->reason);
    diagnostics.error(std::string(mistake->code), node.place, message, mistake->hint);
    return false;
}

bool check_fixed_table(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    bool right = true;
    for (const TomlMember& member : node.members) {
        const Key* key = known_key(member, rule.keys, path, diagnostics);
        right = key != nullptr && check(member.value, *key->rule, {&path, member.key}, diagnostics) && right;
    }
    for (const Key& key : rule.keys) {
        if (key.required && node.find(key.name) == nullptr) {
            diagnostics.error("AMP1012", node.place, fmt::format("`{}` has no `{}`", path.text(), key.name),
                              fmt::format("add {} = …: {}", key.name, key.rule->expected));
            right = false;
        }
    }
    return right;
}

bool check_free_table(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    bool right = true;
    for (const TomlMember& member : node.members) {
        if (const auto mistake = find_mistake(member.key, rule.member_key)) {
            diagnostics.error(
                std::string(mistake->code), member.place,
                fmt::format("the key '{}' in `{}` {}", printable(member.key), path.text(), mistake->reason),
                mistake->hint);
            right = false;
        }
        right = check(member.value, *rule.member, {&path, member.key}, diagnostics) && right;
    }
    return right;
}

/// What people write who come from other tools.
std::string_view advice_for(std::string_view key) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 16> k_advice = {{
        {"command", "the command is called `run`"},
        {"cmd", "the command is called `run`"},
        {"script", "the command is called `run`"},
        {"depends_on", "the steps before are called `needs`"},
        {"depends", "the steps before are called `needs`"},
        {"after", "the steps before are called `needs`"},
        {"if", "the condition is called `when`"},
        {"retries", "say retry = 2"},
        {"cpu", "say resources = { cpu = … }"},
        {"memory", "say resources = { memory = … }"},
        {"gpu", "say resources = { gpu = … }"},
        {"steps", "each step is a table: [step.NAME]"},
        {"parameters", "the table is called [params]"},
        {"param", "the table is called [params]"},
        {"matrix", "one task an item is `foreach`"},
        {"loop", "one task an item is `foreach`, doing it again is `repeat`"},
    }};
    const auto it =
        std::find_if(k_advice.begin(), k_advice.end(), [&](const auto& a) { return a.first == key; });
    return it == k_advice.end() ? std::string_view() : it->second;
}

}  // namespace

std::string Path::text() const {
    std::string out = parent == nullptr ? std::string() : parent->text();
    if (item) {
        return out + fmt::format("[{}]", *item);
    }
    return out + (out.empty() ? "" : ".") + printable(name);
}

const Key* known_key(const TomlMember& member, std::span<const Key> keys, const Path& table,
                     Diagnostics& diagnostics) {
    if (const Key* key = find_key(keys, member.key)) {
        return key;
    }
    std::vector<std::string> names;
    for (const Key& key : keys) {
        names.emplace_back(key.name);
    }
    std::string hint(advice_for(member.key));
    if (hint.empty()) {
        const auto nearest = did_you_mean(member.key, names);
        hint = nearest             ? fmt::format("did you mean '{}'?", *nearest)
               : names.size() > 14 ? ""
                                   : fmt::format("known are {}", amp::join(names, ", "));
    }
    const std::string where = table.text();
    diagnostics.error("AMP1010", member.place,
                      where.empty() ? fmt::format("unknown key '{}'", printable(member.key))
                                    : fmt::format("unknown key '{}' in `{}`", printable(member.key), where),
                      hint);
    return nullptr;
}

bool check(const TomlNode& node, const Rule& rule, const Path& path, Diagnostics& diagnostics) {
    if ((rule.kinds & bit_of(node.kind)) == 0) {
        wrong_kind(node, rule, path, diagnostics);
        return false;
    }
    if (rule.filled && (node.is_list() || node.is_table()) && node.items.empty() && node.members.empty()) {
        diagnostics.error("AMP1015", node.place, fmt::format("`{}` is empty", path.text()),
                          fmt::format("it must be {}", rule.expected));
        return false;
    }
    switch (node.kind) {
        case TomlNode::Kind::string:
            return check_string(node, rule, path, diagnostics);
        case TomlNode::Kind::integer:
        case TomlNode::Kind::floating:
            return check_range(node.scalar.as_float(), node, rule, path, diagnostics);
        case TomlNode::Kind::list: {
            bool right = true;
            for (std::size_t i = 0; rule.element != nullptr && i < node.items.size(); ++i) {
                right = check(node.items[i], *rule.element, {&path, {}, i}, diagnostics) && right;
            }
            return right;
        }
        case TomlNode::Kind::table:
            if (!rule.keys.empty()) {
                return check_fixed_table(node, rule, path, diagnostics);
            }
            return rule.member == nullptr || check_free_table(node, rule, path, diagnostics);
        default:
            return true;
    }
}

}  // namespace amp::schema
