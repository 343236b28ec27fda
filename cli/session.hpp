#pragma once

#include <string>

#include "cli/common.hpp"
#include "cli/output.hpp"
#include "core/base/error.hpp"
#include "core/run/project.hpp"
#include "core/run/reference.hpp"
#include "core/run/services.hpp"
#include "core/store/store.hpp"

namespace amp {

/// What a command works with: the world, where to print, and what was asked of every command.
struct Session {
    Services& services;
    Output& out;
    const CommonOptions& common;

    Project project() const { return find_project(services, common.overrides, common.profile); }
    /// The id of the run that a person means (core/run/reference.hpp). @throws Error(usage),
    /// Error(not_found)
    std::string resolve(const Project& project, const std::string& reference) const {
        return resolve_run(*services.open_store(project.store_folder, false).objects, reference);
    }
};

}  // namespace amp
