#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/system/event_loop.hpp"
#include "core/base/unique_fd.hpp"
#include "core/task/environment.hpp"

namespace amp {

struct EngineAnswer {
    bool came = false;  ///< false: it could not be asked
    std::string printed;
};

/// Short calls of a tool (a container engine's client, nvidia-smi), beside the loop: no call holds it up.
/// Their processes are reaped by whoever reaps ours (ProcessTable); their end is that of what they print.
class EngineCalls {
  public:
    static constexpr double k_patience_s = 60;

    /// @param patience_s after which a call is killed
    explicit EngineCalls(EventLoop& loop, double patience_s = k_patience_s);
    ~EngineCalls();
    EngineCalls(const EngineCalls&) = delete;
    EngineCalls& operator=(const EngineCalls&) = delete;

    using Then = std::function<void(const EngineAnswer&)>;

    /// @param then hears what it printed; one that was killed has printed what it has
    void ask(std::vector<std::string> words, Then then);

    /// The environment of these programs: ours, and a token that is no task's.
    const BaseEnvironment& environment() const { return environment_; }

  private:
    struct Call {
        pid_t pid = -1;
        UniqueFd output;
        EngineAnswer answer;
        EventLoop::TimerId timer = 0;
        Then then;
    };
    void heard(const std::shared_ptr<Call>& call);
    void end(const std::shared_ptr<Call>& call);

    EventLoop& loop_;
    double patience_s_;
    BaseEnvironment environment_;
    std::map<int, std::shared_ptr<Call>> calls_;  ///< by their outputs
};

/// Where an engine's program is; empty: nowhere in PATH.
std::string find_engine_program(const std::string& engine, const BaseEnvironment& environment);

}  // namespace amp
