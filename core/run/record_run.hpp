#pragma once

#include <string>

#include "core/run/observer.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Gives the record a time, and an id unless it has one that is free, writes it durably (objects that it
/// names first), and sets its tags.
std::string create_recorded_run(Services& services, OpenStore& store, RunRecord& record);
/// Where a flow lies, for its record: absolute, or "<stdin>".
std::string recorded_path(Services& services, const Flow& flow);
/// Says once per key what the flow asks for and this amp does not act upon yet.
void note_unused_keys(const Flow& flow, RunObserver& observer);

}  // namespace amp
