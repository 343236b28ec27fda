#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "backends/agent/frame_stream.hpp"
#include "core/base/unique_fd.hpp"

namespace amp::agent {

/// One end of a connection: frames over a non-blocking stream socket, or a pair of pipes. Nothing here ever
/// blocks: what the peer does not take waits in memory.
class Channel {
  public:
    /// @param read_before what has come already
    explicit Channel(UniqueFd socket, std::string_view read_before = {});
    /// Over two streams of any kind, as a program has its standard input and output. SIGPIPE must be ignored.
    Channel(UniqueFd in, UniqueFd out);

    int fd() const { return in_.get(); }
    int out_fd() const { return out_fd_ ? out_fd_.get() : in_.get(); }
    /// Takes in what has come, at most 1 MiB. False when the peer is gone (what came before it may still be
    /// read).
    bool receive();
    /// @throws Error(mismatch) as FrameReader::next
    std::optional<Frame> next() { return reader_.next(); }

    /// Buffers a frame; flush() sends.
    void send(Kind kind, std::string_view payload) { append_frame(out_, kind, payload); }
    /// Writes what the peer takes. False when it is gone.
    bool flush();
    bool has_unsent() const { return sent_ < out_.size(); }
    std::size_t unsent() const { return out_.size() - sent_; }

  private:
    ssize_t write_some(std::string_view bytes) const;

    UniqueFd in_;
    UniqueFd out_fd_;  ///< none: a socket, both ways
    FrameReader reader_;
    std::string out_;
    std::size_t sent_ = 0;
};

/// Waits at most `seconds` until the channel can be read (or also written, when it has unsent frames). False
/// at the end of that time.
bool wait_ready(const Channel& channel, double seconds);
/// Has the peer let go, whatever of its words is still to be read?
bool has_hung_up(const Channel& channel);

}  // namespace amp::agent
