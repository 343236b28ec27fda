#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP10xx: syntax and form.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 26> k_entries = {{
    {"AMP1001", "the file is no valid TOML",
     "The line breaks the rules of TOML: a text without quotes, a missing value, a bracket or quote that "
     "is never closed. Several such lines are told in one go; what refers to something is checked only "
     "when the file can be read as a whole.",
     R"x([flow]
name = "Demo"

[step.train]
run = ./train
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
)x"},
    {"AMP1002", "a key or table is given twice",
     "TOML allows each key of a table once, and each [table] once. Of two [step.NAME] with the same name "
     "one must be renamed, or both joined.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = 1
retry = 2
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = 2
)x"},
    {"AMP1003", "the file is too large",
     "At most 8 MiB are read. A flow of ten thousand steps has about one: what is larger holds data, which "
     "belongs in files of its own, named in [config] or given as parameters of the type file.",
     "", ""},
    {"AMP1004", "the file is no text",
     "The file holds a NUL byte or bytes that are not UTF-8. The message tells the line and column of the "
     "first. Save the file as UTF-8.",
     "", ""},
    {"AMP1005", "nested too deeply",
     "Brackets and dotted keys may nest 64 levels deep. Deeper data belongs in a file of its own, named in "
     "[config].",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
slurm = { x = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
slurm = { x = [[1]] }
)x"},
    {"AMP1010", "unknown key",
     "The table has no such key. Unknown keys are errors, since a misspelt one would otherwise silently do "
     "nothing. The message names the nearest key that there is.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
timeot = "3h"
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
timeout = "3h"
)x"},
    {"AMP1011", "a value of the wrong type",
     "The key takes another type of value; the message says which one was found and which is expected. "
     R"x(Where a number may be computed, an expression in quotes is fine as well: limit = "{{ params.n }}".)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
needs = 3
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
needs = []
)x"},
    {"AMP1012", "a required key is missing",
     "The table cannot do without this key: [flow] needs `name`, `repeat` needs `max`, an output table "
     "needs `path`.",
     R"x([flow]
description = "trains"

[step.train]
run = "./train"
)x",
     R"x([flow]
name = "Demo"
description = "trains"

[step.train]
run = "./train"
)x"},
    {"AMP1013", "none of the possible words",
     "The key takes one of a few words. The message names the nearest one, or all of them.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = { times = 2, on = ["ooom"] }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = { times = 2, on = ["oom"] }
)x"},
    {"AMP1014", "a number out of range", "The number is smaller or larger than the key allows.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = -1
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
retry = 1
)x"},
    {"AMP1015", "an empty value", "The key is there, but says nothing: give it a value, or leave it out.",
     R"x([flow]
name = "Demo"

[step.train]
run = ""
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
)x"},
    {"AMP1016", "no valid name",
     "Steps are called [a-z][a-z0-9_]*, flows [A-Za-z][A-Za-z0-9_-]*, parameters, artifacts and variables "
     "[A-Za-z_][A-Za-z0-9_]*: these names become parts of paths, variables and expressions everywhere.",
     R"x([flow]
name = "Demo"

[step.Train-It]
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.train_it]
run = "./train"
)x"},
    {"AMP1017", "a reserved word as a name",
     "Expressions know steps and items by their names, so these cannot have the name of a function, or be "
     "one of the words params, config, git, item, index, round, prev, outputs, env, run, flow, step and "
     "attempt.",
     R"x([flow]
name = "Demo"

[step.join]
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.join_all]
run = "./train"
)x"},
    {"AMP1018", "no duration",
     R"x(Durations are written "90s", "15m", "1h30m" or "2d"; a bare number counts seconds.)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
timeout = "3 hours"
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
timeout = "3h"
)x"},
    {"AMP1019", "no size",
     R"x(A size needs its unit: "64G" is 64 times 10^9 bytes, "64Gi" 64 times 2^30. A bare number is an )x"
     "error, since backends read it in different units.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
resources = { memory = 64 }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
resources = { memory = "64G" }
)x"},
    {"AMP1020", "an expression where none can stand",
     "Names, needs, paths of outputs and retries must be known before the run, so they cannot be computed. "
     "And `foreach`, `when` and `until` are expressions anyway: they are written without {{ }}.",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
when = "{{ params.lr > 0 }}"
)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
when = "params.lr > 0"
)x"},
    {"AMP1021", "no schedule",
     "A schedule has five fields: minute, hour, day of the month, month, day of the week. Each is a "
     "number, a range 1-5, a list 1,3, a * or a step */15. Or it is @hourly, @daily, @weekly, @monthly or "
     "@yearly.",
     R"x([flow]
name = "Demo"
schedule = "0 25 * * *"

[step.train]
run = "./train"
)x",
     R"x([flow]
