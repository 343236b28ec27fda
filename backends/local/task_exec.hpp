#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"
#include "core/task/exec_spec.hpp"

namespace amp {

/// What `amp task exec` exits with where that is not the task's own status.
inline constexpr int k_exec_superseded = 211;  ///< the attempt, or the task, is somebody else's, or is done
inline constexpr int k_exec_spec = 212;        ///< the spec cannot be obeyed by this amp
inline constexpr int k_exec_failed = 213;      ///< amp could not do its part: store, inputs, code
inline constexpr int k_exec_bug = 214;

/// Who is told, and where we are.
struct ExecTalk {
    int echo_fd = -1;                             ///< gets what the task prints, as it comes; -1: nobody does
    std::function<void(const std::string&)> say;  ///< our own remarks
    std::map<std::string, std::string, std::less<>> environment;
};

/// Does one attempt of a task in this process, where no keeper is: claims it, lays code and inputs, runs it
/// as a keeper would, and commits how it ended (core/task/claim). Takes over the process: its signals are
/// blocked, and it becomes the subreaper of the task's. TERM, USR1 and HUP mean that we are being preempted,
/// INT that the attempt is cancelled.
/// @throws Error when the store cannot be read or written
/// @return what to exit with
int exec_task(const ExecSpec& spec, ObjectStore& objects, AppendFiles& files, const ExecTalk& talk);

/// As exec_task, of a spec as text; tells of all that fails.
int task_exec_main(const std::string& spec, const ExecTalk& talk);

}  // namespace amp
