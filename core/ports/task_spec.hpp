#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/ports/task_report.hpp"

namespace amp {

/// A part of a text whose path is known only where the task runs.
struct Piece {
    enum class Kind {
        text,    ///< as it is
        input,   ///< "$AMP_IN/" + text
        output,  ///< "$AMP_OUT/" + text
    };
    Kind kind = Kind::text;
    std::string text;
    bool operator==(const Piece&) const = default;
};
/// Pieces to be put together on the node; most have one.
using LateText = std::vector<Piece>;

/// An artifact where it lies: a value in line, a value in a pack, a file as an object, a folder as a manifest
/// object.
struct Artifact {
    enum class Kind { value, file, folder };
    Kind kind = Kind::value;
    std::optional<Value> value;  ///< of a value up to 4 KiB of JSON; larger ones are read by sha256 or pack
    std::string sha256;          ///< of the content (value: of its canonical JSON)
    std::uint64_t size_bytes = 0;
    std::string pack;  ///< of a value up to 64 KiB: key of the pack file, else empty (then an object)
    std::uint64_t pack_offset = 0;
    bool operator==(const Artifact&) const = default;
};

/// An artifact to be laid at $AMP_IN/<path> before the task starts. Values are laid as `<path>.json`.
struct TaskInput {
    std::string path;
    Artifact artifact;
};

/// An output that the step declares.
struct TaskOutput {
    enum class Type { automatic, file, dir, json, text, metrics };
    std::string name;
    std::string path;  ///< relative to $AMP_OUT, or to the working folder when it begins with "./"
    Type type = Type::automatic;
    bool optional = false;
};

struct Resources {
    double cpu = 1;
    std::uint64_t memory_bytes = 0;  ///< 0: unaccounted
    std::uint32_t gpu = 0;
    bool operator==(const Resources&) const = default;
};

/// How much is kept of what a task prints: its beginning, and of what follows the end.
struct LogCap {
    static constexpr std::uint64_t k_all = std::uint64_t{1} << 62;
    std::uint64_t head_bytes = std::uint64_t{16} << 20;
    std::uint64_t tail_bytes = std::uint64_t{1} << 20;  ///< held in memory, twice at most
};

/// Who starts the ranks of a gang, and which framework's variables they find; flow-format.md, `launcher`.
enum class Launcher { none, torchrun, accelerate, deepspeed, ray, mpi, tensorflow };
std::string_view launcher_name(Launcher launcher);
std::optional<Launcher> parse_launcher(std::string_view name);

/// Of a gang, on one machine.
inline constexpr std::uint32_t k_most_ranks = 1024;

/// A task of several processes, its ranks, which run at once or not at all: `tasks_per_node` on each node.
struct Gang {
    std::uint32_t nodes = 1;
    std::uint32_t tasks_per_node = 1;
    Launcher launcher = Launcher::none;

    std::uint32_t world() const { return nodes * tasks_per_node; }
    bool operator==(const Gang&) const = default;
};

/// What a task runs in, where it is not the machine itself.
struct Container {
    std::string image;  ///< as the engine knows it
    bool operator==(const Container&) const = default;
};

/// What is sampled of a task while it runs, and told as its metrics ("system/cpu", …).
struct Monitor {
    double interval_s = 10;  ///< 0: nothing is
    bool gpu = true;         ///< where there are GPUs, and what shows them
    bool neuron = true;
    double hang_s = 0;  ///< so long without output or progress: it hangs, and is ended; 0: never
    bool operator==(const Monitor&) const = default;
};

/// A Python environment that a node makes once, by its key, before the first task that needs it.
struct PythonEnvironment {
    enum class Tool { uv, requirements, conda };
    Tool tool = Tool::uv;
    std::string key;  ///< hash of all that decides what is in it
    Artifact files;   ///< a folder: the lock file and what it names; and for nodes without internet, packages
    bool operator==(const PythonEnvironment&) const = default;
};
std::string_view environment_tool_name(PythonEnvironment::Tool tool);

/// One attempt of one task, as a backend gets it: it holds all that is needed to run, and nothing of the
/// flow.
struct TaskSpec {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string profile;         ///< whose backend has it, which is not told; empty: this machine
    std::string token;           ///< names this attempt to the world: in the environment as AMP_TOKEN
    std::vector<LateText> argv;  ///< list form; or for the string form the shell, its script last
    /// Added to the environment, in this order: env, params, AMP_*. The keeper adds AMP_IN, AMP_OUT and the
    /// like.
    std::vector<std::pair<std::string, LateText>> env;
    /// Variables whose values no spec holds, with the keys of their secrets: the keeper has been told these.
    std::vector<std::pair<std::string, std::string>> secrets;
    bool inherit_env = true;  ///< the caller's environment below it
    std::string cwd;          ///< absolute; empty: the task's scratch folder
    std::vector<TaskInput> inputs;
    std::vector<TaskOutput> outputs;
    Resources resources;       ///< of a gang: of each node
    std::optional<Gang> gang;  ///< unset: one process
    std::optional<Container> container;
    double timeout_s = 0;  ///< 0: none
    double grace_s = 10;   ///< between TERM and KILL
    int priority = 0;
    double checkpoint_s = 0;  ///< how often $AMP_CHECKPOINT is saved; 0: there is none
    /// Folders that persist on the node: key, and where the task has it (below `cwd` when relative).
    std::vector<std::pair<std::string, std::string>> cache_dirs;
    LogCap log;
    Monitor monitor;
    std::optional<PythonEnvironment> environment;
    double hold_s = 0;  ///< how long a failed attempt keeps its folders and its place for `amp shell`
};

/// What the attempt needs at once, all nodes together.
Resources total_resources(const TaskSpec& spec);

/// Why an attempt failed; flow-format.md, "Retry".
enum class Cause { none, user, timeout, oom, evicted, preempted, image, node, quota, lost, infra, cancelled };
std::string_view cause_name(Cause cause);
std::optional<Cause> parse_cause(std::string_view name);

/// How one process of a gang ended.
struct RankEnd {
    int exit = 0;    ///< exit status; -1 when it died of a signal
    int signal = 0;  ///< TERM and KILL are mostly ours: the gang ended before it did
    bool operator==(const RankEnd&) const = default;
};

/// How an attempt ended.
struct AttemptResult {
    TaskName task;
    std::uint32_t attempt = 1;
    Cause cause = Cause::none;  ///< none: succeeded
    int exit = 0;               ///< exit status; -1 when it died of a signal or never ran
    int signal = 0;
    std::string message;  ///< evidence, for people: "killed by signal 9 (KILL)", "output 'model' is missing"
    Timestamp started;
    Timestamp ended;
    double cpu_s = 0;  ///< user + system
    std::uint64_t max_rss_bytes = 0;
    std::map<std::string, Artifact> artifacts;
    std::vector<LogPiece> log;    ///< in order, of a gang rank by rank; empty when it wrote nothing
    std::uint64_t log_bytes = 0;  ///< written by the task
    std::uint64_t log_dropped_bytes = 0;
    std::shared_ptr<const TaskReport> report;  ///< what it told while it ran; nullptr: nothing
    std::vector<RankEnd> ranks;                ///< of a gang of several processes that was started
    std::optional<std::uint32_t> failed_rank;  ///< of these the first to fail, which gave the cause

    bool succeeded() const { return cause == Cause::none; }
};

Value to_value(const TaskSpec& spec);
TaskSpec task_spec_from(const Value& value);
Value to_value(const AttemptResult& result);
AttemptResult attempt_result_from(const Value& value);
Value to_value(const Artifact& artifact);
Artifact artifact_from(const Value& value);

}  // namespace amp
