#pragma once

#include <cstdint>
#include <span>

#include "core/flow/model.hpp"

namespace amp::engine {

/// From which budget a failed attempt may be retried: `times`, or that of the causes which are not the task's
/// fault.
enum class Budget { none, times, other };

/// Retries that evicted, preempted, node, lost and infra have where the policy does not list them.
inline constexpr std::uint32_t k_other_retries = 5;

/// @param retries, other_retries used so far of each budget
Budget retry_budget(const RetryPolicy& policy, Cause cause, std::uint32_t retries,
                    std::uint32_t other_retries);

/// A failure that is to be retried.
struct Failure {
    Budget budget = Budget::times;
    Cause cause = Cause::user;
    std::uint32_t retries = 0;        ///< before this one, from `times`
    std::uint32_t other_retries = 0;  ///< before this one, from the other budget
};

/// The wait before a retry. Where the policy says a delay: delay · backoff^(retries before), capped by
/// max_delay, and then shortened by up to the share `jitter` of it. Where it says none: nothing for
/// Budget::times, and for Budget::other 1 s, then twice as long each time, at most 60 s, shortened by up to a
/// quarter; but what was lost for the first time (its keeper died, say) starts again at once.
/// @param noise as retry_noise gives it
double retry_delay(const RetryPolicy& policy, const Failure& failure, std::uint64_t noise);
/// Depends on nothing but its arguments.
std::uint64_t retry_noise(std::uint64_t seed, std::uint32_t step, std::span<const std::uint32_t> path,
                          std::uint32_t round, std::uint32_t attempt);

}  // namespace amp::engine
