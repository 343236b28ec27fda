#include <algorithm>

#include "core/flow/toml_document.hpp"

namespace amp {

const TomlNode* TomlNode::find(std::string_view key) const {
    const auto it =
        std::find_if(members.begin(), members.end(), [&](const TomlMember& m) { return m.key == key; });
    return it == members.end() ? nullptr : &it->value;
}

Value TomlNode::value() const {
    if (kind == Kind::list) {
        List list;
        list.reserve(items.size());
        for (const TomlNode& item : items) {
            list.push_back(item.value());
        }
        return list;
    }
    if (kind == Kind::table) {
        Object object;
        for (const TomlMember& member : members) {
            object.insert_or_assign(member.key, member.value.value());
        }
        return object;
    }
    return scalar;
}

std::string_view TomlNode::kind_name() const {
    switch (kind) {
        case Kind::string:
            return "a string";
        case Kind::integer:
            return "an integer";
        case Kind::floating:
            return "a float";
        case Kind::boolean:
            return "a boolean";
        case Kind::datetime:
            return "a date or time";
        case Kind::list:
            return "a list";
        case Kind::table:
            break;
    }
    return "a table";
}

TomlNode toml_node(const Value& value, Place place) {
    TomlNode node;
    node.place = place;
    node.text_place = place;
    node.scalar = value;
    if (value.is_object()) {
        for (const auto& [key, member] : value.as_object()) {
            node.members.push_back({key, place, toml_node(member, place)});
        }
        node.scalar = {};
    } else if (value.is_list()) {
        node.kind = TomlNode::Kind::list;
        for (const Value& item : value.as_list()) {
            node.items.push_back(toml_node(item, place));
        }
        node.scalar = {};
    } else if (value.is_bool()) {
        node.kind = TomlNode::Kind::boolean;
    } else if (value.is_int()) {
        node.kind = TomlNode::Kind::integer;
    } else if (value.is_float()) {
        node.kind = TomlNode::Kind::floating;
    } else {
        node.kind = TomlNode::Kind::string;
        node.escaped = true;  // the file holds it elsewhere: columns mean nothing
        if (!value.is_string()) {
            node.scalar = Value("");
        }
    }
    return node;
}

}  // namespace amp
