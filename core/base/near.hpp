#pragma once

#include <span>
#include <string>
#include <string_view>

namespace amp {

/// "did you mean 'train'?" where one of `candidates` is near to `word` (did_you_mean() of text.hpp), else
/// `otherwise`: the hint of errors about names.
std::string near_hint(std::string_view word, std::span<const std::string> candidates,
                      std::string_view otherwise = {});

}  // namespace amp
