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

/// The wait before the retry after `earlier` others: delay · backoff^earlier, capped by max_delay, and then
/// shortened by up to the share `jitter`, which depends on (seed, step, path, round, attempt) alone.
double retry_delay(const RetryPolicy& policy, std::uint32_t earlier, std::uint64_t noise);
std::uint64_t retry_noise(std::uint64_t seed, std::uint32_t step, std::span<const std::uint32_t> path,
                          std::uint32_t round, std::uint32_t attempt);

}  // namespace amp::engine
