#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/backend.hpp"

namespace amp::test {

/// A backend under test with tasks whose ends are known. Made anew for each part of the contract.
class BackendBench {
  public:
    virtual ~BackendBench() = default;
    virtual Backend& backend() = 0;

    // Specs of step `step`, attempt 1. Each call may give another token.
    virtual TaskSpec succeeding(const std::string& step) = 0;
    virtual TaskSpec failing(const std::string& step) = 0;     ///< exit status 3, cause user
    virtual TaskSpec endless(const std::string& step) = 0;     ///< until it is cancelled
    virtual TaskSpec impossible(const std::string& step) = 0;  ///< asks for more than the capacity
    virtual bool starts_processes() { return true; }  ///< false: there are no ranks, and none of the next
    virtual TaskSpec gang(const std::string& /*step*/) { return {}; }  ///< three ranks that end well
    /// Of three ranks the second fails as `failing`, and the others are endless.
    virtual TaskSpec torn_gang(const std::string& /*step*/) { return {}; }

    /// Waits a moment until there may be events.
    virtual void wait() = 0;
    /// How often a task of this step has really run: each rank of a gang counts.
    virtual std::size_t times_run(const std::string& step) = 0;
};

/// Holds a backend to what core/ports/backend.hpp promises. Each part gets a bench of its own.
void check_backend_contract(const std::function<std::unique_ptr<BackendBench>()>& make);

}  // namespace amp::test
