#include "core/flow/yaml_document.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/base/text.hpp"
#include "core/flow/yaml_scalar.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_bytes = std::size_t{8} << 20;
constexpr std::size_t k_max_depth = 128;
/// What all aliases together may stand for: values, and bytes of texts.
constexpr std::size_t k_max_aliased = 4'000'000;
constexpr std::string_view k_standard_tag = "tag:yaml.org,2002:";

struct Mistake {
    Place place;
    std::string message;
    std::string hint;
};

Place place_of(const YAML::Mark& mark) {
    if (mark.is_null()) {
        return {};
    }
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1), 1};
}

[[noreturn]] void refuse(const YAML::Mark& mark, std::string message, std::string hint = {}) {
    throw Mistake{place_of(mark), std::move(message), std::move(hint)};
}

/// An unquoted text, whose mistakes have a place.
Value plain(const YAML::Mark& mark, std::string_view text) {
    const YamlScalar read = read_plain_yaml(text);
    if (!read.mistake.empty()) {
        refuse(mark, read.mistake, "put it in quotes if it is meant as a text");
    }
    return read.value;
}

// Documents
// ---------------------------------------------------------------------------------------------------------

/// A value, how deep it is nested, and how many values and bytes of text it stands for.
struct Measured {
    Value value;
    std::size_t depth = 0;
    std::size_t weight = 1;
};

/// Builds the value of one document from what the library finds.
class Builder : public YAML::EventHandler {
  public:
    Value result() { return std::move(result_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0) {
            refuse(mark, "the file holds more than one document", "keep one: take away what follows `---`");
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { scalar(mark, anchor, {}, "null"); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        if (tag == "?" && text == "<<" && is_key()) {
            refuse(mark, "merge keys (`<<`) are of YAML 1.1 and are not read", "write the keys out");
        }
        scalar(mark, anchor, typed(mark, tag, text), text);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            refuse(mark, "an alias stands inside of what it is an alias of");
        }
        aliased_ += found->second.weight;
        if (aliased_ > k_max_aliased) {
            refuse(mark, "the aliases make the file grow beyond all measure", "write out what is needed");
        }
        if (frames_.size() + found->second.depth > k_max_depth) {
            too_deep(mark);
        }
        const Value& value = found->second.value;
        add(mark, found->second, value.is_string() ? value.as_string() : std::string(), value.is_string());
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        open(mark, tag, "seq", anchor, false);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        open(mark, tag, "map", anchor, true);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        YAML::Mark mark;
        YAML::anchor_t anchor = 0;
        bool map = false;
        List items = {};
        Object members = {};
        std::optional<std::string> key = {};
        std::size_t depth = 1;
        std::size_t weight = 1;
    };

    [[noreturn]] static void too_deep(const YAML::Mark& mark) {
        refuse(mark, fmt::format("the file is nested deeper than {} levels", k_max_depth));
    }

    bool is_key() const { return !frames_.empty() && frames_.back().map && !frames_.back().key; }

    static Value typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
        if (tag == "?") {
            return plain(mark, text);
        }
        if (tag == "!" || tag == fmt::format("{}str", k_standard_tag)) {
            return text;
        }
        const Value value = plain(mark, text);
        const std::string_view kind = std::string_view(tag).starts_with(k_standard_tag)
                                          ? std::string_view(tag).substr(k_standard_tag.size())
                                          : std::string_view();
        if (kind == "float" && value.is_int()) {
            return value.as_float();
        }
        if (kind != value.type_name() || value.is_string()) {
            const bool known = kind == "int" || kind == "float" || kind == "bool" || kind == "null";
            refuse(mark, known ? fmt::format("{} is no {}", printable(text.substr(0, 60)), kind)
                               : fmt::format("the tag '{}' is not known", printable(tag)));
        }
        return value;
    }

    void scalar(const YAML::Mark& mark, YAML::anchor_t anchor, Value value, const std::string& text) {
        Measured made{std::move(value), 0, 1 + text.size()};
        if (anchor != 0) {
            anchors_.insert_or_assign(anchor, made);
        }
        const bool can_be_key = !made.value.is_null();
        add(mark, made, text, can_be_key);
    }

    /// @param text the value as a key, where it can be one
    void add(const YAML::Mark& mark, const Measured& made, const std::string& text, bool can_be_key) {
        if (frames_.empty()) {
            result_ = made.value;
            return;
        }
        if (is_key()) {
            return take_key(mark, text, can_be_key);
        }
        Frame& frame = frames_.back();
        frame.depth = std::max(frame.depth, made.depth + 1);
        frame.weight += made.weight;
        if (!frame.map) {
            frame.items.push_back(made.value);
            return;
        }
        frame.weight += frame.key->size();
        frame.members.insert_or_assign(std::move(*frame.key), made.value);
        frame.key.reset();
    }

    void take_key(const YAML::Mark& mark, const std::string& text, bool can_be_key) {
        if (!can_be_key) {
            refuse(mark, "a key must be a text or a number", "put it in quotes");
        }
        Frame& frame = frames_.back();
        if (frame.members.contains(text)) {
            refuse(mark, fmt::format("the key '{}' is given twice", printable(text.substr(0, 60))),
                   "keep one of the two");
        }
        frame.key = text;
    }

    void open(const YAML::Mark& mark, const std::string& tag, std::string_view kind, YAML::anchor_t anchor,
              bool map) {
        if (tag != "?" && tag != "!" && tag != fmt::format("{}{}", k_standard_tag, kind)) {
            refuse(mark, fmt::format("the tag '{}' is not known", printable(tag)));
        }
        if (is_key()) {
            refuse(mark, fmt::format("a {} cannot be a key", map ? "map" : "list"), "keys are texts");
        }
        if (frames_.size() >= k_max_depth) {
            too_deep(mark);
        }
        frames_.push_back({.mark = mark, .anchor = anchor, .map = map});
    }

    static Value value_of(Frame& frame) {
        if (frame.map) {
            return std::move(frame.members);
        }
        return std::move(frame.items);
    }

    void close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        const Measured made{value_of(frame), frame.depth, frame.weight};
        if (frame.anchor != 0) {
            anchors_.insert_or_assign(frame.anchor, made);
        }
        add(frame.mark, made, {}, false);
    }

    int documents_ = 0;
    std::size_t aliased_ = 0;
    std::vector<Frame> frames_;  ///< the open lists and maps, outermost first
    std::map<YAML::anchor_t, Measured> anchors_;
    Value result_;
};

Value parse(std::string_view text) {
    if (text.size() > k_max_bytes) {
        throw Mistake{
            {},
            fmt::format("the file has {}, more than the 8 MiB that are read", format_size(text.size())),
            "keep large data in a file of its own, and its path here"};
    }
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
        throw Mistake{{}, "the file is no text in UTF-8", "save it as UTF-8"};
    }
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.result();
}

}  // namespace

std::optional<Value> parse_yaml(std::string_view text, Diagnostics& diagnostics) {
    try {
        return parse(text);
    } catch (const Mistake& mistake) {
        diagnostics.error("AMP1515", mistake.place, mistake.message, mistake.hint);
    } catch (const YAML::Exception& mistake) {
        diagnostics.error("AMP1515", place_of(mistake.mark),
                          "the file is no valid YAML: " + printable(mistake.msg));
    }
    return std::nullopt;
}

}  // namespace amp
