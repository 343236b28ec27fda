#pragma once

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp version`.
struct VersionCommand {};

ExitCode execute(Session& session, const VersionCommand& command);

}  // namespace amp
