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
    // driver to an agent on another machine, beside submit and the like (far_messages.hpp)
    meet = 20,        ///< FarHello: the first frame of a driver
    have = 21,        ///< {objects: [[sha256, size]]}: are they there?
    object = 22,      ///< {sha256, size, compressed}: bytes follow; both ways
    data = 23,        ///< no JSON: bytes of the object that was begun; both ways
    object_end = 24,  ///< {error}: it is whole, unless there is an error; both ways
    fetch = 25,       ///< {objects: [[sha256, size]]}: is asked to send these
    lay_code = 26,    ///< {hash, manifest}: the object is a code manifest, whose files are there
    open = 27,        ///< {}: go on after `lost`
    visit = 28,       ///< {}: instead of meet, by who has no run, and only asks `have` and `fetch`
    // to a keeper, the first and only frame of somebody who is no driver
    cancel_run = 6,  ///< {run, who}
    enter = 11,      ///< {run, secret, task, attempt}: of `amp shell`, for a place that is held
    // keeper to driver
    welcome = 65,       ///< {protocol, pid, running: [{task, attempt, where, at}]}
    events = 66,        ///< {events: [[name, ...]]}, see messages.hpp
    cancel_asked = 67,  ///< {who}
    refused = 68,       ///< {message}: the connection ends
    fenced = 69,        ///< {epoch}: a later driver has taken over; the connection ends
    accepted = 70,      ///< {}: answer to cancel_run
    spawned = 71,       ///< SpawnAnswer, to the task
    place = 72,         ///< {folder, spec, secrets}: answer to enter
    // an agent to its driver, beside events and the like
    agent = 80,    ///< FarGreeting: its first frame
    met = 81,      ///< FarWelcome
    adopted = 82,  ///< {results: [AttemptResult], last}: ends of before; nothing is submitted before the last
    there = 83,    ///< {there: [sha256], missing: [sha256]}: answer to `have`
    stored = 84,   ///< {objects: [sha256]}: durable there
    unstored = 85,  ///< {sha256, error, code}: it could not be stored there
    gone = 86,      ///< {sha256, error}: what was to be fetched cannot be read
    pack = 87,      ///< no JSON: "KEY OFFSET\n" and bytes of a pack
    code = 88,      ///< {hash, error}: the code is laid, unless there is an error
    lost = 89,      ///< {reason}: BackendLost
    visited = 90,   ///< {store}: answer to visit; the id of the store there
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
