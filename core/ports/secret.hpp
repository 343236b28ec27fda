#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/value.hpp"

namespace amp {

/// A value that stands in no argument, file, record or message, with the name that is shown instead.
struct Secret {
    std::string key;   ///< where it comes from, as specs refer to it: "env:TOKEN", "param:token"
    std::string name;  ///< what is shown instead: `***NAME***`
    std::string value;
};

/// For messages to processes of ours, over pipes and sockets that nobody else reads; never for a record. A
/// value may be any bytes.
Value to_value(std::span<const Secret> secrets);
/// @throws Error(mismatch) when they are none
std::vector<Secret> to_secrets(const Value& value);

}  // namespace amp
