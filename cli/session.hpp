#pragma once

#include "cli/common.hpp"
#include "cli/output.hpp"
#include "core/base/error.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

/// What a command works with: the world, where to print, and what was asked of every command.
struct Session {
    Services& services;
    Output& out;
    const CommonOptions& common;

    Project project() const { return find_project(services, common.overrides, common.profile); }
};

}  // namespace amp
