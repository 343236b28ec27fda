#pragma once

#include <string>
#include <string_view>

#include "core/base/value.hpp"

namespace amp {

struct YamlScalar {
    Value value;
    std::string mistake;  ///< why it is no value; empty: it is one
};
/// What an unquoted text stands for in YAML 1.2's core schema.
YamlScalar read_plain_yaml(std::string_view text);

}  // namespace amp
