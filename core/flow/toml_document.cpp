#include "core/flow/toml_document.hpp"

#include <fmt/format.h>

namespace amp {
namespace {

/// The library took something for granted that a malformed text ("[}") breaks.
struct BrokenAssumption {};
[[noreturn]] void broken_assumption() {
    throw BrokenAssumption();
}

}  // namespace
}  // namespace amp

// How the library is set up: errors as values, and its assertions as an exception of ours in every kind of
// build: no text may end the process, or lead to undefined behaviour where assertions are off.
#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : ::amp::broken_assumption())
#undef NDEBUG
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "core/base/text.hpp"
#include "core/flow/toml_document_guard.hpp"

namespace amp {
namespace {

constexpr int k_max_passes = 20;
/// Over all passes, so that a large file with many mistakes is not read twenty times.
constexpr std::size_t k_max_parsed_bytes = std::size_t{32} << 20;
constexpr int k_max_tree_depth = 128;

/// Makes our tree of the library's, which it takes apart on the way: each branch is freed while it is still
/// in the processor's cache, and its memory serves the next one.
class Converter {
  public:
    Converter(std::string_view text, const toml_guard::PlaceMap& places, Diagnostics& diagnostics)
        : text_(text), places_(places), diagnostics_(diagnostics) {}

    TomlNode convert(toml::node& node, int depth = 0) {
        TomlNode out;
        out.place = place(node.source());
        switch (node.type()) {
            case toml::node_type::table:
                convert_table(*node.as_table(), out, depth);
                break;
            case toml::node_type::array:
                convert_list(*node.as_array(), out, depth);
                break;
            case toml::node_type::string:
                convert_string(node, out);
                break;
            case toml::node_type::integer:
                out.kind = TomlNode::Kind::integer;
                out.scalar = Value(std::int64_t{node.as_integer()->get()});
                break;
            case toml::node_type::floating_point:
                out.kind = TomlNode::Kind::floating;
                out.scalar = Value(node.as_floating_point()->get());
                break;
            case toml::node_type::boolean:
                out.kind = TomlNode::Kind::boolean;
                out.scalar = Value(node.as_boolean()->get());
                break;
            default:
                out.kind = TomlNode::Kind::datetime;
                out.scalar = Value(raw(node.source()));
                break;
        }
        return out;
    }

  private:
    /// In the order of the file; the library's is that of the keys.
    static std::vector<std::pair<const toml::key*, toml::node*>> in_order(toml::table& table) {
        std::vector<std::pair<const toml::key*, toml::node*>> members;
        members.reserve(table.size());
        for (auto&& [key, value] : table) {
            members.emplace_back(&key, &value);
        }
        const auto before = [](const auto& a, const auto& b) {
            return a.first->source().begin < b.first->source().begin;
        };
        if (!std::is_sorted(members.begin(), members.end(), before)) {
            std::stable_sort(members.begin(), members.end(), before);
        }
        return members;
    }

    void convert_table(toml::table& table, TomlNode& out, int depth) {
        out.kind = TomlNode::Kind::table;
        if (too_deep(depth, out.place)) {
            return;
        }
        out.members.reserve(table.size());
        for (const auto& [key, value] : in_order(table)) {
            out.members.push_back(
                {std::string(key->str()), place(key->source()), convert(*value, depth + 1)});
        }
        table.clear();
    }

    void convert_list(toml::array& list, TomlNode& out, int depth) {
        out.kind = TomlNode::Kind::list;
        if (too_deep(depth, out.place)) {
            return;
        }
        out.items.reserve(list.size());
        for (toml::node& item : list) {
            out.items.push_back(convert(item, depth + 1));
        }
        list.clear();
    }

    bool too_deep(int depth, Place at) {
        if (depth == k_max_tree_depth) {
            diagnostics_.error("AMP1005", at,
                               fmt::format("nested more than {} levels deep", k_max_tree_depth),
                               "keep deep data in a file of its own and name it in [config]");
        }
        return depth >= k_max_tree_depth;
    }

