#include "core/store/far_notes.hpp"

#include <doctest/doctest.h>

#include "core/base/hash.hpp"
#include "core/package/manifest.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/sealed.hpp"
#include "tests/support/memory_store.hpp"

using namespace amp;
using namespace amp::test;

namespace {

const FarPlace k_box{"box", "ssh", "me@box", "/scratch/me", "store-1"};

Artifact file(const std::string& text) {
    return {Artifact::Kind::file, {}, sha256_hex(text), text.size(), {}, 0};
}

}  // namespace

TEST_CASE("a note says where an artifact is, until it is forgotten") {
    MemoryStore store;
    const Artifact model = file("model");
    CHECK_FALSE(read_far_note(store, model.sha256));
    note_far(store, {model, k_box});
    const auto note = read_far_note(store, model.sha256);
    REQUIRE(note);
    CHECK(note->artifact == model);
    CHECK(note->place == k_box);
    CHECK(list_far(store) == std::vector{model.sha256});
    FarPlace other = k_box;
    other.host = "other";
    note_far(store, {model, other});
    CHECK(read_far_note(store, model.sha256)->place.host == "other");
    forget_far(store, model.sha256);
    CHECK_FALSE(read_far_note(store, model.sha256));
    CHECK(list_far(store).empty());
}

TEST_CASE("a note that cannot be read is none") {
    MemoryStore store;
    const Artifact model = file("model");
    note_far(store, {model, k_box});
    std::string text = store.get(layout::far_note(model.sha256))->bytes;
    text.replace(text.find("scratch"), 7, "Scratch");
    store.put(layout::far_note(model.sha256), text);
    CHECK_FALSE(read_far_note(store, model.sha256));
    store.put(layout::far_note(model.sha256), seal(Object{{"schema", 2}, {"host", "box"}}));
    CHECK_FALSE(read_far_note(store, model.sha256));
    note_far(store, {model, k_box});
    CHECK(read_far_note(store, model.sha256));
}

TEST_CASE("what is here is not elsewhere, whatever a note says") {
    MemoryStore store;
    const Artifact model = file("model");
    CHECK_FALSE(find_far(store, model));
    note_far(store, {model, k_box});
    CHECK(find_far(store, model));
    Artifact value = model;
    value.kind = Artifact::Kind::value;
    CHECK_FALSE(find_far(store, value));
    Objects(store).put("model");
    CHECK(is_here(store, model));
    CHECK_FALSE(find_far(store, model));
}

TEST_CASE("a folder is here when its manifest and all its files are") {
    MemoryStore store;
    const Artifact inner = file("inner");
    Manifest manifest;
    manifest.entries = {{ManifestEntry::Kind::file, "f", false, "", inner.size_bytes, inner.sha256},
                        {ManifestEntry::Kind::link, "l", false, "f", 0, ""}};
    const std::string text = manifest_text(manifest);
    const Artifact folder{Artifact::Kind::folder, {}, sha256_hex(text), inner.size_bytes, {}, 0};
    note_far(store, {folder, k_box});
    CHECK(read_far_note(store, folder.sha256)->artifact == folder);
    CHECK(find_far(store, folder));
    Objects(store).put(text);
    CHECK(find_far(store, folder));
    Objects(store).put("inner");
    CHECK_FALSE(find_far(store, folder));
}

TEST_CASE("a place is the same whatever it is called") {
    FarPlace other = k_box;
    other.profile = "gpu";
    other.store.clear();
    CHECK(other.same_place(k_box));
    CHECK_FALSE(other == k_box);
    other.root = "/scratch/you";
    CHECK_FALSE(other.same_place(k_box));
}
