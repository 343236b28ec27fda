#pragma once

#include <poll.h>

#include <algorithm>
#include <string>
#include <vector>

#include "backends/ssh/ssh_backend.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

namespace amp::test {

/// Another machine: a folder of its own here, and an agent that is started without ssh.
class FarMachine {
  public:
    const std::string& root() const { return store_.root(); }
    TemporaryStore& store() { return store_; }

    SshBackendOptions options(std::uint32_t epoch = 1) const {
        SshBackendOptions options;
        options.host = "far";
        options.run = k_run;
        options.epoch = epoch;
        options.number_base = 1'000'000;
        options.workers = 4;
        options.command = {AMP_BINARY, "agent", "--stdio", "--root", store_.root()};
        options.first_pause_s = 0.05;
        options.longest_pause_s = 0.2;
        return options;
    }

  private:
    TemporaryStore store_;  // ROOT/store
};

}  // namespace amp::test
