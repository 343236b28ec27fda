#pragma once

#include <string>
#include <string_view>

#include "core/base/value.hpp"

namespace amp {

/// A record of its own (run.json, a lease, a tag …) with a checksum in it, so that a damage is seen by
/// whoever reads it: canonical JSON whose last member, "~sha256", is the SHA-256 of all the others as JSON.
std::string seal(const Value& object);
/// What seal took. A record without a checksum, as older versions wrote them, is taken as it is.
/// @throws Error(mismatch) naming `key` and `amp fsck` when it is damaged
Value unseal(std::string_view text, const std::string& key);

}  // namespace amp
