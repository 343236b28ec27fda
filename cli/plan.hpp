#pragma once

#include <string>

#include "cli/common.hpp"
#include "cli/terminal.hpp"
#include "core/base/error.hpp"
#include "core/run/forecast.hpp"

namespace amp {

struct Session;

/// `amp plan [FLOW]`: what `amp run` would do now; with --resume what `amp resume` would.
struct PlanCommand {
    ForecastQuery query;
    NameValues slips;  ///< parameters that look like a misspelt option, and that option
};

std::string forecast_text(const Forecast& forecast, const Presentation& presentation);
/// Schema amp.plan/1.
Value forecast_document(const Forecast& forecast);

ExitCode execute(Session& session, const PlanCommand& command);

}  // namespace amp
