#include "core/run/artifact_values.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"

namespace amp {

Value read_artifact_value(const OpenStore& store, const Artifact& artifact) {
    if (artifact.value) {
        return *artifact.value;
    }
    if (!artifact.pack.empty()) {
        return json::parse(
            read_piece(*store.files, LogPiece{artifact.pack, artifact.pack_offset, artifact.size_bytes}),
            artifact.pack);
    }
    return json::parse(Objects(*store.objects).get(artifact.sha256), "object " + artifact.sha256);
}

bool objects_present(const OpenStore& store, const AttemptResult& result) {
    return std::all_of(result.artifacts.begin(), result.artifacts.end(), [&](const auto& named) {
        const Artifact& a = named.second;
        const bool in_objects = !a.value && a.pack.empty();
        return !in_objects || Objects(*store.objects).contains(a.sha256, a.size_bytes);
    });
}

}  // namespace amp
