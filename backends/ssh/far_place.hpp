#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/backend.hpp"

namespace amp {

/// What the far end of an `amp shell` is called with, behind the root.
inline constexpr std::string_view k_enter_place = "enter-place";

/// Which place is entered there, and what for.
struct PlaceRequest {
    std::string run;
    AttemptId id;
    std::string command;  ///< what the shell is to do; empty: its user says
    std::string marker;   ///< printed to stderr behind an exit of 255, which ssh has for itself; empty: not
    std::size_t words_before = 0;  ///< of the spec's, in front of the task's own
};
std::string encode(const PlaceRequest& request);
/// @throws Error(mismatch)
PlaceRequest place_request_from(std::string_view text);

/// `amp enter-place ROOT REQUEST`, REQUEST in hexadecimal digits: a shell in a place that a keeper holds on
/// this machine, at our standard streams. @return what the shell exits with
/// @throws Error(not_found) when none is held (any more)
int enter_place_main(const std::vector<std::string>& arguments);

}  // namespace amp
