#include "core/engine/retry.hpp"

#include <algorithm>
#include <cmath>

namespace amp::engine {

namespace {

constexpr double k_longest_delay_s = 10.0 * 365 * 86400;

struct Pace {
    double delay_s;
    double backoff;
    double max_delay_s;
    double jitter;
};
/// Whatever took the task away may need a moment to come back.
constexpr Pace k_default_pace = {1, 2, 60, 0.25};

double paced(const Pace& pace, std::uint32_t earlier, std::uint64_t noise) {
    if (!(pace.delay_s > 0)) {
        return 0;
    }
    const double longest = std::min(std::max(pace.max_delay_s, 0.0), k_longest_delay_s);
    const double delay = std::min(pace.delay_s * std::pow(std::max(pace.backoff, 0.0), earlier), longest);
    const double share = std::clamp(pace.jitter, 0.0, 1.0);
    return delay * (1 - share * static_cast<double>(noise >> 11) * 0x1.0p-53);
}

bool is_not_its_fault(Cause cause) {
    return cause == Cause::evicted || cause == Cause::preempted || cause == Cause::node ||
           cause == Cause::lost || cause == Cause::infra;
}

/// One round of splitmix64.
std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
    std::uint64_t z = (state ^ value) + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

}  // namespace

Budget retry_budget(const RetryPolicy& policy, Cause cause, std::uint32_t retries,
                    std::uint32_t other_retries) {
    if (cause == Cause::none || cause == Cause::cancelled) {
        return Budget::none;
    }
    if (std::find(policy.on.begin(), policy.on.end(), cause) != policy.on.end()) {
        return retries < policy.times ? Budget::times : Budget::none;
    }
    return is_not_its_fault(cause) && other_retries < k_other_retries ? Budget::other : Budget::none;
}

double retry_delay(const RetryPolicy& policy, const Failure& failure, std::uint64_t noise) {
    if (policy.delay_s) {
        return paced({*policy.delay_s, policy.backoff, policy.max_delay_s, policy.jitter},
                     failure.retries + failure.other_retries, noise);
    }
    if (failure.budget != Budget::other) {
        return 0;
    }
    const bool lost = failure.cause == Cause::lost;
    return lost && failure.other_retries == 0
               ? 0
               : paced(k_default_pace, failure.other_retries - (lost ? 1 : 0), noise);
}

std::uint64_t retry_noise(std::uint64_t seed, std::uint32_t step, std::span<const std::uint32_t> path,
                          std::uint32_t round, std::uint32_t attempt) {
    std::uint64_t state = mix(seed, step);
    for (const std::uint32_t index : path) {
        state = mix(state, index);
    }
    return mix(mix(state, round), attempt);
}

}  // namespace amp::engine
