#pragma once

#include "core/base/time.hpp"

namespace amp {

/// The time. `now` may jump; `steady_seconds` never goes back and is what waits are measured with.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp now() = 0;
    virtual double steady_seconds() = 0;
};

}  // namespace amp
