#pragma once

#include "core/ports/clock.hpp"

namespace amp::test {

/// A clock that stands still until told otherwise.
class FakeClock : public Clock {
  public:
    explicit FakeClock(Timestamp start = {1'793'174'400'000}) : now_(start) {}  // 2026-10-28T08:00:00Z

    Timestamp now() override { return now_; }
    double steady_seconds() override { return steady_; }

    /// Time goes by.
    void advance(double seconds) {
        now_ = now_.plus_seconds(seconds);
        steady_ += seconds;
    }
    /// The time of day is set, forwards or backwards; no time goes by.
    void jump(double seconds) { now_ = now_.plus_seconds(seconds); }

  private:
    Timestamp now_;
    double steady_ = 1000;
};

}  // namespace amp::test
