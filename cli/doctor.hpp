#pragma once

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp doctor`: looks for what would make runs fail here.
struct DoctorCommand {};

ExitCode execute(Session& session, const DoctorCommand& command);

}  // namespace amp
