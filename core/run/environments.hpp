#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/flow/model.hpp"
#include "core/flow/subflows.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"

/// The Python environments of a run's steps, as RunRecord::environments has them:
///
///     {"uv:uv.lock": {tool, file, key, python, hashes, files: an artifact,
///                     carried: {PROFILE: {for: "Python 3.11, x86_64", files: an artifact}}}}
///
/// They are locked: whatever the project's files become, a run and those that go on from it (`amp resume`)
/// have what was recorded, until `--relock` takes what the files say by then. The key is part of the
/// definition of the step's tasks. What the artifacts hold stands in core/task/python_environment.hpp.
///
/// Carried is what tasks need that run elsewhere than on this machine, where the profile does not say
/// `carry = false`: the packages, downloaded here once for each key and kind of machine, and sent as objects,
/// of which those cross that are not there yet. Which Python the other machine has, `carry = { python,
/// machine }` says; without, it is as here. Environments of conda are not carried.
namespace amp {

/// Puts into the record what the steps of a flow, and of those that it runs, will need and the record has not
/// yet.
/// @param store gets the files and packages; null: only keys are recorded
/// @param tell hears what lasts
/// @throws Error when a file is missing, or packages cannot be had; Error(interrupted)
void record_environments(Services& services, const OpenStore* store, const Flow& flow,
                         const Subflows& subflows, RunRecord& record,
                         const std::function<void(const std::string&)>& tell);

/// That of a step's tasks, on the backend of a profile (empty: this machine's); nullopt: it has none.
std::optional<PythonEnvironment> locked_environment(const Step& step, const RunRecord& record,
                                                    const std::string& profile);

/// {file: key} of all that is recorded.
Value environment_keys(const RunRecord& record);

/// The files of recorded environments that are others by now, or are gone.
std::vector<std::string> changed_environments(Services& services, const RunRecord& record);

/// Takes those out of the record whose files are others by now, so that they are recorded anew.
void unlock_environments(Services& services, RunRecord& record);

}  // namespace amp
