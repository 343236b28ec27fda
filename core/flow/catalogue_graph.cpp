#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP13xx: the graph.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 12> k_entries = {{
    {"AMP1301", "a step that does not exist is needed",
     "`needs` names a step that the flow does not have. The message tells the nearest name.",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = "prepaer"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = "prepare"
run = "./train"
)x"},
    {"AMP1302", "steps need each other in a circle",
     "None of these steps could ever start. The message shows one way round. To do a step again and again, "
     "give it `repeat`.",
     R"x([flow]
name = "Demo"

[step.a]
needs = "b"
run = "./a"

[step.b]
needs = "a"
run = "./b"
)x",
     R"x([flow]
name = "Demo"

[step.a]
run = "./a"

[step.b]
needs = "a"
run = "./b"
)x"},
    {"AMP1303", "a step is needed twice",
     "An edge can stand in `needs` once. Two conditions on it are one with `or`.",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = ["prepare", "prepare"]
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = ["prepare"]
run = "./train"
)x"},
    {"AMP1304", "needs inside foreaches that do not fit together",
     "A step runs once an item of the foreaches that are open before it. Two needs inside different "
     "foreaches would give it two different sets of items. Close one of them, or both, by `join`.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.a]
foreach = "params.xs"
run = "./a"
outputs = { m = "m" }

[step.b]
foreach = "params.xs"
run = "./b"

[step.c]
needs = ["a", "b"]
run = "./c"
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.a]
foreach = "params.xs"
run = "./a"
outputs = { m = "m" }

[step.b]
foreach = "params.xs"
run = "./b"

[step.c]
needs = ["a", "b"]
join = true
run = "./c"
)x"},
    {"AMP1305", "foreach and join in one step",
     "A step cannot close one foreach and open the next at once: its list would be needed before what it "
     "joins is there. Put a step between.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.a]
foreach = "params.xs"
run = "./a"
outputs = { m = "m" }

[step.b]
needs = "a"
join = true
foreach = "params.xs"
run = "./b"
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
run = "./j"

[step.b]
needs = "j"
foreach = "params.xs"
run = "./b"
)x"},
    {"AMP1306", "a join without an open foreach",
     "`join` closes a foreach, and none is open before this step. A step that needs several steps waits "
     "for all of them anyway.",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = "prepare"
join = true
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
needs = "prepare"
run = "./train"
)x"},
    {"AMP1307", "the join of a foreach that is not open",
     R"x(join = "STEP" closes the foreach of STEP and all within it; STEP has no foreach, or it is closed )x"
     "already.",
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
join = "b"
run = "./j"
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
join = "a"
run = "./j"
)x"},
    {"AMP1308", "a step that runs at the end is needed",
     "A step with failed() or always() and no needs runs after every other step has ended, so no other "
     "step can wait for it.",
     R"x([flow]
name = "Demo"

[step.notify]
when = "always()"
run = "./notify"

[step.train]
needs = "notify"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[step.notify]
when = "always()"
run = "./notify"

[step.train]
run = "./train"
)x"},
    {"AMP1309", "too many foreaches inside each other",
     "At most 32 foreaches can be open at once. Close some by `join` before.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step]
s0 = { foreach = "params.xs", run = "x" }
s1 = { needs = "s0", foreach = "params.xs", run = "x" }
s2 = { needs = "s1", foreach = "params.xs", run = "x" }
s3 = { needs = "s2", foreach = "params.xs", run = "x" }
s4 = { needs = "s3", foreach = "params.xs", run = "x" }
s5 = { needs = "s4", foreach = "params.xs", run = "x" }
s6 = { needs = "s5", foreach = "params.xs", run = "x" }
s7 = { needs = "s6", foreach = "params.xs", run = "x" }
s8 = { needs = "s7", foreach = "params.xs", run = "x" }
s9 = { needs = "s8", foreach = "params.xs", run = "x" }
s10 = { needs = "s9", foreach = "params.xs", run = "x" }
s11 = { needs = "s10", foreach = "params.xs", run = "x" }
s12 = { needs = "s11", foreach = "params.xs", run = "x" }
s13 = { needs = "s12", foreach = "params.xs", run = "x" }
s14 = { needs = "s13", foreach = "params.xs", run = "x" }
s15 = { needs = "s14", foreach = "params.xs", run = "x" }
s16 = { needs = "s15", foreach = "params.xs", run = "x" }
s17 = { needs = "s16", foreach = "params.xs", run = "x" }
s18 = { needs = "s17", foreach = "params.xs", run = "x" }
s19 = { needs = "s18", foreach = "params.xs", run = "x" }
s20 = { needs = "s19", foreach = "params.xs", run = "x" }
s21 = { needs = "s20", foreach = "params.xs", run = "x" }
s22 = { needs = "s21", foreach = "params.xs", run = "x" }
s23 = { needs = "s22", foreach = "params.xs", run = "x" }
s24 = { needs = "s23", foreach = "params.xs", run = "x" }
s25 = { needs = "s24", foreach = "params.xs", run = "x" }
s26 = { needs = "s25", foreach = "params.xs", run = "x" }
s27 = { needs = "s26", foreach = "params.xs", run = "x" }
s28 = { needs = "s27", foreach = "params.xs", run = "x" }
s29 = { needs = "s28", foreach = "params.xs", run = "x" }
s30 = { needs = "s29", foreach = "params.xs", run = "x" }
s31 = { needs = "s30", foreach = "params.xs", run = "x" }
s32 = { needs = "s31", foreach = "params.xs", run = "x" }
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step]
s0 = { foreach = "params.xs", run = "x" }
)x"},
    {"AMP1310", "an item with the name of a step",
     "The name in `as` would hide the step of that name in all expressions behind it.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
foreach = "params.xs"
as = "prepare"
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.prepare]
run = "./prepare"
outputs = { data = "data" }

[step.train]
foreach = "params.xs"
as = "x"
run = "./train"
)x"},
    {"AMP1311", "two tasks write the same file",
     "A path that begins with ./ is relative to the working folder, which all tasks on a machine share. "
     "The tasks of a foreach, or two steps of which neither comes before the other, would overwrite each "
     "other's file. Without ./ each attempt has a folder of its own.",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
foreach = "params.xs"
run = "./train"
outputs = { model = "./model" }
)x",
     R"x([flow]
name = "Demo"

[params]
xs = [1, 2]

[step.train]
foreach = "params.xs"
run = "./train"
outputs = { model = "model" }
)x"},
    {"AMP1312", "a repetition that can only fail",
     "Without `until` a step is repeated until `max`, and that is a failure. Say when it is done, or "
     R"x(on_max = "ok" if it is always to be done so often.)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
repeat = { max = 3 }
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
repeat = { max = 3, on_max = "ok" }
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> graph() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
