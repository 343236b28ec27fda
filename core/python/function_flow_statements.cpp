#include <algorithm>

#include "core/python/function_flow.hpp"

namespace amp::python {
namespace {

constexpr std::size_t k_max_breaks = 64;

}  // namespace

bool FunctionFlow::block(std::span<const NodeId> statements) {
    for (const NodeId id : statements) {
        if (!statement(id)) {
            return false;
        }
    }
    return true;
}

bool FunctionFlow::statement(NodeId id) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::assign:
            assign(id);
            return true;
        case Kind::ann_assign:
            if (const NodeId value = tree_.child(id, 2); value != k_no_node) {
                target_from(tree_.child(id, 0), value);
            }
            return true;
        case Kind::aug_assign:
            visit(tree_.child(id, 0));
            visit(tree_.child(id, 1));
            target(tree_.child(id, 0));
            return true;
        case Kind::delete_:
            for (const NodeId child : tree_.children(id)) {
                delete_target(child);
            }
            return true;
        case Kind::return_:
            visit_all(tree_.children(id));
            leave();
            return nested_ > 0;
        case Kind::raise:
            visit_all(tree_.children(id));
            return nested_ > 0;
        case Kind::break_:
            note_break();
            return nested_ > 0;
        case Kind::continue_:
            return nested_ > 0;
        case Kind::import_:
        case Kind::import_from:
        case Kind::global_:
        case Kind::nonlocal_:
        case Kind::type_alias:
            return true;
        default:
            return compound(id);
    }
}

bool FunctionFlow::compound(NodeId id) {
    switch (tree_[id].kind) {
        case Kind::if_:
            return if_statement(id);
        case Kind::match:
            return match_statement(id);
        case Kind::for_:
            return for_statement(id);
        case Kind::while_:
            return while_statement(id);
        case Kind::try_:
            return try_statement(id);
        case Kind::with_:
            return with_statement(id);
        case Kind::function_def:
            nested(id);
            return true;
        case Kind::class_def:
            visit_all(tree_.group(id, 0));
            visit_all(tree_.group(id, 2));
            ++nested_;
            block(tree_.group(id, 3));
            --nested_;
            return true;
        default:
            visit_all(tree_.children(id));
            return true;
    }
}

void FunctionFlow::assign(NodeId id) {
    const NodeId value = tree_.child(id, 0);
    if (role_of(value).kind != Role::Kind::none) {
        consume(value);
    } else {
        visit(value);
    }
    for (const NodeId to : tree_.children(id).subspan(1)) {
        target(to, role_of(value));
    }
}

bool FunctionFlow::if_statement(NodeId id) {
    std::vector<Outcome> ways;
    const auto branches = tree_.children(id).subspan(1);
    for (std::size_t i = 0; i < branches.size(); ++i) {
        branches_ += i > 0 ? 1 : 0;
        visit(tree_.child(branches[i], 0));
        branches_ -= i > 0 ? 1 : 0;
        ways.push_back(branch([&] { return block(tree_.group(branches[i], 1)); }));
    }
    ways.push_back(branch([&] { return block(tree_.group(id, 0)); }));
    return merge(ways);
}

bool FunctionFlow::match_statement(NodeId id) {
    visit(tree_.child(id, 0));
    std::vector<Outcome> ways;
    bool all = false;  // there is a case that takes whatever comes
    for (const NodeId one : tree_.children(id).subspan(1)) {
        const NodeId pattern = tree_.child(one, 0);
        const NodeId guard = tree_.child(one, 1);
        all = all || (guard == k_no_node && tree_.is(pattern, Kind::match_as) &&
                      tree_.child(pattern, 0) == k_no_node);
        ways.push_back(branch([&] {
            bind_pattern(pattern);
            visit(guard);
            return block(tree_.group(one, 2));
        }));
    }
    if (!all) {
        ways.push_back({});
    }
    return merge(ways);
}

/// What a pattern compares with is read; names that it binds are no inputs any more.
void FunctionFlow::bind_pattern(NodeId pattern) {
    if (pattern == k_no_node) {
        return;
    }
    const Node& it = tree_[pattern];
    if (it.kind >= Kind::match_value) {
        if (!it.text.empty()) {
            bind_role(it.text, {});
        }
        for (const NodeId child : tree_.children(pattern)) {
            bind_pattern(child);
        }
    } else {
        visit(pattern);
    }
}

bool FunctionFlow::for_statement(NodeId id) {
    const NodeId iterable = tree_.child(id, 1);
    consume(iterable);
    loops_.push_back({log_.size()});
    const Outcome body = branch([&] {
        loop_target(tree_.child(id, 0), iterable);
        return block(tree_.group(id, 2));
    });
    const bool breaks = loops_.back().breaks > 0;
    loops_.pop_back();
    merge({body, {}});
    if (!breaks) {
        return block(tree_.group(id, 3));
    }
    return merge({branch([&] { return block(tree_.group(id, 3)); }), {}});
}

