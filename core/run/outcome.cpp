#include "core/run/start.hpp"

namespace amp {

ExitCode RunOutcome::exit_code() const {
    if (!skipped_for.empty()) {
        return ExitCode::ok;
    }
    if (interrupted) {
        constexpr int k_sigint = 2;
        return signal != 0 && signal != k_sigint ? ExitCode::terminated : ExitCode::interrupted;
    }
    if (state == RunState::succeeded) {
        return ExitCode::ok;
    }
    if (timed_out) {
        return ExitCode::timeout;
    }
    if (state == RunState::cancelled) {
        return ExitCode::cancelled;
    }
    switch (first_cause) {
        case Cause::evicted:
        case Cause::preempted:
        case Cause::image:
        case Cause::node:
        case Cause::quota:
        case Cause::lost:
        case Cause::infra:
            return ExitCode::infrastructure;
        default:
            return ExitCode::flow_failed;
    }
}

}  // namespace amp
