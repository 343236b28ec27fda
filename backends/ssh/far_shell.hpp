#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/package/code_manifest.hpp"
#include "core/ports/append_files.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/secret.hpp"

namespace amp {

/// A place that is held on another machine.
struct ShellPlace {
    std::string host;  ///< as ssh knows it
    std::string root;  ///< amp's folder there; empty: ~/.cache/amp
    std::string run;
    AttemptId id;
    std::string command;          ///< what the shell is to do; empty: its user says
    std::function<void()> stays;  ///< called again and again while somebody is inside; what it throws ends it
    std::size_t words_before = 0;  ///< of the spec's, in front of the task's own
};

/// A shell in it, over the user's ssh, at our standard streams: in a terminal, unless it is for one command
/// and the streams are not all of one. The result has no more than its exit or signal.
/// @throws Error(authentication), Error(infrastructure) as the connection ends before the shell does
AttemptResult enter_far_place(const ShellPlace& place);

}  // namespace amp
