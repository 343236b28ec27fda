#pragma once

#include <memory>
#include <string>

#include "core/run/services.hpp"

namespace amp {

/// Waits until something of a run has changed: what its tasks print, its journal, its keepers, its lease.
/// Where the store cannot tell (another machine writes it), a wait ends after 2 s, so that one looks again.
class RunChanges {
  public:
    /// Changes from now on count.
    RunChanges(Services& services, const OpenStore& store, const std::string& run);

    /// At most `seconds`; less when something changed, or a signal came.
    void wait(double seconds);

  private:
    Services& services_;
    std::unique_ptr<Watch> watch_;
    bool changed_ = false;
};

}  // namespace amp
