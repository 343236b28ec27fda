#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backends/agent/far_messages.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// A spec on its way to another machine.
struct FarSpec {
    TaskSpec spec;
    std::vector<agent::SizedObject> needs;  ///< must be there before it
    bool needs_code = false;                ///< so must the run's code
};

/// Reads the bytes of a value that lies in a pack, and keeps them as an object.
using KeepValue = std::function<void(const Artifact&)>;
/// Reads the manifest of a folder artifact: its files.
using ListFolder = std::function<std::vector<agent::SizedObject>(const Artifact&)>;

/// What it takes of this machine is named as objects, and nothing of its environment goes along.
FarSpec make_far(TaskSpec spec, const std::string& project_folder, const KeepValue& keep,
                 const ListFolder& list);
/// Its working folder, there: what lies in the project lies in `code_folder`. Empty: there is no code, and it
/// works in its own folder.
void place_far(TaskSpec& spec, const std::string& project_folder, const std::string& code_folder);

}  // namespace amp
