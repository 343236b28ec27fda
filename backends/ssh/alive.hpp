#pragma once

#include <thread>

#include "backends/agent/channel.hpp"

namespace amp {

/// Says from time to time that we live, while the thread that has the channel does something that may take
/// long.
class Alive {
  public:
    explicit Alive(agent::Channel& channel);

  private:
    std::jthread thread_;
};

}  // namespace amp
