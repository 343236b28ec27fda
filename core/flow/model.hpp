#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/boxed.hpp"
#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/interpolation.hpp"
#include "core/flow/text_template.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// A value of a step that may be an expression: the value as written, and its template when it holds `{{ }}`.
/// Strings inside tables and lists are templates of their own, found by walking `value` again: see
/// core/flow/setting.hpp.
struct Setting {
    Value value;
    std::optional<TextTemplate> text;  ///< set when `value` is a string with `{{ }}`
    Place place;
};

struct Need {
    std::string step;
    std::optional<Expression> when;  ///< a condition on the edge
    Place place;
};

struct RetryPolicy {
    std::uint32_t times = 0;        ///< retries after the first attempt
    std::optional<double> delay_s;  ///< unset: none, but for causes that are not the task's fault
    double backoff = 1;
    double max_delay_s = 3600;
    double jitter = 0;  ///< share of the delay, 0 to 1
    std::vector<Cause> on = {Cause::user, Cause::timeout, Cause::oom};
    std::map<std::string, double> grow;  ///< resource → factor, after oom
};

struct Repeat {
    std::optional<Expression> until;
    std::uint32_t max = 0;
    bool on_max_ok = false;
};

/// Take over the result of an equal definition from any run.
struct CachePolicy {
    std::optional<double> ttl_s;  ///< of results that are younger; unset: of any age
};

/// What a task waits for before it is ready: people, or the world. All that is given must come.
struct Wait {
    bool approval = false;
    std::optional<TextTemplate> file;  ///< until it exists
    std::optional<TextTemplate> url;   ///< until it answers 2xx
    std::optional<Expression> until;   ///< until it is true; a time: until then
    std::optional<double> timeout_s;
};

/// A folder that persists across tasks and runs on a node.
struct CacheFolder {
    std::string key;
    TextTemplate folder;
};

/// A Python environment of its own, as written: from a lock or requirements file of the project.
struct EnvironmentSource {
    PythonEnvironment::Tool tool = PythonEnvironment::Tool::uv;
    std::string file;
};

/// resources as written; each may be an expression. Evaluated with core/flow/setting.hpp.
using ResourceSettings = std::map<std::string, Setting, std::less<>>;

struct Step {
    std::string name;
    Place place;

    // What to run: exactly one of command (string form), arguments (list form), subflow.
    std::optional<ShellCommand> command;
    std::vector<std::string> shell = {"bash", "-euo", "pipefail", "-c"};
    std::vector<TextTemplate> arguments;
    std::string subflow;            ///< a flow file, from the folder of the file that this step stands in
    Boxed<Setting> subflow_params;  ///< a table: what the sub-flow is given

    std::vector<Need> needs;
    std::optional<Expression> foreach;
    std::string as = "item";
    bool joins = false;
    std::string
        join_step;  ///< with `joins`: closes this step's foreach and all within it; empty: the innermost
    std::optional<Expression> when;
    Boxed<Repeat> repeat;
    std::vector<std::string> params;  ///< declared; "*" for all
    struct Input {
        std::string path;   ///< below $AMP_IN; empty: "STEP/NAME"
        Expression source;  ///< a reference to an artifact
    };
    std::vector<Input> inputs;
    std::vector<TaskOutput> outputs;
    std::vector<std::string> sources;
    std::vector<std::pair<std::string, TextTemplate>> env;
    std::vector<std::pair<std::string, std::string>> secrets;  ///< variable and source ("env:TOKEN")
    Boxed<TextTemplate> cwd;
    ResourceSettings resources;
    Boxed<Setting> on;  ///< the profile that runs it; unset: that of the run
    // Of a gang; the first set of these makes it one.
    Boxed<Setting> nodes;
    Boxed<Setting> tasks_per_node;
    Boxed<Setting> launcher;
    Boxed<Setting> image;
    Boxed<Setting> container;  ///< true: in its image on this machine too
    RetryPolicy retry;
    Boxed<Setting> timeout;
    LogCap log;
    std::string catch_as;  ///< the artifact's name; empty: not caught
    Boxed<Setting> limit;
    Boxed<Setting> priority;
    std::optional<CachePolicy> cache;
    std::optional<double> checkpoint_s;  ///< how often $AMP_CHECKPOINT is saved; unset: there is none
    std::vector<CacheFolder> cache_dirs;
    Boxed<Wait> wait;
    std::optional<EnvironmentSource> environment;
    Monitor monitor;

    /// Keys that load and validate but are not acted upon yet, with their places ("slurm", "max_wait", …).
    std::map<std::string, Setting> later;
    /// Where its keys stand (those that it has from [defaults] too).
    std::vector<std::pair<std::string_view, Place>> key_places;

    /// What is left of keys with mistakes, so that these hide no others and make none up.
    struct Broken {
        std::vector<std::string_view> keys;  ///< what they say is not, or not all of it, in the step
        std::vector<std::pair<std::string_view, Expression>> expressions;  ///< of their texts, with the key
        std::string commands;  ///< the text of `run`: what it makes can be seen in it
    };
    Boxed<Broken> broken;

    /// Of a key, or of the step where it has no such key.
    Place place_of(std::string_view key) const;
    /// Was the key given, but with a mistake?
    bool is_broken(std::string_view key) const;
    bool is_gang() const { return nodes || tasks_per_node || launcher; }
    /// It has nothing to run: it waits, and has then succeeded.
    bool only_waits() const { return wait && !command && arguments.empty() && subflow.empty(); }
    bool is_cleanup() const { return when && when->is_cleanup(); }
};

struct Parameter {
    enum class Type { string, integer, floating, boolean, list, object, file, secret };
    std::string name;
    Type type = Type::string;
    std::optional<Value> fallback;  ///< the default
    std::vector<Value> choices;
    std::optional<double> min;
    std::optional<double> max;
    std::string pattern;
    std::string help;
    std::string env;
    bool required = false;
    Place place;
};

struct ConfigFile {
    std::string name;
    std::string file;
    bool required = true;
    std::string env;
    Place place;
};

/// A flow as loaded: plain data, valid when its Diagnostics have no errors.
struct Flow {
    std::string name;
    std::string description;
    std::string project;
    std::vector<std::string> tags;
    std::optional<Setting> max_workers;
    bool keep_going = false;
    std::string concurrency = "allow";  ///< or queue, skip, replace: while another run of the flow is on
    double timeout_s = 0;
    double cleanup_timeout_s = 600;
    std::string code_mode = "files";        ///< or image, image+diff: where the code of a run is
    std::vector<std::string> code_include;  ///< globs of what of the project is code; empty: all
    std::vector<std::string> code_exclude;
    std::vector<Parameter> params;
    std::vector<ConfigFile> config;
    std::vector<Step> steps;               ///< in the order of the file
    std::map<std::string, Setting> later;  ///< keys of [flow] not acted upon yet

    /// Statements with syntax errors were left out, so what seems to be missing may stand there: references
    /// are not checked.
    bool incomplete = false;

    std::string path;    ///< of the file, as given
    std::string source;  ///< its text
    /// Linear: in loops use Graph::id.
    const Step* find(std::string_view step) const;
};

}  // namespace amp
