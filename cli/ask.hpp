#pragma once

#include <string>

namespace amp {

struct Session;

/// Is there somebody who sees a question and can answer it? Not where a stream is no terminal, in a notebook,
/// in CI, nor with --no-input.
bool can_ask(const Session& session);

/// A prompt that waits for people would hang here, whatever the streams are: "a notebook", "CI"; empty: no.
std::string hanging_place(const Session& session);

/// Asks before something is removed for good; without anybody to ask, whoever called has said it already.
/// @throws Error(interrupted) unless the answer is yes
void confirm(const Session& session, const std::string& question);

}  // namespace amp
