#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backends/system/event_loop.hpp"
#include "core/base/unique_fd.hpp"
#include "core/task/container.hpp"

namespace amp {

/// What the keeper has of the container of a process.
struct ContainerHold {
    std::string engine;  ///< its program
    std::string name;
    std::string folder;  ///< which both see: core/task/container_order
    UniqueFd control;    ///< closed with us, which ends the container
    UniqueFd words;      ///< what the client prints
    EventLoop::TimerId kill_timer = 0;

    // Of its end.
    std::optional<ContainerFailure> failure;  ///< instead of an exit status
    bool oom = false;
    bool ask_engine = false;  ///< whether it was killed for want of memory
};

}  // namespace amp
