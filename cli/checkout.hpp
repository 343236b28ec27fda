#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp checkout RUN DIR`: the code of a run, as it used it.
struct CheckoutCommand {
    std::string run;
    std::string folder;
};

ExitCode execute(Session& session, const CheckoutCommand& command);

}  // namespace amp
