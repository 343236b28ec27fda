#pragma once

#include "core/base/value.hpp"

namespace amp {

/// The Python environments of a run's steps, as they are locked. @param record run.json
List environments_document(const Value& record);

}  // namespace amp
