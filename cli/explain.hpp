#pragma once

#include <string>

#include "cli/terminal.hpp"
#include "core/base/error.hpp"
#include "core/flow/catalogue.hpp"

namespace amp {

struct Session;

/// `amp explain CODE`: what an error means, with an example and its mended form.
struct ExplainCommand {
    std::string code;  ///< empty: the list of codes
};

std::string explanation_text(const CatalogueEntry& entry, const Style& style);

ExitCode execute(Session& session, const ExplainCommand& command);

}  // namespace amp
