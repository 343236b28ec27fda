#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/base/value.hpp"
#include "core/python/tree.hpp"

namespace amp::python {

/// The value of an expression that is written out: see SourceValue. nullopt where Python has to compute it,
/// or where amp has no such value (bytes, sets, integers of more than 64 bits, keys that are no texts). A
/// name of `constants` that is a text, a number or the like stands for that.
using Constants = std::unordered_map<std::string_view, Value>;
std::optional<Value> literal_value(const Tree& tree, NodeId id, const Constants& constants = {});

}  // namespace amp::python
