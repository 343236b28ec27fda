#include "core/flow/model.hpp"

#include <algorithm>

namespace amp {

const Step* Flow::find(std::string_view step) const {
    const auto it = std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.name == step; });
    return it == steps.end() ? nullptr : &*it;
}

}  // namespace amp
