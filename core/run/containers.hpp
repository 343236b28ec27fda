#pragma once

#include <functional>
#include <string>

#include "core/flow/model.hpp"
#include "core/flow/subflows.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"
#include "core/task/engines.hpp"

/// Tasks in containers on this machine. What a run knows of them stands in its record as
/// `profiles.local.containers`: {all, engine, images: {NAME: {digest, reference}}}.
namespace amp {

/// The image that a task of the step runs in; empty: it runs without.
/// @param all also where `container` is not said: elsewhere than on this machine, or with --container
/// @throws Error(invalid) when an expression fails, or gives no name
std::string contained_image(const Step& step, const Scope& scope, bool all);

/// How a task runs in its container, as the run has recorded it.
struct RecordedContainer {
    std::string image;   ///< as the engine knows it: empty: the task runs without
    std::string digest;  ///< for the definition: the image's name where it was not known
    std::string engine;  ///< as the variable has it; empty: it is elsewhere
};
/// @param here the task runs on this machine
RecordedContainer recorded_container(const Step& step, const Scope& scope, const RunRecord& record,
                                     bool here);

/// As though [containers] said all = true.
void contain_all(Value& settings);

/// Which engine is wanted: [containers] engine, else $AMP_CONTAINER_ENGINE; empty: whichever answers.
std::string wanted_engine(const Services& services, const Value& settings);

/// Puts into the record what is to be known before the run begins: which engine there is, and which images
/// the tasks will have, each looked at once, as far as they can be known.
/// @param subflows whose runs will have what is recorded here
/// @param pull those that are not there; else they are left out
/// @param tell hears of each which it is
/// @throws Error(infrastructure) when no engine answers, or an image cannot be had; Error(interrupted)
void record_containers(Services& services, const Value& settings, const Flow& flow, const Subflows& subflows,
                       RunRecord& record, bool pull, const std::function<void(const std::string&)>& tell);

/// Of a run that goes on: does its engine answer? @throws Error(infrastructure)
void check_engine(Services& services, const RunRecord& record);

}  // namespace amp
