#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP14xx: references, up to rounds.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 11> k_entries = {{
    {"AMP1401", "an unknown parameter",
     "[params] has no parameter of this name. The message names the nearest one; or add it there with a "
     "default.",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = ["./train", "{{ params.lr }}", "{{ params.lrr }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = ["./train", "{{ params.lr }}"]
)x"},
    {"AMP1402", "a reference without its last part",
     "A step, `env`, `outputs` or `prev` alone is no value: name what you need of it.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.evaluate]
needs = "train"
run = ["./evaluate", "{{ train }}"]
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
    {"AMP1403", "an unknown config",
     "[config] has no entry of this name. Add it there: NAME = \"file.toml\".",
     R"x([flow]
name = "Demo"

[config]
data = "config.toml"

[step.train]
run = ["./train", "{{ config.date.key }}"]
)x",
     R"x([flow]
name = "Demo"

[config]
data = "config.toml"

[step.train]
run = ["./train", "{{ config.data.key }}"]
)x"},
    {"AMP1404", "a config without this key",
     "The file of [config] was read, and has no such key. default() and exists() ask for keys that may be "
     "missing.",
     R"x([flow]
name = "Demo"

[config]
c = "config.toml"

[step.train]
run = ["./train", "{{ config.c.kye }}"]
)x",
     R"x([flow]
name = "Demo"

[config]
c = "config.toml"

[step.train]
run = ["./train", "{{ config.c.key }}"]
)x"},
    {"AMP1405", "no such member of git, run, flow or step",
     "git has commit, branch and dirty; run has id, created and user; flow and step have name.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ git.comit }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ git.commit }}"]
)x"},
    {"AMP1407", "a value that is not known yet there",
     "Lists, conditions and limits are decided before a task starts: there they cannot use its outputs, "
     "its attempt, its round or, for `limit`, items and artifacts.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
foreach = "range(attempt)"
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
foreach = "range(3)"
)x"},
    {"AMP1408", "an output that is not declared",
     "outputs.NAME is the place of an output of this very step, and it declares none of this name.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ outputs.modle }}"]
outputs = { model = "model" }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ outputs.model }}"]
outputs = { model = "model" }
)x"},
    {"AMP1409", "no item here",
     "`item`, `index` and the name in `as` are known in a foreach step and in the steps behind it up to "
     "the join. With `as` the item has that name alone.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
foreach = "params.xs"
as = "x"
run = ["./train", "{{ item }}"]
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
foreach = "params.xs"
as = "x"
run = ["./train", "{{ x }}"]
)x"},
    {"AMP1410", "no rounds here", "`round` and `prev` are known in a step with `repeat`.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ round }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ round }}"]
repeat = { until = "round > 2", max = 9 }
)x"},
    {"AMP1411", "failed() of a step that does not exist", R"x(failed("NAME") asks for a step of the flow.)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.notify]
when = "failed('trian')"
run = "./notify"
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
outputs = { model = "model" }

[step.notify]
when = "failed('train')"
run = "./notify"
)x"},
    {"AMP1412", "failed() or always() outside of `when`",
     "These two make a step a clean-up step, so they stand in its `when` alone. Which tasks failed, a "
     "clean-up step reads from the file $AMP_FAILURES.",
     R"x([flow]
name = "Demo"

[step.train]
run = ["./train", "{{ failed() }}"]
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
when = "failed()"
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> references() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
