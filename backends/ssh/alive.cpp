#include "backends/ssh/alive.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "backends/agent/far_messages.hpp"

namespace amp {
namespace {

constexpr std::chrono::seconds k_pause(5);

void tell(agent::Channel& channel, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
        channel.send(agent::Kind::events, agent::k_no_events);
        if (!channel.flush()) {
            return;
        }
        ended.wait_for(lock, stop, k_pause, [] { return false; });
    }
}

}  // namespace

Alive::Alive(agent::Channel& channel)
    : thread_([&channel](const std::stop_token& stop) { tell(channel, stop); }) {}

}  // namespace amp
