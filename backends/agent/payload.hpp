#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/value.hpp"

/// What the messages of this folder have in common; of no use outside of it.
namespace amp::agent {

/// Frames are kept well below the limit, so that neither side holds much at once.
inline constexpr std::size_t k_good_frame = std::size_t{1} << 20;

/// @throws Error(mismatch) when it is no JSON object
inline Value parse_object(std::string_view payload) {
    Value value = json::parse_record(payload, "a message");
    if (!value.is_object()) {
        throw Error(ExitCode::mismatch, "a message is no object");
    }
    return value;
}

/// @throws Error(mismatch) when the other side speaks another one than ours
inline void check_protocol(const Value& value, int ours) {
    if (get_int(value, "protocol") != ours) {
        throw Error(ExitCode::mismatch, fmt::format("the other side speaks protocol {}, this amp speaks {}",
                                                    get_int(value, "protocol"), ours));
    }
}

}  // namespace amp::agent
