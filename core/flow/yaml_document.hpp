#pragma once

#include <optional>
#include <string_view>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"

namespace amp {

/// Reads a YAML text of at most 8 MiB with one document, as YAML 1.2's core schema has it: null, true and
/// false, whole numbers and floats are what they look like; `yes`, `no`, `on`, `off`, dates and whatever
/// stands in quotes are texts. Keys are texts as written, each once in its map. Anchors and aliases are
/// followed as far as the result stays small; merge keys (`<<`) and tags of one's own are refused. An empty
/// text is null.
/// @return nullopt after telling the first mistake as AMP1515 with its place. Never throws, whatever the
/// bytes
std::optional<Value> parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace amp