    void convert_string(toml::node& node, TomlNode& out) {
        out.kind = TomlNode::Kind::string;
        out.scalar = Value(std::move(node.as_string()->get()));
        const std::string_view written = raw(node.source());
        const bool multi_line = written.starts_with(R"(""")") || written.starts_with("'''");
        out.escaped = written.starts_with('"') && written.find('\\') != std::string_view::npos;
        out.text_place = out.place;
        std::size_t skipped = multi_line ? 3 : 1;
        out.text_place.column += static_cast<std::uint32_t>(skipped);
        if (multi_line) {  // a line end right behind the quotes is not part of the text
            skipped += written.substr(skipped, 1) == "\r" ? 1 : 0;
            if (written.substr(skipped, 1) == "\n") {
                out.text_place.line += 1;
                out.text_place.column = 1;
            }
        }
        out.text_place.length = static_cast<std::uint32_t>(
            std::max<std::size_t>(1, std::min<std::size_t>(out.scalar.as_string().size(), 4096)));
    }

    std::pair<std::size_t, std::size_t> range(const toml::source_region& region) const {
        const std::size_t begin = places_.offset(region.begin.line, region.begin.column);
        return {begin, std::max(begin, places_.offset(region.end.line, region.end.column))};
    }
    std::string_view raw(const toml::source_region& region) const {
        const auto [begin, end] = range(region);
        return text_.substr(begin, end - begin);
    }
    Place place(const toml::source_region& region) const {
        const auto [begin, end] = range(region);
        Place at = places_.place_of(begin, region.begin.line);
        const std::size_t line_end = places_.line_start(at.line) + places_.line(at.line).size();
        const std::size_t last = std::min(end, std::max(line_end, begin));
        at.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, last - begin));
        return at;
    }

    std::string_view text_;
    const toml_guard::PlaceMap& places_;
    Diagnostics& diagnostics_;
};

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c != '\n') {
            out.push_back(c);
        }
    }
    return out;
}

std::string_view hint_for(std::string_view message) {
    if (message.find("boolean") != std::string_view::npos ||
        message.find("value type") != std::string_view::npos) {
        return "text needs quotes: key = \"text\"";
    }
    if (message.find("inline table") != std::string_view::npos) {
        return "an inline table { … } stands on one line and has no comma at its end; or use a [table] of "
               "its own";
    }
    if (message.find("unescaped control") != std::string_view::npos) {
        return R"(close the string on its line, or use """ … """ for several lines)";
    }
    if (message.find("escape sequence") != std::string_view::npos) {
        return "use single quotes, in which a backslash is a backslash";
    }
    return {};
}

struct SyntaxError {
    std::uint32_t line = 0;
    bool harmless = false;     ///< a key given a second time: the first one stands, so nothing is missing
    bool table_twice = false;  ///< it is a header's line
};

/// Reports the library's error in our words, where the mistake was made rather than where it was noticed.
SyntaxError report(const toml::parse_error& error, std::string_view text, const toml_guard::PlaceMap& places,
                   Diagnostics& diagnostics) {
    const std::string message = one_line(error.description());
    Place at = places.place_of(
        std::min(places.offset(error.source().begin.line, error.source().begin.column), text.size()));
    const bool at_end = message.find("end-of-file") != std::string::npos;
    const auto open =
        at_end ? toml_guard::outline(text).open : toml_guard::unclosed_before(text, places, at.line);
    if (open) {
        const bool bracket = text[*open] == '[' || text[*open] == '{';
        diagnostics.error("AMP1001", places.place_of(*open),
                          fmt::format("this {} is never closed", bracket ? "bracket" : "string"));
        return {at_end ? places.place_of(*open).line : at.line, false, false};
    }
    constexpr std::string_view k_prefix = "Error while parsing ";
    const bool twice = message.find("redefine") != std::string::npos;
    const std::string shown =
        message.starts_with(k_prefix) ? "cannot read " + message.substr(k_prefix.size()) : message;
    if (twice) {
        diagnostics.error("AMP1002", at,
                          shown.substr(shown.find(": ") == std::string::npos ? 0 : shown.find(": ") + 2),
                          "keep one of the two");
    } else {
        diagnostics.error("AMP1001", at, shown, std::string(hint_for(message)));
    }
    const bool header = trim(places.line(at.line)).starts_with('[');
    return {at.line, twice && !header, twice && header};
}

bool confuses(std::string_view text) {
    try {
        const toml::parse_result result = toml::parse(text);
        return false;
    } catch (const BrokenAssumption&) {
        return true;
    }
}

/// For a text that confuses the library: the last line of the shortest beginning that already does.
SyntaxError report_confusing(std::string_view text, const toml_guard::PlaceMap& places,
                             Diagnostics& diagnostics) {
    std::size_t fine = 0;
    std::size_t confusing = places.line_count();
    while (confusing - fine > 1) {
        const std::size_t middle = fine + (confusing - fine) / 2;
        const auto line = static_cast<std::uint32_t>(middle);
        const std::size_t end = places.line_start(line) + places.line(line).size();
        (confuses(text.substr(0, end)) ? confusing : fine) = middle;
    }
    const auto line = static_cast<std::uint32_t>(confusing);
    diagnostics.error("AMP1001", places.place_of(places.line_start(line)), "this line is no TOML",
                      "keys and names of tables are letters, digits, - and _, or in quotes");
    return {line, false, false};
}

SyntaxError report_wrong_bracket(std::string_view text, const toml_guard::PlaceMap& places,
                                 Diagnostics& diagnostics) {
    const auto wrong = toml_guard::outline(text).mismatched;
    if (!wrong) {
        return report_confusing(text, places, diagnostics);
    }
    const Place at = places.place_of(*wrong);
    diagnostics.error("AMP1001", at, "this bracket closes nothing");
    return {at.line, false, false};
}

/// The table at the end of a header's path, beside what the path leads through so far.
void lay_beside(TomlNode& table, TomlNode added, std::size_t depth) {
    for (TomlMember& member : added.members) {
        const auto known = std::find_if(table.members.begin(), table.members.end(), [&](const TomlMember& m) {
            return m.key == member.key && m.value.is_table();
        });
        if (depth > 1 && known != table.members.end() && member.value.is_table()) {
            lay_beside(known->value, std::move(member.value), depth - 1);
        } else {
            table.members.push_back(std::move(member));
        }
    }
}

/// Reads a text again and again, each time without what was wrong.
class Reader {
  public:
    Reader(std::string_view text, const toml_guard::PlaceMap& places, Diagnostics& diagnostics)
        : text_(text), places_(places), diagnostics_(diagnostics) {}

    TomlDocument read() {
        if (auto root = read_one(std::string(text_))) {
            document_.root = std::move(*root);
        }
        for (std::size_t i = 0; i < again_.size(); ++i) {  // more may come
            const std::size_t depth = again_[i].depth;
            if (auto section = read_one(std::move(again_[i].text))) {
                lay_beside(document_.root, std::move(*section), depth);
            }
        }
        return std::move(document_);
    }

  private:
    /// @return nullopt when there are too many mistakes
    std::optional<TomlNode> read_one(std::string left) {
        while (passes_ < k_max_passes && parsed_ <= k_max_parsed_bytes) {
            SyntaxError error;
            ++passes_;
            parsed_ += left.size();
            try {
                toml::parse_result result = toml::parse(std::string_view(left));
                if (result.succeeded()) {
                    return Converter(text_, places_, diagnostics_).convert(result.table());
                }
                error = report(result.error(), left, places_, diagnostics_);
            } catch (const BrokenAssumption&) {
                error = report_wrong_bracket(left, places_, diagnostics_);
            }
            if (auto section =
                    error.table_twice ? toml_guard::take_section(left, places_, error.line) : std::nullopt) {
                again_.push_back(std::move(*section));
                continue;
            }
            document_.incomplete = document_.incomplete || !error.harmless;
            if (error.line == 0 || !toml_guard::blank_statement(left, places_, error.line)) {
                break;
            }
        }
        document_.incomplete = true;
        return std::nullopt;
    }

    std::string_view text_;
    const toml_guard::PlaceMap& places_;
    Diagnostics& diagnostics_;
    TomlDocument document_;
    std::vector<toml_guard::Section> again_;  ///< tables given a second time
    int passes_ = 0;
    std::size_t parsed_ = 0;
};

}  // namespace

TomlDocument parse_toml(std::string_view text, Diagnostics& diagnostics) {
    TomlDocument document;
    const toml_guard::PlaceMap places(text);
    if (!toml_guard::check(text, places, diagnostics)) {
        document.incomplete = true;
        return document;
    }
    return Reader(text, places, diagnostics).read();
}

}  // namespace amp
