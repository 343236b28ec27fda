#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace amp {

/// How fast tasks end, learnt from those that did; the latest count most.
class Pace {
  public:
    void start(double now) { last_ = last_ < 0 ? now : last_; }
    void end(double now, double took_s) {
        constexpr double k_keep = 0.98;  // the last 50 or so
        start(now - took_s);
        tasks_ = tasks_ * k_keep + 1;
        work_s_ = work_s_ * k_keep + took_s;
        wall_s_ = wall_s_ * k_keep + std::max(0.0, now - last_);
        last_ = now;
    }
    bool known() const { return tasks_ > 0 && wall_s_ > 0; }
    /// Tasks a second; 0: unknown.
    double rate() const { return known() ? tasks_ / wall_s_ : 0; }
    /// What a task takes.
    double each_s() const { return known() ? work_s_ / tasks_ : 0; }

    /// The seconds until `work_s`, of `tasks` tasks of which `running` run, is done; below 0: unknown.
    double left_s(double work_s, std::uint64_t tasks, std::uint64_t running) const {
        constexpr double k_least_s = 0.02;  // of shorter ones what lies between them counts
        if (!known() || tasks == 0) {
            return -1;
        }
        if (each_s() < k_least_s) {
            return static_cast<double>(tasks) / rate();
        }
        const double at_once = std::clamp(std::max(static_cast<double>(running), work_s_ / wall_s_), 1.0,
                                          static_cast<double>(tasks));
        return std::max(0.0, work_s) / at_once;
    }

  private:
    double tasks_ = 0;
    double work_s_ = 0;
    double wall_s_ = 0;
    double last_ = -1;  ///< when one ended last, or the first began
};

}  // namespace amp
