#include "core/run/artifact_values.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"

namespace amp {

Value read_artifact_value(const OpenStore& store, const Artifact& artifact) {
    if (artifact.value) {
        return *artifact.value;
    }
    if (!artifact.pack.empty()) {
        return json::parse(read_piece(*store.files, LogPiece{artifact.pack, artifact.pack_offset,
                                                             artifact.size_bytes, artifact.sha256}),
                           artifact.pack);
    }
    return json::parse(Objects(*store.objects).get(artifact.sha256), "object " + artifact.sha256);
}

namespace {

/// A journal can reach the disk before the keeper's packs do.
bool piece_present(AppendFiles& files, const LogPiece& piece, const PackLengths& accepted) {
    try {
        read_piece(files, piece, accepted);
        return true;
    } catch (const Error& error) {
        if (error.code() == ExitCode::not_found || error.code() == ExitCode::mismatch) {
            return false;
        }
        throw;
    }
}

}  // namespace

bool artifact_present(const OpenStore& store, const Artifact& artifact, const PackLengths& accepted) {
    if (artifact.kind != Artifact::Kind::folder && artifact.value) {
        return true;
    }
    if (artifact.kind != Artifact::Kind::folder && !artifact.pack.empty()) {
        return piece_present(*store.files,
                             {artifact.pack, artifact.pack_offset, artifact.size_bytes, artifact.sha256},
                             accepted);
    }
    return is_here(*store.objects, artifact) || read_far_note(*store.objects, artifact.sha256);
}

bool take_out_of_packs(const OpenStore& store, std::map<std::string, Artifact>& artifacts) {
    bool wrote = false;
    for (auto& [name, artifact] : artifacts) {
        if (!artifact.pack.empty()) {
            const ObjectInfo object =
                Objects(*store.objects).put(json::dump(read_artifact_value(store, artifact)));
            artifact.pack.clear();
            artifact.pack_offset = 0;
            artifact.sha256 = object.sha256;
            artifact.size_bytes = object.size_bytes;
            wrote = true;
        }
    }
    return wrote;
}

bool objects_present(const OpenStore& store, const AttemptResult& result, const PackLengths& accepted) {
    return std::all_of(result.artifacts.begin(), result.artifacts.end(),
                       [&](const auto& named) { return artifact_present(store, named.second, accepted); });
}

}  // namespace amp
