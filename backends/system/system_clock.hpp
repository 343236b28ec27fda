#pragma once

#include "core/ports/clock.hpp"

namespace amp {

/// The machine's clocks: CLOCK_REALTIME and CLOCK_MONOTONIC.
class SystemClock : public Clock {
  public:
    Timestamp now() override;
    double steady_seconds() override;
};

}  // namespace amp
