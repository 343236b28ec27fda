#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/local/machine_claims.hpp"

namespace amp {

/// Ports for gangs to meet at: nobody listens there when they are handed out, no two gangs of amp on this
/// machine have the same, and the kernel gives none of them to a program that asks for any port.
class PortClaims {
  public:
    /// @param folder of the locks, as claims_folder gives it
    explicit PortClaims(std::string folder) : folder_(std::move(folder)) {}

    /// nullopt: there are not so many now. @throws Error when no lock can be made
    std::optional<std::vector<std::uint16_t>> claim(std::size_t count);
    void release(const std::vector<std::uint16_t>& ports);

  private:
    ClaimFolder folder_;
    std::map<std::uint16_t, UniqueFd> held_;
};

}  // namespace amp
