#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/agent/channel.hpp"
#include "backends/ssh/ssh_command.hpp"
#include "backends/system/child.hpp"

namespace amp {

struct FarLineOptions {
    std::string host;  ///< for messages
    std::string root;
    std::vector<std::string> command;  ///< what is started
    bool bootstraps = true;            ///< false: the command is the agent itself
};

/// One connection to an agent on another machine: a process (ssh) whose standard input and output are ours.
/// Nothing blocks; work() is called when event_fd() is readable.
class FarLine {
  public:
    enum class State {
        starting,  ///< the other machine's shell has yet to answer
        pushing,   ///< it gets our program
        up,        ///< the channel is there
        down       ///< the process has ended, or is ended: why() tells
    };

    /// @throws Error(not_found) when there is no such program here
    explicit FarLine(FarLineOptions options);
    /// Lets the other side have what it was sent, for a moment.
    ~FarLine();
    FarLine(const FarLine&) = delete;
    FarLine& operator=(const FarLine&) = delete;

    int event_fd() const { return epoll_.get(); }
    State state() const { return state_; }
    bool has_channel() const { return channel_.has_value(); }
    agent::Channel& channel() { return *channel_; }
    /// Does what can be done now. While it is up, the channel is the caller's: receive, then call this.
    void work();
    /// Sends what the channel holds. @param more there is more to come: wakes up when there is room
    void flush(bool more = false);
    /// Ends it.
    void fail(const Error& why);
    /// The end of the stream was seen: the process will say why.
    void hang_up();
    const Error& why() const { return *why_; }
    bool ended_by_itself() const { return ended_by_itself_; }
    /// Where the program lies there; empty: it was not asked.
    const std::string& folder() const { return folder_; }
    /// Seconds of steady_now(): when it last got on.
    double moved_at() const { return moved_at_; }
    /// Something came over the channel.
    void heard();
    /// The end of the stream without an end of the process is waited for until then; infinity: there is none.
    double hung_up_until() const { return hung_up_until_; }

  private:
    void start();
    void watch(int fd, std::uint32_t events);
    void want_room(bool wants);
    void read_answers();
    void obey(const ssh::Answer& answer);
    void push();
    void read_stderr();
    void look_for_end();
    void end(const Error& why);

    FarLineOptions options_;
    UniqueFd epoll_;
    UniqueFd socket_;  ///< until the channel has it
    UniqueFd stderr_;
    std::unique_ptr<Child> child_;  ///< until it has ended
    std::string stderr_text_;
    std::string outgoing_;  ///< before the channel is there
    UniqueFd program_;      ///< what is pushed
    std::uint64_t pushed_ = 0;
    std::optional<ssh::AnswerReader> answers_;
    std::optional<agent::Channel> channel_;
    std::optional<Error> why_;
    std::string folder_;
    State state_ = State::starting;
    bool watches_room_ = false;
    bool ended_by_itself_ = false;
    double moved_at_ = 0;
    double hung_up_until_;
};

}  // namespace amp
