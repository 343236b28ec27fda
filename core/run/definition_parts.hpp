#pragma once

#include <string>

#include "core/base/value.hpp"
#include "core/flow/model.hpp"
#include "core/package/code_manifest.hpp"
#include "core/run/run_record.hpp"

namespace amp {

// What a task's definition says of its step: pure functions, whose results are hashed. A change of a form
// here makes every task of every store a new one.

/// The command as it is written, with the expressions of its variables.
Value run_source(const Step& step);
Value outputs_value(const Step& step);
/// The key of the flow that a step runs. @throws Error(invalid) when it lies outside of the project
std::string subflow_of(const Step& step, const RunRecord& record);
/// The hash of a sub-flow's files and configuration, with those that it runs itself.
std::string flows_hash(const Value& flows, const std::string& key);
/// The hash of the code that `sources` names; null without any.
Value sources_hash(const Step& step, const CodeManifest& code);

}  // namespace amp
