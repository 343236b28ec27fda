#pragma once

#include <set>
#include <string>

#include "core/flow/model.hpp"

namespace amp {

/// What a step's own text mentions of the run's record; worked out once a step.
struct StepUses {
    std::set<std::string> params;  ///< declared or mentioned
    std::set<std::string> config;  ///< files mentioned
    std::set<std::string> env;     ///< variables mentioned
};
StepUses uses_of(const Step& step, const Flow& flow);
/// All variables of the environment that a flow's expressions mention.
std::set<std::string> environment_uses(const Flow& flow);

}  // namespace amp
