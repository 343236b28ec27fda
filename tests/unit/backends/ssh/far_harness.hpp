#pragma once

#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "backends/local/keeper_history.hpp"
#include "backends/ssh/ssh_backend.hpp"
#include "tests/unit/backends/local/local_harness.hpp"

namespace amp::test {

/// Of its keepers' numbers.
inline constexpr std::uint32_t k_base = k_numbers_of_a_profile;

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
        options.number_base = k_base;
        options.workers = 4;
        options.command = {AMP_BINARY, "agent", "--stdio", "--root", store_.root()};
        options.first_pause_s = 0.05;
        options.longest_pause_s = 0.2;
        return options;
    }

  private:
    TemporaryStore store_;  // ROOT/store
};

/// A driver's store here, and another machine.
struct World {
    TemporaryStore here;
    FarMachine far;
    Seen seen;

    std::unique_ptr<SshBackend> drive(std::uint32_t epoch = 1) {
        return std::make_unique<SshBackend>(here.objects(), here.files(), far.options(epoch));
    }
    /// Appends a line to `name` each time it runs, and waits for `name`.go.
    TaskSpec gated(const std::string& step) const {
        const std::string file = here.root() + "/" + step;
        TaskSpec spec = shell_task(step, "echo run >> " + file + "; while ! test -e " + file +
                                             ".go; do sleep 0.01; done; echo done; echo 5 > $AMP_OUT/v.json");
        spec.resources.cpu = 0.1;
        return spec;
    }
    void let_go(const std::string& step) const { std::ofstream(here.root() + "/" + step + ".go") << ""; }
    std::string runs_of(const std::string& step) const { return read_file(here.root() + "/" + step); }
    std::int64_t keeper() {
        return read_history(far.store().files(), k_run, keeper_numbers(far.store().files(), k_run).back())
            .pid;
    }
};

/// The agents of this test: they have its folder among their arguments.
inline std::vector<pid_t> agents_of(const FarMachine& far) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string arguments = read_file(entry.path().string() + "/cmdline");
        if (arguments.find(far.root()) != std::string::npos && arguments.find("agent") != std::string::npos) {
            found.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
        }
    }
    return found;
}

inline void submit(SshBackend& backend, const TaskSpec& spec) {
    backend.submit({&spec, 1});
}

}  // namespace amp::test
