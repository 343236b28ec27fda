#pragma once

#include <cstdint>
#include <string>

#include "core/ports/task_spec.hpp"

namespace amp {

/// What `amp task exec` is given: one attempt of a task, and where its run lies.
struct ExecSpec {
    static constexpr int k_schema = 1;

    std::string store;  ///< a folder, absolute
    std::string run;
    std::uint32_t epoch = 1;  ///< of the driver that handed it out
    TaskSpec spec;
    /// The hash of the code manifest that it works with; empty: what lies at spec.cwd.
    std::string code;
    /// Where the driver has that code: spec.cwd lies there or below it.
    std::string code_root;
    /// What it means when the scheduler ends us (TERM): preempted or cancelled.
    Cause term = Cause::preempted;
};

Value to_value(const ExecSpec& spec);
/// @throws Error(mismatch) when it is none, or of a newer schema
ExecSpec exec_spec_from(const Value& value);

}  // namespace amp
