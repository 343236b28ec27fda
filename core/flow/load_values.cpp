#include "core/base/text.hpp"
#include "core/flow/load_parts.hpp"
#include "core/flow/setting.hpp"

namespace amp::loading {
namespace {

bool parse_all(const TomlNode& node, Diagnostics& diagnostics) {
    bool right = true;
    if (node.is_string() && has_expression(node.text())) {
        right = read_template(node, diagnostics).has_value();
    }
    for (const TomlNode& item : node.items) {
        right = parse_all(item, diagnostics) && right;
    }
    for (const TomlMember& member : node.members) {
        right = parse_all(member.value, diagnostics) && right;
    }
    return right;
}

}  // namespace

std::optional<TextTemplate> read_template(const TomlNode& node, Diagnostics& diagnostics) {
    const std::string text = node.is_string() ? node.text() : value_text(node.scalar);
    return TextTemplate::parse(text, node.is_string() ? node.text_place : node.place, node.escaped,
                               diagnostics);
}

std::optional<Expression> read_expression(const TomlNode& node, Diagnostics& diagnostics) {
    return Expression::parse(node.text(), node.text_place, diagnostics, node.escaped);
}

std::optional<Setting> read_setting(const TomlNode& node, Diagnostics& diagnostics) {
    Setting setting{.value = node.value(),
                    .text = std::nullopt,
                    .place = node.is_string() ? node.text_place : node.place};
    if (node.is_string() && has_expression(node.text())) {
        setting.text = read_template(node, diagnostics);
        return setting.text ? std::optional(std::move(setting)) : std::nullopt;
    }
    return parse_all(node, diagnostics) ? std::optional(std::move(setting)) : std::nullopt;
}

double read_duration(const TomlNode& node) {
    return node.is_string() ? parse_duration(node.text()).value_or(0) : node.scalar.as_float();
}

std::vector<std::string> read_texts(const TomlNode& node) {
    if (node.is_string()) {
        return {node.text()};
    }
    std::vector<std::string> texts;
    for (const TomlNode& item : node.items) {
        texts.push_back(item.text());
    }
    return texts;
}

}  // namespace amp::loading
