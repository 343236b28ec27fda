#pragma once

#include <string>

#include "core/ports/backend.hpp"

namespace amp {

/// A flow that a step runs as its task.
struct ChildFlow {
    std::string file;  ///< a key of the record's flows
    Value params = Object{};
    std::string profile = {};  ///< of the child
};

/// Where a driver's sub-flow tasks go, and what running tasks spawn. Their events come with those of the
/// driver's backend, which is also how they are cancelled.
class SubRuns {
  public:
    virtual ~SubRuns() = default;
    virtual void start(const TaskSpec& spec, const ChildFlow& child) = 0;
    virtual void spawn(const SpawnAsked& asked) = 0;
};

}  // namespace amp
