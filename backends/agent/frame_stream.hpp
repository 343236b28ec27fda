#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The framing between a driver and its keeper or agent: 4 bytes of little-endian length (of kind and
/// payload), 1 byte of kind, the payload (canonical JSON).
namespace amp::agent {

inline constexpr std::size_t k_max_frame = std::size_t{16} << 20;

enum class Kind : std::uint8_t {
    // driver to keeper
    hello = 1,     ///< {protocol, run, epoch, secret}: the first frame of a driver
    submit = 2,    ///< {specs: [TaskSpec]}
    cancel = 3,    ///< {attempts: [{task, attempt}]}
    go_on = 4,     ///< {failures}: how many failed ends the driver has seen since its hello
    close = 5,     ///< {}: nothing more comes
    kill = 7,      ///< as cancel, with KILL at once
    spawn = 8,     ///< {token, flow, params, key, wait}: of a task (`amp spawn`), which then waits
    answer = 9,    ///< SpawnAnswer: of the driver to a spawn
    secrets = 10,  ///< {secrets: [[key, name, value in hex]]}: what later specs refer to, and what is masked
    cancel_run = 6,  ///< {run, who}: the first and only frame of somebody who is no driver
    // keeper to driver
    welcome = 65,       ///< {protocol, pid, running: [{task, attempt, where, at}]}
    events = 66,        ///< {events: [[name, ...]]}, see messages.hpp
    cancel_asked = 67,  ///< {who}
    refused = 68,       ///< {message}: the connection ends
    fenced = 69,        ///< {epoch}: a later driver has taken over; the connection ends
    accepted = 70,      ///< {}: answer to cancel_run
    spawned = 71,       ///< SpawnAnswer, to the task
};

struct Frame {
    std::uint8_t kind = 0;
    std::string_view payload;  ///< valid until the next feed or next
};

void append_frame(std::string& out, Kind kind, std::string_view payload);

/// Puts frames together from bytes as they come.
class FrameReader {
  public:
    void feed(std::string_view bytes);
    /// The next whole frame. @throws Error(mismatch) when the bytes cannot be frames: drop the connection
    std::optional<Frame> next();

  private:
    std::string buffer_;
    std::size_t at_ = 0;
};

}  // namespace amp::agent