bool FunctionFlow::while_statement(NodeId id) {
    const NodeId test = tree_.child(id, 0);
    visit(test);
    const bool forever =
        tree_.is(test, Kind::true_) || (tree_.is(test, Kind::integer) && tree_[test].text != "0");
    loops_.push_back({log_.size()});
    const Outcome body = branch([&] { return block(tree_.group(id, 1)); });
    const Loop loop = std::move(loops_.back());
    loops_.pop_back();
    if (forever) {  // only a `break` leaves it
        Outcome out;
        if (loop.at_breaks && loop.breaks <= k_max_breaks) {
            out.added.assign(loop.at_breaks->begin(), loop.at_breaks->end());
        }
        out.removed = body.removed;
        return loop.breaks > 0 ? merge({out}) : nested_ > 0;
    }
    merge({body, {}});
    if (loop.breaks == 0) {
        return block(tree_.group(id, 2));
    }
    return merge({branch([&] { return block(tree_.group(id, 2)); }), {}});
}

void FunctionFlow::note_break() {
    if (loops_.empty() || nested_ > 0) {
        return;
    }
    Loop& loop = loops_.back();
    if (++loop.breaks > k_max_breaks) {
        return;
    }
    const Outcome here = since(loop.mark, true);
    if (!loop.at_breaks) {
        loop.at_breaks.emplace(here.added.begin(), here.added.end());
        return;
    }
    std::unordered_set<std::string_view> both;
    for (const std::string_view name : here.added) {
        if (loop.at_breaks->contains(name)) {
            both.insert(name);
        }
    }
    loop.at_breaks = std::move(both);
}

/// `except AttributeError`, `except Exception`, `except:`.
bool FunctionFlow::catches_missing(NodeId try_statement) const {
    const auto handlers = tree_.group(try_statement, 1);
    const auto takes = [&](NodeId type) {
        const auto chain = names_.chain(type);
        return !chain.empty() && (chain.back() == "AttributeError" || chain.back() == "Exception" ||
                                  chain.back() == "BaseException");
    };
    return std::any_of(handlers.begin(), handlers.end(), [&](NodeId handler) {
        const NodeId type = tree_.child(handler, 0);
        if (type == k_no_node || takes(type)) {
            return true;
        }
        const auto types = tree_.is(type, Kind::tuple) ? tree_.children(type) : std::span<const NodeId>();
        return std::any_of(types.begin(), types.end(), takes);
    });
}

bool FunctionFlow::try_statement(NodeId id) {
    const int guard = catches_missing(id) ? 1 : 0;
    std::vector<Outcome> ways;
    const std::size_t mark = log_.size();
    guards_ += guard;
    bool falls_through = block(tree_.group(id, 0));
    guards_ -= guard;
    if (falls_through) {
        falls_through = block(tree_.group(id, 2));
    }
    ways.push_back(since(mark, falls_through));
    take_back(mark);
    for (const NodeId handler : tree_.group(id, 1)) {
        ways.push_back(branch([&] {
            visit(tree_.child(handler, 0));
            for (const std::string_view name : ways.front().removed) {
                remove(name);  // it may have come to that
            }
            return block(tree_.group(handler, 1));
        }));
    }
    const bool goes_on = merge(ways);
    return block(tree_.group(id, 3)) && goes_on;
}

bool FunctionFlow::with_statement(NodeId id) {
    bool may_end_early = false;  // contextlib.suppress
    for (const NodeId item : tree_.group(id, 0)) {
        const NodeId context = tree_.child(item, 0);
        visit(context);
        if (const NodeId to = tree_.child(item, 1); to != k_no_node) {
            target(to);
        }
        if (tree_.is(context, Kind::call)) {
            const auto chain = names_.chain(tree_.child(context, 0));
            may_end_early = may_end_early || (!chain.empty() && chain.back() == "suppress");
        }
    }
    if (!may_end_early) {
        return block(tree_.group(id, 1));
    }
    ++guards_;
    const Outcome body = branch([&] { return block(tree_.group(id, 1)); });
    --guards_;
    return merge({body, {}});
}

/// A function within the function: it runs later, or never.
void FunctionFlow::nested(NodeId function) {
    visit_all(tree_.group(function, 0));
    const NodeId parameters = tree_.child(function, 2);
    for (const NodeId parameter : tree_.children(parameters)) {
        visit(tree_.child(parameter, 1));
    }
    if (shadows_self(parameters)) {
        return;
    }
    ++nested_;
    block(tree_.group(function, 4));
    --nested_;
}

}  // namespace amp::python
