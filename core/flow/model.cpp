#include "core/flow/model.hpp"

#include <algorithm>

namespace amp {

const Step* Flow::find(std::string_view step) const {
    const auto it = std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.name == step; });
    return it == steps.end() ? nullptr : &*it;
}

Place Step::place_of(std::string_view key) const {
    const auto it =
        std::find_if(key_places.begin(), key_places.end(), [&](const auto& k) { return k.first == key; });
    return it == key_places.end() ? place : it->second;
}

bool Step::is_broken(std::string_view key) const {
    return broken && std::find(broken->keys.begin(), broken->keys.end(), key) != broken->keys.end();
}

}  // namespace amp
