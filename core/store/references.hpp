#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Which objects the records of a store name. On the careful side: whatever looks like a SHA-256 in any
/// record counts, also where the record is damaged, torn off, or was fenced off.
struct References {
    std::unordered_set<std::string> objects;  ///< 64 hexadecimal digits each

    bool contains(std::string_view object_key) const;
};

/// Reads all runs, the results that are kept for later runs, and what lies in quarantine; then the manifests
/// of folders that they name.
References find_references(ObjectStore& store, AppendFiles& files);

/// The hash that the key of an object stands for; "" for other keys.
std::string hash_of_object(std::string_view key);

/// What is named in `bytes`: `each` gets a hash, and whether it may be that of a folder's manifest.
void scan_references(std::string_view bytes, const std::function<void(std::string_view, bool)>& each);

}  // namespace amp
