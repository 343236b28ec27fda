#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP14xx: artifacts of steps.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 12> k_entries = {{
    {"AMP1413", "no such artifact of the round before",
     "prev.NAME is what this very step made in the round before, and it makes no NAME.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ default(prev.modle, 0) }}"]
outputs = { model = "m" }
repeat = { until = "round > 2", max = 9 }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ default(prev.model, 0) }}"]
outputs = { model = "m" }
repeat = { until = "round > 2", max = 9 }
)x"},
    {"AMP1414", "a step refers to itself",
     "When a step starts, it has made nothing yet. Where it is to put an output is outputs.NAME; what it "
     "made in the round before is prev.NAME.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ train.model }}"]
outputs = { model = "model" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ outputs.model }}"]
outputs = { model = "model" }
)x"},
    {"AMP1415", "an artifact that the step does not make",
     "The step declares no such output, and its command does not visibly put one (`amp put NAME`, "
     "$AMP_OUT/NAME). What a script makes must be declared in `outputs`, so that a misspelt name is found "
     "before the run and not after hours.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.modle }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.model }}"]
)x"},
    {"AMP1416", "an artifact behind the join of its foreach",
     "The step runs once an item, and the foreach is closed before this step: so there is not one artifact "
     "but a list of them, STEP.*.NAME, in the order of the items. STEP[3].NAME is one of them.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.a]
foreach = "params.xs"
run = "./a"
outputs = { m = "m" }

[step.j]
needs = "a"
join = true
run = ["./j", "{{ a.m }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.a]
foreach = "params.xs"
run = "./a"
outputs = { m = "m" }

[step.j]
needs = "a"
join = true
run = ["./j", "{{ a.*.m }}"]
)x"},
    {"AMP1417", "all items without a join",
     ".* and [3] choose among the items of a foreach that a join has closed. In the same branch there is "
     "one: STEP.NAME.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.*.model }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.model }}"]
)x"},
    {"AMP1418", "a step that does not come before",
     "A step sees what its needs, and their needs in turn, have made. Others may not have run yet: add "
     "them to `needs`.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
run = ["./evaluate", "{{ train.model }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.model }}"]
)x"},
    {"AMP1419", "a clean-up step uses what may be missing",
     "A clean-up step runs when others have failed, so nothing that they make is sure to be there. "
     "default(a.x, v) and exists(a.x) say what to do then.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
when = "always()"
run = ["./evaluate", "{{ train.model }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
when = "always()"
run = ["./evaluate", "{{ default(train.model, 'none') }}"]
)x"},
    {"AMP1420", "an artifact of a step that may be skipped",
     "The step has a condition, and this step runs also when that is false: then its command cannot be "
     "made, and the task fails. default(a.x, b.x) takes the first that exists: this is how branches are "
     "merged.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
run = "./train"
outputs = { model = "model" }

[step.tune]
needs = "train"
when = "len(params.xs) > 1"
run = "./tune"
outputs = { model = "model" }

[step.report]
needs = ["train", "tune"]
run = ["./report", "{{ tune.model }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
run = "./train"
outputs = { model = "model" }

[step.tune]
needs = "train"
when = "len(params.xs) > 1"
run = "./tune"
outputs = { model = "model" }

[step.report]
needs = ["train", "tune"]
run = ["./report", "{{ default(tune.model, train.model) }}"]
)x"},
    {"AMP1421", "an artifact that may be missing",
     "The output is optional, or the step's failure is caught, so that it may have made nothing; and the "
     "error of `catch` is there only after a failure. default() and exists() ask for it.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
catch = true
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train.model }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
catch = true
outputs = { model = "model" }

[step.evaluate]
needs = "train"
when = "exists(train.model)"
run = ["./evaluate", "{{ default(train.model, '') }}"]
)x"},
    {"AMP1422", "a name that nothing has",
     "A bare name in an expression is an artifact that exactly one step before makes. No such step does. A "
     "parameter is params.NAME, and a text needs quotes of its own: 'text'.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ modle }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ model }}"]
)x"},
    {"AMP1423", "a name that several steps make",
     "Two steps before make an artifact of this name: say STEP.NAME.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.tune]
needs = "train"
run = "./tune"
outputs = { model = "model" }

[step.report]
needs = "tune"
run = ["./report", "{{ model }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.tune]
needs = "train"
run = "./tune"
outputs = { model = "model" }

[step.report]
needs = "tune"
run = ["./report", "{{ tune.model }}"]
)x"},
    {"AMP1424", "a secret where it would be seen",
     "Arguments of programs are seen by all users of a machine, and texts of a task stand in the run's "
     "records. "
     "In a `run` that is a text, `{{ params.token }}` becomes a variable of the shell; elsewhere the task "
     "reads "
     "the variable itself.",
     R"x([flow]
name = "Demo"

[params]
token = { type = "secret", env = "TOKEN" }

[step.train]
run = ["./train", "--token", "{{ params.token }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
token = { type = "secret", env = "TOKEN" }

[step.train]
run = "./train --token-from <(echo {{ params.token }})"
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> artifacts() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
