#pragma once

#include <cstdint>
#include <string>

#include "core/ports/object_store.hpp"

namespace amp {

/// In a store that knows a run only by what a driver elsewhere sends: makes the epoch of its lease at least
/// `epoch`, for keepers there to see.
/// @return what stands there then: higher where a later driver was here
std::uint32_t raise_lease(ObjectStore& store, const std::string& run, std::uint32_t epoch);

}  // namespace amp
