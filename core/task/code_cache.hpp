#pragma once

#include <optional>
#include <string>

#include "core/base/unique_fd.hpp"
#include "core/package/code_manifest.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

/// Code that lies in a folder of a CodeCache, and stays there as long as this does.
struct LaidCode {
    std::string folder;
    UniqueFd in_use;
};

/// The code of runs on a node, laid once for all tasks of a user: FOLDER/HASH, read-only files, verified,
/// durable, and there as a whole or not at all. Whoever needs it first lays it, out of the store's objects;
/// others wait, and who comes later finds it by a look at one folder. With each code that is laid, those go
/// that nothing has used for 30 days.
class CodeCache {
  public:
    /// @param shared do tasks work in the folders themselves, and so may write new files there?
    explicit CodeCache(std::string folder, bool shared = false);

    /// nullopt: it is not there.
    std::optional<LaidCode> find(const std::string& hash) const;
    /// Finds it, or lays it. @throws Error(not_found) when a content was not kept; Error(mismatch) when one
    /// is damaged, or the list of code is not what its hash says, or would not lie within a folder
    LaidCode lay(ObjectStore& store, const CodeManifest& code) const;

  private:
    void fill(ObjectStore& store, const CodeManifest& code) const;
    void prune() const;
    std::string place_of(const std::string& hash) const { return folder_ + "/" + hash; }

    std::string folder_;
    bool shared_;
};

}  // namespace amp
