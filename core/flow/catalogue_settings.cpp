#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP2xxx: amp.toml.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 9> k_entries = {{
    {"AMP2001", "a default profile that does not exist",
     R"x(`default` names the profile that is used without --on. There is none of this name; "local" always )x"
     "is.",
     R"x(default = "hcp"

[profile.hpc]
backend = "slurm"
)x",
     R"x(default = "hpc"

[profile.hpc]
backend = "slurm"
)x"},
    {"AMP2002", "--set of something that is no setting",
     "A setting is a dotted key and a value: --set profile.hpc.partition=cpu.",
     R"x(# amp run --set partition
[profile.hpc]
backend = "slurm"
)x",
     R"x(# amp run --set profile.hpc.partition=cpu
[profile.hpc]
backend = "slurm"
)x"},
    {"AMP2003", "a variable that names no setting",
     "AMP__A__B is the setting a.b: two underscores between the parts, none of which is empty.",
     R"x(# AMP__STORE__=x amp run
[profile.hpc]
backend = "slurm"
)x",
     R"x(# AMP__STORE__URL=x amp run
[profile.hpc]
backend = "slurm"
)x"},
    {"AMP2004", "a key of another backend",
     "Each backend has keys of its own: ssh host, root and keep_above; slurm host, partition and account; "
     "kubernetes "
     "context and "
     "namespace; batch region and queues. A key that the profile's backend does not know would do nothing, "
     "silently.",
     R"x([profile.hpc]
backend = "slurm"
namespace = "ml"
)x",
     R"x([profile.hpc]
backend = "slurm"
partition = "ml"
)x"},
    {"AMP2005", "a profile without a backend",
     R"x(A profile says where tasks run: backend = "local", "ssh", "slurm", "kubernetes" or "batch".)x",
     R"x([profile.hpc]
partition = "gpu"
)x",
     R"x([profile.hpc]
backend = "slurm"
partition = "gpu"
)x"},
    {"AMP2006", "a flow's name against the project's pattern",
     "[naming] flow is a pattern that the names of all flows of the project match. (Here the flow is "
     "called DemoFlow.)",
     R"x([naming]
flow = "^[a-z]+$"
)x",
     R"x([naming]
flow = "Flow$"
)x"},
    {"AMP2008", "an override of a step that the flow does not have",
     "The profile overrides keys of a step whose name is nearly that of a step of the flow. (Here the flow "
     "has a step train.) Steps of other flows are passed over.",
     R"x(default = "hpc"

[profile.hpc]
backend = "slurm"

[profile.hpc.step.trian]
nodes = 2
)x",
     R"x(default = "hpc"

[profile.hpc]
backend = "slurm"

[profile.hpc.step.train]
nodes = 2
)x"},
    {"AMP2009", "a metric that is compared with no number",
     R"x(A metric of a policy is compared with a number: ">= 0.9".)x",
     R"x([policy.ready]
metrics = { "evaluate.accuracy" = "high" }
)x",
     R"x([policy.ready]
metrics = { "evaluate.accuracy" = ">= 0.9" }
)x"},
    {"AMP2010", "a step on a profile that is not there",
     "`on` names a profile of amp.toml, or local, which is always there. (Here a profile says it for the "
     "step "
     "train; a flow says it in the step.)",
     R"x(default = "here"

[profile.here]
backend = "local"

[profile.hpc]
backend = "slurm"

[profile.here.step.train]
on = "hcp"
)x",
     R"x(default = "here"

[profile.here]
backend = "local"

[profile.hpc]
backend = "slurm"

[profile.here.step.train]
on = "hpc"
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> settings() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
