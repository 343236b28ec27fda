#include "cli/select.hpp"

#include <charconv>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_longest = 1024;
constexpr std::string_view k_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

[[noreturn]] void fail(std::string message, std::string hint) {
    throw Error(ExitCode::usage, "--select: " + std::move(message), {}, std::move(hint));
}

[[noreturn]] void fail_to_parse(std::string_view text) {
    fail("'" + printable(text.substr(0, 60)) + "' cannot be read",
         "it takes .name, .\"any name\", [N] and [], for instance .runs[].run; for more pipe --json into jq");
}

/// The name in double quotes that `text` begins with, and takes it off.
std::string take_quoted(std::string_view& text, std::string_view whole) {
    std::size_t end = 1;
    while (end < text.size() && text[end] != '"') {
        end += text[end] == '\\' ? 2 : 1;
    }
    if (end >= text.size()) {
        fail_to_parse(whole);
    }
    const std::string_view quoted = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    try {
        return json::parse(quoted, "--select").as_string();
    } catch (const Error&) {
        fail_to_parse(whole);
    }
}

}  // namespace

Selection Selection::parse(std::string_view text) {
    Selection out;
    out.text_ = text;
    std::string_view rest = text;
    if (text.size() > k_longest || !rest.starts_with('.') || !is_utf8(text)) {
        fail_to_parse(text);
    }
    if (rest == "." || rest.starts_with(".[")) {
        rest.remove_prefix(1);
    }
    while (!rest.empty()) {
        if (rest.starts_with("[]")) {
            out.parts_.push_back({Part::Kind::each, {}, 0});
            rest.remove_prefix(2);
        } else if (rest.starts_with('[')) {
            Part part{Part::Kind::item, {}, 0};
            const auto [end, failed] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), part.item);
            if (failed != std::errc() || end == rest.data() + rest.size() || *end != ']') {
                fail_to_parse(text);
            }
            rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
            out.parts_.push_back(std::move(part));
        } else if (rest.starts_with(".\"")) {
            rest.remove_prefix(1);
            out.parts_.push_back({Part::Kind::member, take_quoted(rest, text), 0});
        } else {
            const std::size_t end = std::min(rest.find_first_not_of(k_letters, 1), rest.size());
            if (rest.front() != '.' || end < 2) {
                fail_to_parse(text);
            }
            out.parts_.push_back({Part::Kind::member, std::string(rest.substr(1, end - 1)), 0});
            rest.remove_prefix(end);
        }
    }
    return out;
}

void Selection::pick(const Value& document, bool strict,
                     const std::function<void(const Value&)>& each) const {
    if (strict && !parts_.empty() && parts_.front().kind == Part::Kind::member && document.is_object() &&
        document.find(parts_.front().name) == nullptr) {
        std::vector<std::string> names;
        for (const auto& [name, value] : document.as_object()) {
            names.push_back(name);
        }
        const auto near = did_you_mean(parts_.front().name, names);
        fail("the document has no '" + printable(parts_.front().name) + "'",
             near ? "did you mean '." + *near + "'?" : "it has " + join(names, ", "));
    }
    pick_from(document, 0, {strict, each});
}

void Selection::pick_from(const Value& value, std::size_t at, const Picking& picking) const {
    if (at == parts_.size()) {
        picking.each(value);
        return;
    }
    const Part& part = parts_[at];
    if (part.kind == Part::Kind::each) {
        if (value.is_list()) {
            for (const Value& item : value.as_list()) {
                pick_from(item, at + 1, picking);
            }
        } else if (value.is_object()) {
            for (const auto& [name, item] : value.as_object()) {
                pick_from(item, at + 1, picking);
            }
        } else if (picking.strict && !value.is_null()) {
            fail(std::string("a ") + std::string(value.type_name()) + " has no parts for []", {});
        }
        return;
    }
    const bool fits = part.kind == Part::Kind::member ? value.is_object() : value.is_list();
    if (picking.strict && !fits && !value.is_null()) {
        const std::string type(value.type_name());
        fail(part.kind == Part::Kind::member ? "a " + type + " has no '" + printable(part.name) + "'"
                                             : "a " + type + " has no items",
             value.is_list() ? "[] in front of it stands for each item" : "");
    }
    const Value nothing;
    const Value* found = &nothing;
    if (fits && part.kind == Part::Kind::member) {
        const Value* member = value.find(part.name);
        found = member == nullptr ? found : member;
    } else if (fits) {
        const auto size = static_cast<std::int64_t>(value.as_list().size());
        const std::int64_t item = part.item < 0 ? part.item + size : part.item;
        found = item >= 0 && item < size ? &value.as_list()[static_cast<std::size_t>(item)] : found;
    }
    pick_from(*found, at + 1, picking);
}

std::string plain_field(std::string_view text) {
    std::string doubled;
    for (const char c : text) {
        doubled += c;
        if (c == '\\') {
            doubled += c;
        }
    }
    std::string out;
    for (const char c : printable(doubled)) {
        if (c == '\n' || c == '\t') {
            out += c == '\n' ? "\\n" : "\\t";
        } else {
            out += c;
        }
    }
    return out;
}

std::string plain_line(const std::vector<std::string>& fields) {
    std::string out;
    for (const std::string& field : fields) {
        out += plain_field(field) + "\t";
    }
    out.back() = '\n';
    return out;
}

std::string plain_value(const Value& value) {
    return value.is_string() ? plain_field(value.as_string()) : json::dump(value);
}

}  // namespace amp
