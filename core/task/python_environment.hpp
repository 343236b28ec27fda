#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/value.hpp"
#include "core/ports/task_spec.hpp"

/// Python environments of steps (`environment = { uv | requirements | conda }`).
///
/// What is in one is settled when the run is recorded: core/run/environments reads the files of the project,
/// and stores them as a folder artifact with this in it:
///
///     environment.json     an EnvironmentOrder
///     files/PATH           the files, by their paths in the project
///     exported.txt         of uv: the same for pip, with hashes; for nodes without uv
///     packages/*.whl       for nodes without internet: all that is to be installed
///     pip/*.whl            with these: pip itself, for a Python without it
///
/// Where a task runs, that folder is laid as an input, and what is started is `amp environment-run` in front
/// of its command, in its process group and with its variables (backends/local/environment_run). It makes the
/// environment where there is none yet, and becomes the command. So what the tools print is in the task's
/// log, and cancelling, limits and kills are as for any task.
///
///     CACHE/NAME             a link to the whole environment; there only once that is whole
///     CACHE/NAME.RANDOM/     an environment, at the path that its programs know it by
///     CACHE/NAME.lock        held (flock) by who makes it
///
/// NAME says the key, the machine's kind and the interpreter. Who is killed while it makes one leaves a
/// folder that no link names; the next one removes it.
namespace amp {

inline constexpr std::string_view k_environment_run = "environment-run";
/// Where the folder is laid below $AMP_IN.
inline constexpr std::string_view k_environment_input = ".amp/environment";
/// Two files in $AMP_TASK_DIR: why there is none, and when the command began.
inline constexpr std::string_view k_environment_problem = "environment.problem";
inline constexpr std::string_view k_environment_began = "environment.began";

/// What is to be made.
struct EnvironmentOrder {
    PythonEnvironment::Tool tool = PythonEnvironment::Tool::uv;
    std::string file;       ///< the lock or requirements file, below files/
    std::string python;     ///< as asked for: "3.11"; empty: any
    bool hashes = false;    ///< the requirements file has them
    bool exported = false;  ///< there is exported.txt
    std::string carried;    ///< what packages/ is for ("Python 3.11, x86_64"); empty: nothing is carried
    bool operator==(const EnvironmentOrder&) const = default;
};
Value to_value(const EnvironmentOrder& order);
/// @throws Error(mismatch)
EnvironmentOrder environment_order_from(const Value& value);

/// What the machine has, by path; empty: it has not.
struct EnvironmentTools {
    std::string uv;
    std::string conda;  ///< micromamba, mamba or conda
    std::string python;
    std::string python_version;  ///< "3.11"
    bool venv = true;            ///< `python -m venv` brings pip
};

/// Where things are for the tools.
struct EnvironmentPlaces {
    std::string folder;                 ///< what is made
    std::string files;                  ///< a copy of files/, which tools may write to
    std::string given;                  ///< the folder as it was laid
    std::vector<std::string> packages;  ///< paths of packages/*.whl
    std::string pip;                    ///< path of pip's own; empty: none
};

/// One program to be run.
struct EnvironmentCall {
    std::vector<std::string> words;
    std::string cwd;
    std::vector<std::pair<std::string, std::string>> variables;
};

/// What makes the environment, in order.
/// @throws Error(invalid) where the machine lacks what is needed, with how to get it
std::vector<EnvironmentCall> environment_calls(const EnvironmentOrder& order, const EnvironmentTools& tools,
                                               const EnvironmentPlaces& places);

/// "3.11" of "3.11.7"; what is no such number stays as it is.
std::string minor_python(std::string_view version);

/// Of the environments of one key on one machine. @param interpreter the real path of its Python
std::string environment_name(const std::string& key, const std::string& machine,
                             const std::string& interpreter);

/// Why the tools have failed, from what they have printed.
struct EnvironmentFailure {
    bool temporary = false;  ///< the network, or the disk: it may come off the next time
    bool network = false;
    std::string text;  ///< one line
};
EnvironmentFailure judge_environment_failure(std::string_view output);

}  // namespace amp
