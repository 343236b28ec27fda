#pragma once

#include <string>

#include "core/run/holds.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Somebody is inside a held place: says so again and again, so that it is kept; and at the end whether it
/// is.
class Visit {
  public:
    Visit(Services& services, const OpenStore& store, std::string run, std::string task);

    /// @throws Error(not_found) when the place was freed beneath us
    void beat();
    /// True when its time had passed while we were inside, and it is free now.
    bool leave() const;

  private:
    Services& services_;
    const OpenStore& store_;
    std::string run_;
    std::string task_;
    Timestamp said_;
};

}  // namespace amp
