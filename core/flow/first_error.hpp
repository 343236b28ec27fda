#pragma once

#include "core/flow/diagnostic.hpp"

namespace amp {

/// The first that is an error, in the order in which people read them. Call where there is one: has_errors().
Diagnostic first_error(const Diagnostics& diagnostics);

}  // namespace amp
