#include "core/python/classes.hpp"

#include <algorithm>

namespace amp::python {
namespace {

using Order = std::vector<std::size_t>;

constexpr std::size_t k_max_ancestry = 60;

/// The first of the lists' heads that is in no list's tail.
std::optional<std::size_t> good_head(const std::vector<Order>& lists) {
    for (const Order& list : lists) {
        const bool in_tail = list.empty() || std::any_of(lists.begin(), lists.end(), [&](const Order& other) {
                                 return other.size() > 1 && std::find(other.begin() + 1, other.end(),
                                                                      list.front()) != other.end();
                             });
        if (!in_tail) {
            return list.front();
        }
    }
    return std::nullopt;
}

/// C3: the good head of all lists is taken out of them, again and again. nullopt: there is no order.
std::optional<Order> merge(std::vector<Order> lists) {
    Order out;
    while (const auto head = good_head(lists)) {
        out.push_back(*head);
        for (Order& list : lists) {
            if (!list.empty() && list.front() == *head) {
                list.erase(list.begin());
            }
        }
    }
    const bool all = std::all_of(lists.begin(), lists.end(), [](const Order& list) { return list.empty(); });
    return all ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

const Member* ClassInfo::find(std::string_view member) const {
    const auto it = member_index.find(member);
    return it == member_index.end() ? nullptr : &members[it->second];
}

Classes::Classes(const Names& names) : names_(names) {
    std::vector<NodeId> nodes;
    collect(names.tree().children(names.tree().root()), nodes);
    for (const NodeId node : nodes) {
        add(node);
    }
}

void Classes::collect(std::span<const NodeId> statements, std::vector<NodeId>& out) const {
    for (const NodeId id : statements) {
        switch (names_.tree()[id].kind) {
            case Kind::class_def:
                out.push_back(id);
                break;
            case Kind::if_:
            case Kind::branch:
            case Kind::try_:
            case Kind::except_handler:
            case Kind::with_:
            case Kind::group:
                collect(names_.tree().children(id), out);
                break;
            default:
                break;
        }
    }
}

void Classes::add(NodeId node) {
    ClassInfo info;
    info.name = names_.tree()[node].text;
    info.node = node;
    resolve_bases(info);
    add_members(info, names_.tree().group(node, 3), false);
    by_name_[info.name] = classes_.size();
    classes_.push_back(std::move(info));
}

/// A base stands above its class, so that it is known already.
void Classes::resolve_bases(ClassInfo& info) {
    for (NodeId base : names_.tree().group(info.node, 2)) {
        if (names_.tree().is(base, Kind::keyword)) {
            continue;
        }
        const Place place = names_.place(base);
        const std::string written = names_.text(base);
        if (names_.tree().is(base, Kind::subscript)) {  // Generic[T]
            base = names_.tree().child(base, 0);
        }
        const Origin origin = names_.origin(base);
        const auto local = origin.kind == Origin::Kind::defined ? find(origin.name) : std::nullopt;
        if (local) {
            info.local_bases.push_back(*local);
            info.from_flowspec = info.from_flowspec || classes_[*local].from_flowspec;
            info.from_elsewhere = info.from_elsewhere || classes_[*local].from_elsewhere;
        } else if (origin.is_metaflow("FlowSpec")) {
            info.from_flowspec = true;
        } else {
            const bool harmless = origin.kind == Origin::Kind::builtin || origin.module == "abc" ||
                                  origin.module == "typing" || origin.from_metaflow();
            info.from_elsewhere = info.from_elsewhere || !harmless;
        }
        info.bases.push_back({written, origin, place});
    }
}

void Classes::add_members(ClassInfo& info, std::span<const NodeId> statements, bool conditional) {
    for (const NodeId id : statements) {
        const Node& it = names_.tree()[id];
        switch (it.kind) {
            case Kind::function_def:
            case Kind::class_def:
                add_member(info, {it.text, id, k_no_node, conditional});
                break;
            case Kind::assign:
            case Kind::ann_assign:
                add_targets(info, id, conditional);
                break;
            case Kind::if_:
            case Kind::branch:
            case Kind::for_:
            case Kind::while_:
            case Kind::try_:
            case Kind::except_handler:
            case Kind::with_:
                for (const NodeId child : names_.tree().children(id)) {
                    if (names_.tree().is(child, Kind::group)) {
                        add_members(info, names_.tree().children(child), true);
                    } else if (names_.tree().is(child, Kind::branch)) {
                        add_members(info, names_.tree().group(child, 1), true);
                    }
                }
                break;
            case Kind::group:
                add_members(info, names_.tree().children(id), conditional);
                break;
            default:
                break;
        }
    }
}

void Classes::add_targets(ClassInfo& info, NodeId statement, bool conditional) {
    const Tree& tree = names_.tree();
    if (tree[statement].kind == Kind::ann_assign) {
        const NodeId target = tree.child(statement, 0);
        if (const NodeId value = tree.child(statement, 2);
            value != k_no_node && tree.is(target, Kind::name)) {
            add_member(info, {tree[target].text, statement, value, conditional});
        }
        return;
    }
    const NodeId value = tree.child(statement, 0);
    for (const NodeId target : tree.children(statement).subspan(1)) {
        if (tree.is(target, Kind::name)) {
            add_member(info, {tree[target].text, statement, value, conditional});
            continue;
        }
        const bool parallel = (tree.is(value, Kind::tuple) || tree.is(value, Kind::list)) &&
                              tree.children(value).size() == tree.children(target).size();
        for (std::size_t i = 0; i < tree.children(target).size(); ++i) {
            if (const NodeId one = tree.child(target, i); tree.is(one, Kind::name)) {
                add_member(info, {tree[one].text, statement, parallel ? tree.child(value, i) : k_no_node,
                                  conditional});
            }
        }
    }
}

void Classes::add_member(ClassInfo& info, Member member) {
    const auto [it, fresh] = info.member_index.try_emplace(member.name, info.members.size());
    if (fresh) {
        info.members.push_back(member);
    } else {
        member.conditional = member.conditional || info.members[it->second].conditional;
        info.members[it->second] = member;
    }
}

std::optional<std::size_t> Classes::find(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<std::size_t> Classes::ancestry(std::size_t index) const {
    std::vector<bool> reached(index + 1, false);
    reached[index] = true;
    Order out;
    for (std::size_t i = index + 1; i-- > 0;) {
        if (reached[i]) {
            out.push_back(i);
            for (const std::size_t base : classes_[i].local_bases) {
                reached[base] = true;
            }
        }
    }
    std::reverse(out.begin(), out.end());
    return out;
}

std::optional<std::vector<std::size_t>> Classes::order(std::size_t index) const {
    const Order members = ancestry(index);
    if (members.size() > k_max_ancestry) {
        return std::nullopt;
    }
    std::unordered_map<std::size_t, Order> orders;
    for (const std::size_t one : members) {
        std::vector<Order> lists;
        for (const std::size_t base : classes_[one].local_bases) {
            lists.push_back(orders[base]);
        }
        lists.push_back(classes_[one].local_bases);
        auto merged = merge(std::move(lists));
        if (!merged) {
            return std::nullopt;
        }
        merged->insert(merged->begin(), one);
        orders[one] = std::move(*merged);
    }
    return orders[index];
}

}  // namespace amp::python
