#pragma once

#include <string>

#include "cli/terminal.hpp"
#include "core/base/value.hpp"
#include "core/run/start.hpp"

namespace amp {

/// The steps in an order in which they can run, each with its needs and marks; what is inside a foreach is
/// indented.
std::string flow_tree(const LoadedFlow& loaded, const Presentation& presentation);
/// For --plain: step, what it needs (with commas), foreach, when.
std::string flow_plain(const LoadedFlow& loaded);
/// The graph for Graphviz.
std::string flow_dot(const LoadedFlow& loaded);
/// Schema amp.flow/1.
Value flow_document(const LoadedFlow& loaded);

/// What the step runs as it is written in the flow: one line or several.
std::string run_text(const Step& step);

}  // namespace amp
