#include "core/run/run_changes.hpp"

#include <algorithm>

#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_look_anyway_s = 2;
constexpr double k_burst_s = 0.02;

}  // namespace

RunChanges::RunChanges(Services& services, const OpenStore& store, const std::string& run)
    : services_(services), watch_(store.files->watch(layout::run_prefix(run))) {}

void RunChanges::wait(double seconds) {
    if (changed_) {
        // Changes come in bursts, which are looked at together; and a writer's end is told a moment before
        // its lock is free: so after each change there is one more look, whatever comes.
        services_.waiter.get().wait(-1, std::min(seconds, k_burst_s));
    } else {
        services_.waiter.get().wait(watch_ ? watch_->fd() : -1, std::min(seconds, k_look_anyway_s));
    }
    changed_ = watch_ && watch_->take();
}

}  // namespace amp
