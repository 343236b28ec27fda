#include "core/base/near.hpp"

#include "core/base/text.hpp"

namespace amp {

std::string near_hint(std::string_view word, std::span<const std::string> candidates,
                      std::string_view otherwise) {
    const auto near = did_you_mean(word, candidates);
    return near ? "did you mean '" + printable(*near) + "'?" : std::string(otherwise);
}

}  // namespace amp
