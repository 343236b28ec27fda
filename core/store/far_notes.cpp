#include "core/store/far_notes.hpp"

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/package/manifest.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/sealed.hpp"

namespace amp {
namespace {

constexpr int k_schema = 1;

bool folder_is_here(Objects& objects, const std::string& sha256) {
    try {
        const Manifest manifest = manifest_from(objects.get(sha256));
        return std::all_of(manifest.entries.begin(), manifest.entries.end(), [&](const ManifestEntry& entry) {
            return entry.kind != ManifestEntry::Kind::file ||
                   objects.contains(entry.sha256, entry.size_bytes);
        });
    } catch (const Error& error) {
        if (error.code() == ExitCode::not_found || error.code() == ExitCode::mismatch) {
            return false;
        }
        throw;
    }
}

}  // namespace

void note_far(ObjectStore& store, const FarNote& note) {
    const std::string text = seal(Object{{"schema", k_schema},
                                         {"profile", note.place.profile},
                                         {"backend", note.place.backend},
                                         {"host", note.place.host},
                                         {"root", note.place.root},
                                         {"store", note.place.store},
                                         {"folder", note.artifact.kind == Artifact::Kind::folder},
                                         {"size_bytes", note.artifact.size_bytes}});
    const std::string key = layout::far_note(note.artifact.sha256);
    const auto known = store.get(key);
    if (!known || known->bytes != text) {
        store.put(key, text);
    }
}

std::optional<FarNote> read_far_note(ObjectStore& store, std::string_view sha256) {
    const std::string key = layout::far_note(sha256);
    const auto stored = store.get(key);
    if (!stored) {
        return std::nullopt;
    }
    try {
        const Value value = unseal(stored->bytes, key);
        if (get_int(value, "schema") > k_schema) {
            return std::nullopt;
        }
        Artifact artifact;
        artifact.kind = get_bool(value, "folder") ? Artifact::Kind::folder : Artifact::Kind::file;
        artifact.sha256 = std::string(sha256);
        artifact.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
        return FarNote{std::move(artifact),
                       {get_string(value, "profile"), get_string(value, "backend"), get_string(value, "host"),
                        get_string(value, "root"), get_string(value, "store")}};
    } catch (const Error& error) {
        if (error.code() != ExitCode::mismatch) {
            throw;
        }
        return std::nullopt;
    }
}

void forget_far(ObjectStore& store, std::string_view sha256) {
    store.remove(layout::far_note(sha256));
}

std::vector<std::string> list_far(ObjectStore& store) {
    std::vector<std::string> hashes =
        store.list_after(layout::k_far, {}, std::numeric_limits<std::size_t>::max());
    for (std::string& key : hashes) {
        key.erase(0, layout::k_far.size());
    }
    return hashes;
}

bool is_here(ObjectStore& store, const Artifact& artifact) {
    Objects objects(store);
    return artifact.kind == Artifact::Kind::folder ? folder_is_here(objects, artifact.sha256)
                                                   : objects.contains(artifact.sha256, artifact.size_bytes);
}

std::optional<FarNote> find_far(ObjectStore& store, const Artifact& artifact) {
    if (artifact.kind == Artifact::Kind::value) {
        return std::nullopt;
    }
    auto note = read_far_note(store, artifact.sha256);
    return note && !is_here(store, artifact) ? std::move(note) : std::nullopt;
}

}  // namespace amp