name = "Demo"
schedule = "0 5 * * *"

[step.train]
run = "./train"
)x"},
    {"AMP1022", "no time zone",
     R"x(A time zone is one of IANA's names, such as "Europe/Berlin" or "UTC", with its capitals.)x",
     R"x([flow]
name = "Demo"
timezone = "Europe Berlin"

[step.train]
run = "./train"
)x",
     R"x([flow]
name = "Demo"
timezone = "Europe/Berlin"

[step.train]
run = "./train"
)x"},
    {"AMP1023", "a path that leaves its folder",
     "Outputs lie below $AMP_OUT, or with ./ below the working folder; inputs below $AMP_IN; `cwd` is a "
     "folder of the project. Absolute paths and .. would write where other tasks do.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "/tmp/model" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }
)x"},
    {"AMP1024", "no source of a secret",
     "A secret's value never stands in a file of the project. What stands there is where it lies: file:, "
     "env:, aws:, kube: or cmd:.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
secrets = { TOKEN = "hunter2" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
secrets = { TOKEN = "env:TOKEN" }
)x"},
    {"AMP1025", "no regular expression",
     "Patterns are regular expressions as JavaScript has them, of at most 512 bytes and without "
     "back-references. They match anywhere in the text, unless ^ and $ anchor them.",
     R"x([flow]
name = "Demo"

[params]
name = { default = "a", pattern = "^(a" }

[step.train]
run = "./train"
params = ["name"]
)x",
     R"x([flow]
name = "Demo"

[params]
name = { default = "a", pattern = "^(a)" }

[step.train]
run = "./train"
params = ["name"]
)x"},
    {"AMP1026", "keys that exclude each other",
     "A step either runs a command (`run`) or another flow (`flow`). A table of `params` gives values to a "
     "sub-flow; a step with `run` lists the names of the parameters that it uses.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
flow = "other.toml"
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
)x"},
    {"AMP1027", "a flow or step that does nothing",
     "A flow needs at least one step, and a step `run`, `flow` or `wait`.",
     R"x([flow]
name = "Demo"

[step.train]
env = { SEED = "7" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
env = { SEED = "7" }
)x"},
    {"AMP1028", "two outputs in one place",
     "Two outputs of a step have the same path or name, or the error that `catch` keeps has the name of an "
     "output.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { a = "model", b = "model" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { a = "model", b = "best" }
)x"},
    {"AMP1029", "something that is no artifact",
     R"x(`inputs` names artifacts that other steps make: "train.model", "model", or behind a join )x"
     R"x("train.*.model". Parameters and computed values are used in `run` or `env`. )x"
     R"x(The outputs of a sub-flow name what a step there makes: { url = "publish.url" }.)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
inputs = ["params.lr"]
)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = ["./train", "{{ params.lr }}"]
)x"},
    {"AMP1030", "a variable of amp's own",
     "amp tells each task who it is and what it is given in variables of its own: AMP_TASK, AMP_OUT, "
     "AMP_PARAM_NAME and others. Names that begin with AMP_V or amp_v hold the values of `{{ }}` in a "
     "script.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
env = { AMP_OUT = "results" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
env = { RESULTS = "results" }
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> form() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
