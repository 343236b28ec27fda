#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/backend.hpp"

namespace amp {

struct SlotLimits {
    std::size_t workers = 1;
    double cpu = 1;
    std::uint64_t memory_bytes = 0;  ///< 0: not limited
    std::uint32_t gpu = 0;
};

/// What may run at once on one machine, and what waits for it: by priority, then in the order of submission.
/// What fits may pass what does not, but nobody is passed for ever: after 64 times or 60 s nothing passes it
/// any more. Pure: the time is given.
class SlotQueue {
  public:
    explicit SlotQueue(SlotLimits limits) : limits_(limits) {}

    /// Why such a request can never start ("it needs 64 cpu, and this machine gives 8"); empty when it can.
    std::string impossible(const Resources& need) const;

    void push(const AttemptId& id, const Resources& need, int priority, double now);
    /// Takes a waiting one out. False when it does not wait here.
    bool remove(const AttemptId& id);
    /// The next that fits, its slots taken; nullopt when nothing fits.
    std::optional<AttemptId> take(double now);
    /// Takes slots for what runs already, even beyond the limits.
    void occupy(const Resources& need);
    /// Gives back what `take` or `occupy` took.
    void release(const Resources& need);
    /// Forgets all that waits, and gives it.
    std::vector<AttemptId> drop_waiting();

    /// Those that have waited for a second and were not told yet, with the reason.
    std::vector<AttemptQueued> tell_waiting(double now);

    std::size_t waiting() const { return waiting_.size(); }
    std::size_t running() const { return used_workers_; }

  private:
    struct Waiting {
        AttemptId id;
        Resources need;
        double since = 0;
        std::uint32_t passed = 0;
        double first_passed = 0;
        bool told = false;
    };
    using Place = std::pair<int, std::uint64_t>;  ///< (-priority, number): the order of starting

    bool fits(const Resources& need) const;
    std::string reason(const Resources& need) const;
    bool may_be_passed(const Waiting& waiting, double now) const;

    SlotLimits limits_;
    std::map<Place, Waiting> waiting_;
    std::map<AttemptId, Place> places_;
    std::uint64_t last_number_ = 0;
    std::size_t used_workers_ = 0;
    double used_cpu_ = 0;
    std::uint64_t used_memory_ = 0;
    std::uint32_t used_gpu_ = 0;
};

}  // namespace amp
