#pragma once

#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

struct TagChange {
    bool added = true;
    std::string user;
    Timestamp at;
};

/// A tag of a run with its history; the last change says whether it is on.
struct Tag {
    std::string name;
    std::vector<TagChange> history;
    bool active() const { return !history.empty() && history.back().added; }
};

/// A tag is 1 to 128 bytes of UTF-8 without control characters and '/'. @throws Error(usage) otherwise
void check_tag_name(const std::string& name);

/// Durable on return; compare-and-swap, retried while others write. @throws as check_tag_name.
/// False when there was nothing to change.
bool set_tag(ObjectStore& store, const std::string& run, const std::string& name, bool on,
             const std::string& user, Timestamp at);
std::vector<Tag> read_tags(ObjectStore& store, const std::string& run);
/// The names of those that are on, sorted.
std::vector<std::string> active_tags(ObjectStore& store, const std::string& run);

}  // namespace amp
