#pragma once

#include <string>
#include <vector>

namespace amp {

/// The descriptor on which what was started apart gives its answer.
inline constexpr int k_answer_fd = 3;

/// Starts our own binary again, as a process that outlives us, our terminal and whoever waits for us: in a
/// session of its own, with signals at their defaults and no descriptor of ours. It reads `input` from its
/// standard input; what it prints is appended to the file `log` (0600).
/// @return what it writes to k_answer_fd before it closes that; "" when it died without a word
/// @throws Error(infrastructure) when it cannot be started
std::string start_apart(const std::vector<std::string>& arguments, const std::string& input,
                        const std::string& log);

}  // namespace amp
