#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/agent/channel.hpp"
#include "core/base/error.hpp"
#include "core/base/value.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/secret.hpp"

/// What the frames say: typed on both sides, canonical JSON between them. Reading functions throw
/// Error(mismatch) (or Error(usage) for a task name) when the payload is not what it should be.
namespace amp::agent {

inline constexpr int k_protocol = 1;

struct Hello {
    std::string run;
    std::uint32_t epoch = 0;
    std::string secret;  ///< empty over an inherited socket
};
struct Welcome {
    std::int64_t pid = 0;
    std::vector<AttemptStarted> running;
};
struct CancelRun {
    std::string run;
    std::string who;
};
/// Somebody wants to enter the place that is held of an attempt.
struct EnterPlace {
    std::string run;
    std::string secret;  ///< of the keeper: whoever knows it could be its driver
    AttemptId id;
};
struct OpenPlace {
    std::string folder;
    TaskSpec spec;
    std::vector<Secret> secrets;  ///< what the spec refers to
};

std::string encode(const Hello& hello);
Hello hello_from(std::string_view payload);
std::string encode(const Welcome& welcome);
Welcome welcome_from(std::string_view payload);
std::string encode(const CancelRun& ask);
CancelRun cancel_run_from(std::string_view payload);
std::string encode(const EnterPlace& ask);
EnterPlace enter_place_from(std::string_view payload);
std::string encode(const OpenPlace& place);
OpenPlace open_place_from(std::string_view payload);

std::string encode(std::span<const Secret> secrets);
std::vector<Secret> secrets_from(std::string_view payload);

std::string encode(const SpawnAnswer& answer);
SpawnAnswer spawn_answer_from(std::string_view payload);
/// What a task asks for. @throws Error(mismatch) when it is no object
Value spawn_from(std::string_view payload);

/// Sends specs in as many frames as needed. Gives the specs that are over the frame's limit, which were not
/// sent.
std::vector<const TaskSpec*> send_specs(Channel& channel, std::span<const TaskSpec> specs);
/// The specs of a submit frame.
struct ReadSpecs {
    std::vector<TaskSpec> specs;
    std::vector<AttemptResult> unreadable;  ///< ends, cause infra, of attempts whose specs cannot be read
    std::vector<std::string> notes;         ///< of what does not even name an attempt
};
ReadSpecs specs_from(std::string_view payload);

std::string encode_attempts(std::span<const AttemptId> attempts);
std::vector<AttemptId> attempts_from(std::string_view payload);

/// {"name": n} and back.
std::string encode_number(std::string_view name, std::uint64_t n);
std::string encode_text(std::string_view name, std::string_view text);
/// Kind::refused: why, and what kind of failure it is.
std::string encode_refusal(std::string_view message, ExitCode code);
/// Error(store_full) matters to who asked; all else, and what says nothing, is infrastructure.
ExitCode refusal_code(std::string_view payload);
std::uint64_t number_from(std::string_view payload, std::string_view name);
std::string text_from(std::string_view payload, std::string_view name);

/// Is it the SHA-256 of an object: 64 hexadecimal digits?
bool is_hash(std::string_view text);
/// How an attempt ended; of cause infra, where it can be read no further than its name.
/// @throws Error when not even that
AttemptResult result_from(const Value& value);

/// Collects a wake-up's events into as few frames as possible.
class EventBatch {
  public:
    void queued(const AttemptId& id, std::string_view reason);
    void started(const AttemptId& id, std::string_view where, Timestamp at);
    /// @param result the JSON of an AttemptResult, dumped already for the keeper's log
    void ended(std::string_view result);
    /// What the keeper could not read: an error event without an attempt.
    void note(std::string_view text);
    void spawn_asked(const SpawnAsked& asked);
    bool empty() const { return items_.empty(); }
    /// Sends all and is empty afterwards.
    void send_to(Channel& channel);

  private:
    std::vector<std::string> items_;
};

/// The events of one frame. An end that cannot be read becomes one of cause infra; what names no attempt goes
/// to `bad`.
std::vector<BackendEvent> events_from(std::string_view payload, std::vector<std::string>& bad);

}  // namespace amp::agent
