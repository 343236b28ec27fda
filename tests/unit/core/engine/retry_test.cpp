#include "core/engine/retry.hpp"

#include <doctest/doctest.h>

namespace amp::engine {

namespace {

RetryPolicy policy_of(std::uint32_t times, std::vector<Cause> on) {
    RetryPolicy policy;
    policy.times = times;
    policy.on = std::move(on);
    return policy;
}

Failure after(std::uint32_t retries) {
    return {Budget::times, Cause::user, retries, 0};
}

Failure not_its_fault(Cause cause, std::uint32_t other_retries) {
    return {Budget::other, cause, 3, other_retries};
}

}  // namespace

TEST_CASE("a listed cause is retried as often as times says") {
    const RetryPolicy policy = policy_of(2, {Cause::user, Cause::quota});
    CHECK(retry_budget(policy, Cause::user, 0, 0) == Budget::times);
    CHECK(retry_budget(policy, Cause::user, 1, 5) == Budget::times);
    CHECK(retry_budget(policy, Cause::user, 2, 0) == Budget::none);
    CHECK(retry_budget(policy, Cause::quota, 0, 0) == Budget::times);
    CHECK(retry_budget(policy, Cause::oom, 0, 0) == Budget::none);
}

TEST_CASE("what is not the task's fault has a budget of its own, unless listed") {
    const RetryPolicy policy = policy_of(0, {Cause::user, Cause::lost});
    for (const Cause cause : {Cause::evicted, Cause::preempted, Cause::node, Cause::infra}) {
        CHECK(retry_budget(policy, cause, 0, 4) == Budget::other);
        CHECK(retry_budget(policy, cause, 0, 5) == Budget::none);
    }
    CHECK(retry_budget(policy, Cause::lost, 0, 0) == Budget::none);
}

TEST_CASE("image, quota, cancel and success are not retried by themselves") {
    const RetryPolicy policy = policy_of(9, {Cause::user, Cause::cancelled});
    CHECK(retry_budget(policy, Cause::image, 0, 0) == Budget::none);
    CHECK(retry_budget(policy, Cause::quota, 0, 0) == Budget::none);
    CHECK(retry_budget(policy, Cause::cancelled, 0, 0) == Budget::none);
    CHECK(retry_budget(policy, Cause::none, 0, 0) == Budget::none);
}

TEST_CASE("the delay grows by the back-off up to max_delay") {
    RetryPolicy policy;
    policy.delay_s = 10;
    policy.backoff = 2;
    policy.max_delay_s = 35;
    CHECK(retry_delay(policy, after(0), 0) == 10);
    CHECK(retry_delay(policy, after(1), 0) == 20);
    CHECK(retry_delay(policy, after(2), 0) == 35);
    CHECK(retry_delay(policy, after(1'000'000), 0) == 35);
    policy.delay_s = 0;
    CHECK(retry_delay(policy, after(1'000'000), 0) == 0);
}

TEST_CASE("jitter shortens by at most its share, and is the same for the same attempt") {
    RetryPolicy policy;
    policy.delay_s = 100;
    policy.jitter = 0.25;
    const std::vector<std::uint32_t> path = {3, 1};
    double least = 100;
    double most = 0;
    for (std::uint32_t attempt = 1; attempt <= 1000; ++attempt) {
        const auto noise = retry_noise(7, 2, path, 0, attempt);
        CHECK(noise == retry_noise(7, 2, path, 0, attempt));
        const double delay = retry_delay(policy, after(0), noise);
        least = std::min(least, delay);
        most = std::max(most, delay);
    }
    CHECK(least >= 75);
    CHECK(least < 76);
    CHECK(most <= 100);
    CHECK(most > 99);
    CHECK(retry_noise(7, 2, path, 0, 1) != retry_noise(8, 2, path, 0, 1));
    CHECK(retry_noise(7, 2, path, 0, 1) != retry_noise(7, 2, path, 1, 1));
}

TEST_CASE("without a delay the task's own failures are retried at once, others after a back-off") {
    const RetryPolicy policy;
    CHECK(retry_delay(policy, after(0), 0) == 0);
    CHECK(retry_delay(policy, after(4), 0) == 0);
    for (const Cause cause : {Cause::evicted, Cause::preempted, Cause::node, Cause::infra}) {
        CHECK(retry_delay(policy, not_its_fault(cause, 0), 0) == 1);
        CHECK(retry_delay(policy, not_its_fault(cause, 1), 0) == 2);
        CHECK(retry_delay(policy, not_its_fault(cause, 4), 0) == 16);
        CHECK(retry_delay(policy, not_its_fault(cause, 40), 0) == 60);
    }
    const auto most = ~std::uint64_t{0};
    CHECK(retry_delay(policy, not_its_fault(Cause::infra, 0), most) == doctest::Approx(0.75));
}

TEST_CASE("what was lost starts again at once, but only once") {
    const RetryPolicy policy;
    CHECK(retry_delay(policy, not_its_fault(Cause::lost, 0), 0) == 0);
    CHECK(retry_delay(policy, not_its_fault(Cause::lost, 1), 0) == 1);
    CHECK(retry_delay(policy, not_its_fault(Cause::lost, 2), 0) == 2);
}

TEST_CASE("a delay that is said holds for every cause, nought too") {
    RetryPolicy policy;
    policy.delay_s = 0;
    CHECK(retry_delay(policy, not_its_fault(Cause::infra, 3), 0) == 0);
    policy.delay_s = 7;
    CHECK(retry_delay(policy, not_its_fault(Cause::lost, 0), 0) == 7);
}

}  // namespace amp::engine
