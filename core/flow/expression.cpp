#include "core/flow/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/expression_parser.hpp"
#include "core/flow/expression_tree.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_length = std::size_t{16} << 10;

constexpr std::array<std::string_view, 13> k_roots = {"params", "config", "git",    "env",     "item",
                                                      "index",  "round",  "prev",   "outputs", "run",
                                                      "flow",   "step",   "attempt"};
constexpr std::array<std::string_view, 9> k_words = {"and",  "or",   "not",   "in",  "if",
                                                     "else", "true", "false", "null"};

bool is_plain_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::optional<Value> apply_star(const Value& value, std::span<const Access> rest) {
    List out;
    const auto add = [&](const Value& entry) {
        if (auto found = apply_path(entry, rest)) {
            out.push_back(std::move(*found));
        }
    };
    if (value.is_list()) {
        std::for_each(value.as_list().begin(), value.as_list().end(), add);
    } else if (value.is_object()) {
        for (const auto& member : value.as_object()) {
            add(member.second);
        }
    } else {
        return std::nullopt;
    }
    return out;
}

/// Refuses a file anywhere within: its path cannot become a part of a text.
void refuse_late(const Value& value) {
    if (is_late(value)) {
        throw Error(ExitCode::invalid, "the path of a file is known only where the task runs", {},
                    "give the file a `{{ }}` of its own: \"{{ prepare.data }}.bak\"");
    }
    if (value.is_list()) {
        std::for_each(value.as_list().begin(), value.as_list().end(), refuse_late);
    } else if (value.is_object()) {
        for (const auto& member : value.as_object()) {
            refuse_late(member.second);
        }
    }
}

}  // namespace

std::string Reference::text() const {
    std::string out = root;
    for (const Access& access : path) {
        if (access.kind == Access::Kind::star) {
            out += ".*";
        } else if (access.kind == Access::Kind::index) {
            out += fmt::format("[{}]", access.index);
        } else if (is_plain_name(access.name)) {
            out += "." + access.name;
        } else {
            out += "[" + json::quote(access.name) + "]";
        }
    }
    return out + (dynamic ? "[…]" : "");
}

std::optional<Value> apply_path(const Value& value, std::span<const Access> path) {
    const Value* here = &value;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const Access& access = path[i];
        if (access.kind == Access::Kind::star) {
            return apply_star(*here, path.subspan(i + 1));
        }
        if (access.kind == Access::Kind::member) {
            here = here->find(access.name);
        } else if (here->is_list()) {
            const auto size = static_cast<std::int64_t>(here->as_list().size());
            const std::int64_t index = access.index < 0 ? access.index + size : access.index;
            here = index >= 0 && index < size ? &here->as_list()[static_cast<std::size_t>(index)] : nullptr;
        } else {
            here = nullptr;
        }
        if (here == nullptr) {
            return std::nullopt;
        }
    }
    return *here;
}

std::optional<Expression> Expression::parse(std::string_view text, Place at, Diagnostics& diagnostics,
                                            bool fixed_place) {
    if (text.size() > k_max_length) {
        diagnostics.error("AMP1106", at, fmt::format("the expression is longer than {} bytes", k_max_length),
                          "put large data into a file of [config]");
        return std::nullopt;
    }
    const TextPlaces source{text, at, fixed_place};
    auto parsed = parse_expression(source, diagnostics);
    if (!parsed) {
        return std::nullopt;
    }
    const std::string_view trimmed = trim(text);
    const auto offset = static_cast<std::size_t>(trimmed.data() - text.data());
    return Expression(std::make_shared<const Tree>(
        Tree{std::move(*parsed), std::string(trimmed), source.at(offset, trimmed.size())}));
}

Value Expression::evaluate(const Scope& scope) const {
    return amp::evaluate(tree_->root, scope, tree_->text);
}
const std::vector<Expression::Use>& Expression::uses() const {
    return tree_->uses;
}
bool Expression::is_cleanup() const {
    return tree_->cleanup;
}
const std::vector<std::string>& Expression::failed_steps() const {
    return tree_->failed_steps;
}
bool Expression::is_raw() const {
    return tree_->raw;
}
const std::string& Expression::text() const {
    return tree_->text;
}
Place Expression::place() const {
    return tree_->place;
}

std::optional<Value> Expression::literal() const {
    return tree_->root.kind == ExpressionNode::Kind::literal ? std::optional(tree_->root.value)
                                                             : std::nullopt;
}

std::span<const std::string_view> reserved_words() {
    static const std::vector<std::string_view> k_all = [] {
        std::vector<std::string_view> out(k_roots.begin(), k_roots.end());
        out.insert(out.end(), k_words.begin(), k_words.end());
        for (const Function& function : functions()) {
            out.push_back(function.name);
        }
        std::sort(out.begin(), out.end());
        return out;
    }();
    return k_all;
}

bool is_reserved_word(std::string_view name) {
    const auto words = reserved_words();
    return std::binary_search(words.begin(), words.end(), name);
}

std::string value_text(const Value& value) {
    if (value.is_null()) {
        return {};
    }
    if (!value.is_string()) {
        refuse_late(value);
        if (value.is_float() && !std::isfinite(value.as_float())) {
            const bool below = value.as_float() < 0;
            return std::isnan(value.as_float()) ? "nan" : below ? "-inf" : "inf";  // JSON has none: a text
        }
        return json::dump(value);
    }
    if (value.as_string().find('\0') != std::string::npos) {
        throw Error(ExitCode::invalid, "a text with a NUL byte cannot be an argument or variable", {},
                    "read it from its file under $AMP_IN");
    }
    return value.as_string();
}

bool truthy(const Value& value) {
    if (value.is_bool()) {
        return value.as_bool();
    }
    if (value.is_number()) {
        return value.is_int() ? value.as_int() != 0 : value.as_float() != 0;
    }
    if (value.is_string()) {
        return !value.as_string().empty();
    }
    if (value.is_list()) {
        return !value.as_list().empty();
    }
    return value.is_object() ? !value.as_object().empty() : value.is_file();
}

}  // namespace amp
