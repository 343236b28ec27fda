#pragma once

#include <string>

#include "core/package/code_manifest.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Lays code at FOLDER/HASH, whole and durable or not at all; nothing when it lies there.
/// @throws Error when it cannot be laid
void lay_code_at(ObjectStore& store, const CodeManifest& code, const std::string& folder,
                 const std::string& hash);

}  // namespace amp
