#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP17xx: flows that steps run.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 6> k_entries = {{
    {"AMP1701", "the flow of a step is not there",
     "`flow` names a flow file of the project, from the folder of the file that it stands in.",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "../elsewhere.toml"
)x",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
)x"},
    {"AMP1702", "a flow that runs itself",
     "A flow cannot be a step of itself, not by way of others either: it would never end.",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "flow.toml"
)x",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
)x"},
    {"AMP1703", "sub-flows too deep", "A sub-flow may have sub-flows, down to a depth of 8.",
     R"x(# beside d1.toml, which runs d2.toml, and so on to d9.toml, which runs a command
[flow]
name = "Demo"

[step.deploy]
flow = "d1.toml"
)x",
     R"x(# beside d1.toml, which runs d2.toml, and so on to d9.toml, which runs a command
[flow]
name = "Demo"

[step.deploy]
flow = "d2.toml"
)x"},
    {"AMP1704", "a sub-flow is given other parameters than it has",
     "`params` of a step with `flow` gives values to the parameters of that flow: each by its name, of its "
     "type, and all that have no default.",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { dya = "2026-11-20", day = "2026-11-20" }
)x",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
)x"},
    {"AMP1705", "an output that the sub-flow does not make",
     "The outputs of a step with `flow` name artifacts of that flow as STEP.NAME, of steps outside of any "
     "foreach.",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
outputs = { url = "publish.uri" }
)x",
     R"x(# beside other.toml, which has the parameter `day` and a step `publish` that makes `url`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
outputs = { url = "publish.url" }
)x"},
    {"AMP1706", "a sub-flow in Python",
     "Flows in Python are checked by `amp validate`, but not run by this version of amp, as sub-flows "
     "neither.",
     R"x(# beside other.py
[flow]
name = "Demo"

[step.deploy]
flow = "other.py"
)x",
     R"x(# beside other.toml, which has the parameter `day`
[flow]
name = "Demo"

[step.deploy]
flow = "other.toml"
params = { day = "2026-11-20" }
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> subflows() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
