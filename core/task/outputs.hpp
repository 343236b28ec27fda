#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/object_store.hpp"
#include "core/ports/task_spec.hpp"
#include "core/store/packs.hpp"
#include "core/task/masker.hpp"

namespace amp {

/// Where the outputs of one attempt lie, and where they go.
struct OutputPlaces {
    std::string out_folder;  ///< $AMP_OUT
    std::string cwd;         ///< for outputs that begin with "./"
    ObjectStore& store;
    PackWriter& packs;
    Timestamp now;
    /// What the task has told, where it told something: a declared output of type `metrics` that was not
    /// written is the last value of each metric.
    const TaskReport* told = nullptr;
    /// Folders that inputs may be links into, each with a "/" at its end. Such a link in a folder that is an
    /// output, as `cp -r` leaves it, is stored as the file that it shows.
    std::vector<std::string> input_sources = {};
    /// Of the secrets that no value may hold, and whose task fails then: values stand in the run's records,
    /// where everyone who can read the store sees them. Files are the user's own, and are kept as they are.
    /// nullptr: there are none.
    const MaskPatterns* masks = nullptr;
};

struct CollectedOutputs {
    std::map<std::string, Artifact> artifacts;
    std::vector<std::string>
        problems;  ///< why the attempt has failed: a declared output is missing or is not what it should be
    std::map<std::string, double> metrics;  ///< what was written as declared outputs of type `metrics`
    std::vector<std::string> notes;         ///< for its log: what was left out, and why
};

/// Stores what a task made: the declared outputs, and whatever else lies in $AMP_OUT: `NAME.json` a value,
/// other files and folders the artifact NAME. Values up to 4 KiB of canonical JSON go in line, up to 64 KiB
/// into a pack, larger ones and files become objects, folders manifests. Call ObjectStore::sync_pending
/// before a record names them.
/// @throws Error when the store cannot be written
CollectedOutputs collect_outputs(const TaskSpec& spec, const OutputPlaces& places);

/// [A-Za-z_][A-Za-z0-9_]*
bool is_artifact_name(std::string_view name);

}  // namespace amp
