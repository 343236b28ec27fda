#pragma once

#include <string>

#include "backends/system/spawn.hpp"

namespace amp {

/// Why a program was not started, as a shell would put it: exit 126 or 127, and words for people.
struct SpawnFailure {
    int exit = 0;
    std::string message;
};

SpawnFailure spawn_failure(const std::string& program, const std::string& cwd, const SpawnOutcome& outcome);

/// It is not in PATH; `unusable` is what is there but cannot be executed, if anything.
SpawnFailure not_found(const std::string& name, const std::string& unusable);

}  // namespace amp
