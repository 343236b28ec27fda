#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/object_store.hpp"

namespace amp {

/// What an object was stored as.
struct ObjectInfo {
    std::string sha256;  ///< of the plain content
    std::uint64_t size_bytes = 0;
};

/// Content-addressed bytes: objects/ab/<62 hex>, raw, or zstd (".zst") where the first MiB shrinks by 10 %.
/// Reading always re-hashes. Puts are Durability::later: call ObjectStore::sync_pending before a record names
/// them.
class Objects {
  public:
    explicit Objects(ObjectStore& store) : store_(store) {}

    ObjectInfo put(std::string_view bytes);
    /// Bounded memory: the file is read once to hash and once to store, in pieces where the store allows it.
    /// @throws Error(not_found) when the file is gone, Error(mismatch) when it changes meanwhile
    ObjectInfo put_file(const std::string& path);

    /// @throws Error(not_found), or Error(mismatch) when the stored bytes do not hash to `sha256`
    std::string get(std::string_view sha256);
    /// The same in pieces, in bounded memory; a damage shows only at the end. @throws as get
    void read(std::string_view sha256, const std::function<void(std::string_view)>& each);
    /// Writes the verified content to a new file at `path`, mode 0444. @throws as get
    void get_to_file(std::string_view sha256, const std::string& path);
    /// Present and not cut short: of the given plain size where it is raw, and of whole frames where it is
    /// compressed. Does not read the content.
    bool contains(std::string_view sha256, std::uint64_t size_bytes);

  private:
    ObjectStore& store_;
};

/// What is wrong with the bytes of an object; nullopt when they are sound, or not there.
std::optional<std::string> find_damage(ObjectStore& store, std::string_view sha256, bool compressed);

}  // namespace amp
