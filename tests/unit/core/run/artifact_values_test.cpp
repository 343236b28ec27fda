#include "core/run/artifact_values.hpp"

#include <doctest/doctest.h>

#include "core/package/manifest.hpp"
#include "core/store/far_notes.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"
#include "tests/support/memory_append_files.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

OpenStore memory_store() {
    OpenStore store;
    store.objects = std::make_unique<MemoryStore>();
    return store;
}

Artifact stored(const OpenStore& store, Artifact::Kind kind, const std::string& content,
                std::uint64_t size_bytes) {
    Artifact artifact;
    artifact.kind = kind;
    artifact.sha256 = Objects(*store.objects).put(content).sha256;
    artifact.size_bytes = size_bytes;
    return artifact;
}

AttemptResult result_with(const Artifact& artifact) {
    AttemptResult result;
    result.artifacts.emplace("made", artifact);
    return result;
}

void remove_object(const OpenStore& store, const std::string& sha256) {
    store.objects->remove(layout::object(sha256, false));
    store.objects->remove(layout::object(sha256, true));
}

}  // namespace

TEST_CASE("a file is present when its object is, whole") {
    const OpenStore store = memory_store();
    const Artifact file = stored(store, Artifact::Kind::file, "content", 7);
    CHECK(objects_present(store, result_with(file)));
    store.objects->put(layout::object(file.sha256, false), "cont");
    CHECK_FALSE(objects_present(store, result_with(file)));
    remove_object(store, file.sha256);
    CHECK_FALSE(objects_present(store, result_with(file)));
}

TEST_CASE("a folder is present when its manifest and all its files are") {
    const OpenStore store = memory_store();
    const Artifact inner = stored(store, Artifact::Kind::file, "x\n", 2);
    Manifest manifest;
    manifest.entries.push_back({ManifestEntry::Kind::folder, "empty", false, "", 0, ""});
    manifest.entries.push_back({ManifestEntry::Kind::link, "link", false, "x", 0, ""});
    manifest.entries.push_back({ManifestEntry::Kind::file, "x", false, "", 2, inner.sha256});
    const Artifact folder =
        stored(store, Artifact::Kind::folder, manifest_text(manifest), manifest.total_bytes());
    CHECK(objects_present(store, result_with(folder)));
    remove_object(store, inner.sha256);
    CHECK_FALSE(objects_present(store, result_with(folder)));
    Objects(*store.objects).put("x\n");
    CHECK(objects_present(store, result_with(folder)));
    remove_object(store, folder.sha256);
    CHECK_FALSE(objects_present(store, result_with(folder)));
}

TEST_CASE("a value in a pack is present when its piece is, whole") {
    OpenStore store = memory_store();
    auto files = std::make_unique<MemoryAppendFiles>();
    MemoryAppendFiles& disk = *files;
    store.files = std::move(files);
    Artifact value;
    {
        PackWriter packs(disk, "261120-081530-k3fx", 1);
        const LogPiece piece = packs.append({"a", {}}, 1, "value", "\"text\"", Timestamp{});
        value.pack = piece.pack;
        value.pack_offset = piece.offset;
        value.size_bytes = piece.length;
    }
    CHECK(objects_present(store, result_with(value)));
    disk.power_cut(10);
    CHECK_FALSE(objects_present(store, result_with(value)));
    disk.power_cut();
    CHECK_FALSE(objects_present(store, result_with(value)));
}

TEST_CASE("a value in line needs no object") {
    Artifact value;
    value.value = Value(1);
    CHECK(objects_present(memory_store(), result_with(value)));
}

TEST_CASE("what stayed on another machine is present, until that is forgotten") {
    const OpenStore store = memory_store();
    const Artifact file = stored(store, Artifact::Kind::file, "content", 7);
    remove_object(store, file.sha256);
    note_far(*store.objects, {file, {"box", "ssh", "box", "", "id"}});
    CHECK(objects_present(store, result_with(file)));
    forget_far(*store.objects, file.sha256);
    CHECK_FALSE(objects_present(store, result_with(file)));
}
