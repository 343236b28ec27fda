#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backends/local/engine_calls.hpp"
#include "core/task/usage_sample.hpp"

namespace amp {

// What tools tell of the devices of this machine, for all tasks at once. They are no part of a task: one that
// hangs, fails or prints rubbish is told of once and left alone for a while, and the loop never waits for it.

/// A tool that is in trouble: it is told once, and rests.
class ToolTrouble {
  public:
    ToolTrouble(EventLoop& loop, std::function<void(const std::string&)> say)
        : loop_(loop), say_(std::move(say)) {}
    void meet(const std::string& what);
    bool rests() const { return loop_.now() < until_; }

  private:
    EventLoop& loop_;
    std::function<void(const std::string&)> say_;
    double until_ = 0;
    bool told_ = false;
};

/// Asks nvidia-smi: a short call for all tasks that are due, one at a time.
class GpuSampler {
  public:
    static constexpr double k_patience_s = 10;

    GpuSampler(EventLoop& loop, std::function<void(const std::string&)> say,
               double patience_s = k_patience_s);

    /// `then` hears the answer, later and not always: not while an earlier question is open, nor where nobody
    /// can be asked.
    void ask(std::function<void(const std::vector<GpuUse>&)> then);

  private:
    void heard(const EngineAnswer& answer, const std::function<void(const std::vector<GpuUse>&)>& then);

    EventLoop& loop_;
    double patience_s_;
    EngineCalls calls_;
    ToolTrouble trouble_;
    double asked_at_ = 0;
    bool open_ = false;
};

/// Listens to neuron-monitor, which runs as long as there is a task to be sampled, and prints a report a
/// period.
class NeuronSampler {
  public:
    /// @param dev where devices show themselves
    /// @param folder of ours, for what the tool is told
    NeuronSampler(EventLoop& loop, std::function<void(const std::string&)> say, std::string folder,
                  std::string dev = "/dev");
    ~NeuronSampler();
    NeuronSampler(const NeuronSampler&) = delete;
    NeuronSampler& operator=(const NeuronSampler&) = delete;

    /// Begins to listen, where there are devices and nothing is heard yet.
    void listen(double period_s);
    void stop();
    /// The latest report, if there was one since this was called last.
    std::vector<NeuronUse> take();

  private:
    void start(const std::string& program, double period_s);
    void heard();
    void read_lines();
    void give_up(const std::string& why);

    EventLoop& loop_;
    ToolTrouble trouble_;
    std::string folder_;
    std::string dev_;
    BaseEnvironment environment_;
    pid_t pid_ = -1;
    UniqueFd output_;
    std::string text_;  ///< of which no line has ended yet
    int rubbish_ = 0;   ///< lines since the last report
    std::vector<NeuronUse> latest_;
};

}  // namespace amp
