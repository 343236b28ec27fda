#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/far_fetch.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Artifacts that stayed on another machine (backends/ssh/README.md): far/SHA256, by the hash of the file or
/// of the folder's manifest. Their objects are not here, or not all of them.
struct FarNote {
    Artifact artifact;  ///< a file or folder: kind, hash and size
    FarPlace place;
};

/// Says where it is; durable on return. A note of another place is replaced.
void note_far(ObjectStore& store, const FarNote& note);
/// nullopt: there is none, or it cannot be read.
std::optional<FarNote> read_far_note(ObjectStore& store, std::string_view sha256);
/// Its artifact is here, or not there any more.
void forget_far(ObjectStore& store, std::string_view sha256);
/// The hashes of all that is noted.
std::vector<std::string> list_far(ObjectStore& store);

/// Are all objects of a file or folder artifact here, and not cut short?
bool is_here(ObjectStore& store, const Artifact& artifact);
/// Where it is, if that is not here.
std::optional<FarNote> find_far(ObjectStore& store, const Artifact& artifact);

}  // namespace amp
