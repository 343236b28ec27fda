#include "core/flow/project_config_merge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/project_config_schema.hpp"

namespace amp::project_config {
namespace {

constexpr std::size_t k_max_path = 32;

std::string quoted_key(const std::string& key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return schema::is_identifier(std::string_view(&c, 1)) || (c >= '0' && c <= '9') || c == '-';
    });
    return bare ? key : fmt::format("\"{}\"", key);
}

/// A text from outside as the value that the key takes: "4" is a number for `gpu`, and a text for
/// `account`.
Value typed(const std::vector<std::string>& path, std::string_view text) {
    const schema::Rule* rule = project_schema::rule_at(path);
    if (rule == nullptr || rule->kinds == schema::k_string) {
        return text;
    }
    Diagnostics ignored;
    const TomlDocument document = parse_toml(fmt::format("x = {}", text), ignored);
    const TomlNode* found = document.root.find("x");
    return ignored.has_errors() || found == nullptr || document.root.members.size() != 1 ? Value(text)
                                                                                         : found->value();
}

bool same(std::string_view a, std::string_view variable) {
    std::string plain = lower(a);
    std::replace(plain.begin(), plain.end(), '-', '_');
    return plain == lower(variable);
}

}  // namespace

std::string dotted(const std::vector<std::string>& path) {
    std::string out;
    for (const std::string& name : path) {
        out += (out.empty() ? "" : ".") + quoted_key(name);
    }
    return out;
}

std::vector<std::string> parse_dotted(std::string_view text) {
    std::vector<std::string> path;
    while (true) {
        std::string name;
        if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
            const std::size_t end = text.find(text.front(), 1);
            if (end == std::string_view::npos) {
                return {};
            }
            name = std::string(text.substr(1, end - 1));
            text.remove_prefix(end + 1);
        } else {
            name = std::string(text.substr(0, text.find('.')));
            text.remove_prefix(name.size());
        }
        if (name.empty() || path.size() == k_max_path || (!text.empty() && text.front() != '.')) {
            return {};
        }
        path.push_back(std::move(name));
        if (text.empty()) {
            return path;
        }
        text.remove_prefix(1);
    }
}

void Merger::add_file(const SettingsFile& file) {
    Diagnostics found;
    const TomlDocument document = parse_toml(file.text, found);
    schema::check(document.root, project_schema::root(), {}, found);
    pass_on(found, file.path);
    merge(document.root, file.path, true);
}

void Merger::add_value(const std::vector<std::string>& path, std::string_view text,
                       const std::string& source) {
    TomlNode node = toml_node(typed(path, text), {});
    for (auto name = path.rbegin(); name != path.rend(); ++name) {
        TomlNode table;
        table.members.push_back({*name, {}, std::move(node)});
        node = std::move(table);
    }
    Diagnostics found;
    const bool right = schema::check(node, project_schema::root(), {}, found);
    pass_on(found, source);
    if (right) {
        merge(node, source, false);
    }
}

void Merger::add_built_in() {
    TomlNode node;
    node.members.push_back({"default", {}, toml_node("local", {})});
    merge(node, "built-in", false);
}

std::vector<std::string> Merger::path_of_variable(std::string_view name) const {
    std::vector<std::string> path;
    const schema::Rule* rule = &project_schema::root();
    std::string rest(name);
    while (!rest.empty()) {
        const std::size_t end = rest.find("__");
        const std::string part = rest.substr(0, end);
        rest = end == std::string::npos ? "" : rest.substr(end + 2);
        if (part.empty() || path.size() == k_max_path || (end != std::string::npos && rest.empty())) {
            return {};
        }
        path.push_back(meant(path, rule, part));
        if (rule != nullptr) {
            rule = project_schema::rule_at(path);
        }
    }
    return path;
}

void Merger::pass_on(const Diagnostics& found, const std::string& file) {
    for (Diagnostic diagnostic : found.sorted()) {
        diagnostic.file = file;
        diagnostics_.add(std::move(diagnostic));
    }
}

std::string Merger::meant(const std::vector<std::string>& path, const schema::Rule* rule,
                          const std::string& part) const {
    if (rule != nullptr) {
        for (const schema::Key& key : rule->keys) {
            if (same(key.name, part)) {
                return std::string(key.name);
            }
        }
    }
    const Value* below = find_setting(config_.settings, dotted(path));
    if (path.empty()) {
        below = &config_.settings;
    }
    if (below != nullptr && below->is_object()) {
        for (const auto& [name, value] : below->as_object()) {
            if (same(name, part)) {
                return name;
            }
        }
    }
    return lower(part);
}

void Merger::merge(const TomlNode& node, const std::string& source, bool with_line) {
    std::vector<std::string> path;
    config_.settings = merged(config_.settings, node, path, source, with_line);
}

Value Merger::merged(const Value& below, const TomlNode& above, std::vector<std::string>& path,
                     const std::string& source, bool with_line) {
    if (!above.is_table()) {
        forget(dotted(path));
        config_.origins.insert_or_assign(dotted(path),
                                         with_line ? fmt::format("{}:{}", source, above.place.line) : source);
        return above.value();
    }
    if (!below.is_object()) {
        forget(dotted(path));
    }
    Object out = below.is_object() ? below.as_object() : Object{};
    for (const TomlMember& member : above.members) {
        path.push_back(member.key);
        const Value* old = below.find(member.key);
        out.insert_or_assign(member.key,
                             merged(old == nullptr ? Value() : *old, member.value, path, source, with_line));
        path.pop_back();
    }
    return out;
}

/// The origins of a value that is replaced, and of all below it.
void Merger::forget(const std::string& key) {
    config_.origins.erase(key);
    const std::string prefix = key + ".";
    auto it = config_.origins.lower_bound(prefix);
    while (it != config_.origins.end() && it->first.starts_with(prefix)) {
        it = config_.origins.erase(it);
    }
}

}  // namespace amp::project_config
