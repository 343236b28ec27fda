#include "core/store/tags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"
#include "core/store/sealed.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;
constexpr int k_attempts = 100;
constexpr std::size_t k_max_bytes = 128;

std::string to_json(const Tag& tag) {
    List history;
    for (const TagChange& change : tag.history) {
        history.push_back(
            Object{{"added", change.added}, {"user", change.user}, {"at", format_time(change.at)}});
    }
    return seal(Object{{"schema", k_schema}, {"tag", tag.name}, {"history", std::move(history)}});
}

Tag from_json(std::string_view text, const std::string& key) {
    const Value value = unseal(text, key);
    if (get_int(value, "schema") > k_schema) {
        throw Error(ExitCode::invalid, fmt::format("'{}' was written by a newer amp", key), key,
                    "use that amp");
    }
    Tag tag{get_string(value, "tag"), {}};
    for (const Value& change : get_list(value, "history")) {
        tag.history.push_back({get_bool(change, "added"), get_string(change, "user"),
                               parse_time(get_string(change, "at")).value_or(Timestamp{})});
    }
    return tag;
}

}  // namespace

void check_tag_name(const std::string& name) {
    const bool control =
        std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    const bool slash = name.find('/') != std::string::npos;  // it ends the tag in @TAG/STEP
    if (name.empty() || name.size() > k_max_bytes || control || slash || !is_utf8(name)) {
        throw Error(ExitCode::usage, fmt::format("'{}' cannot be a tag", printable(name)), {},
                    "a tag is 1 to 128 bytes of UTF-8 without control characters and '/'");
    }
}

bool set_tag(ObjectStore& store, const std::string& run, const std::string& name, bool on,
             const std::string& user, Timestamp at) {
    check_tag_name(name);
    const std::string key = layout::tag(run, name);
    for (int attempt = 0; attempt < k_attempts; ++attempt) {
        const std::optional<Stored> before = store.get(key);
        Tag tag = before ? from_json(before->bytes, key) : Tag{name, {}};
        if (tag.active() == on) {
            return false;
        }
        tag.history.push_back({on, user, at});
        const std::string bytes = to_json(tag);
        const PutResult result =
            before ? store.compare_and_swap(key, bytes, before->version) : store.put_if_absent(key, bytes);
        if (result == PutResult::stored) {
            return true;
        }
    }
    throw Error(ExitCode::busy, fmt::format("others keep changing tag '{}' of run {}", name, run), run,
                "try again");
}

std::vector<Tag> read_tags(ObjectStore& store, const std::string& run) {
    std::vector<Tag> tags;
    for (const std::string& key :
         store.list_after(layout::tag_prefix(run), {}, std::numeric_limits<std::size_t>::max())) {
        if (const std::optional<Stored> stored = store.get(key)) {
            tags.push_back(from_json(stored->bytes, key));
        }
    }
    std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) { return a.name < b.name; });
    return tags;
}

std::vector<std::string> active_tags(ObjectStore& store, const std::string& run) {
    std::vector<std::string> names;
    for (const Tag& tag : read_tags(store, run)) {
        if (tag.active()) {
            names.push_back(tag.name);
        }
    }
    return names;
}

}  // namespace amp
