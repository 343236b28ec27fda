#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP16xx: what the place where a flow runs does not have.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 9> k_entries = {{
    {"AMP1601", "more processors than there are",
     "The task could never start on this machine. Steps of profiles that run elsewhere are not looked at.",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { cpu = 64 }
)x",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { cpu = 8 }
)x"},
    {"AMP1602", "more memory than there is",
     "The task could never start on this machine. Steps of profiles that run elsewhere are not looked at.",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { memory = "64G" }
)x",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { memory = "8G" }
)x"},
    {"AMP1603", "more GPUs than there are",
     "The task could never start on this machine. Steps of profiles that run elsewhere are not looked at.",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { gpu = 4 }
)x",
     R"x(# on a machine with 8 processors, 16 GiB of memory and 1 GPU
[flow]
name = "Demo"

[step.train]
run = "./train"
resources = { gpu = 1 }
)x"},
    {"AMP1604", "a variable that is not set",
     "`env.X` is the variable X of the environment in which `amp run` is started. `amp validate` warns, as "
     "the flow may "
     "run elsewhere; at the start of a run it is an error if the run is sure to need it.",
     R"x(# where DATA_ROOT is not set
[flow]
name = "Demo"

[step.train]
run = ["./train", "{{ env.DATA_ROOT }}"]
)x",
     R"x(# where DATA_ROOT is not set
[flow]
name = "Demo"

[step.train]
run = ["./train", "{{ default(env.DATA_ROOT, '/data') }}"]
)x"},
    {"AMP1605", "no git",
     "`git.commit`, `git.branch` and `git.dirty` are known where the project's folder is a git work tree "
     "with at least "
     "one commit, and the program git is there.",
     R"x(# where there is no git
[flow]
name = "Demo"

[step.train]
run = ["./train", "--version", "{{ git.commit }}"]
)x",
     R"x(# where there is no git
[flow]
name = "Demo"

[step.train]
run = ["./train", "--version", "{{ default(git.commit, 'none') }}"]
)x"},
    {"AMP1606", "a secret that is not there",
     "A step names a secret whose variable is not set here, or whose file does not exist. `amp validate` "
     "warns, "
     "as the flow may run elsewhere; no run starts without its secrets.",
     R"x(# where TOKEN is not set
[flow]
name = "Demo"

[step.train]
run = "./train"
secrets = ["TOKEN"]
)x",
     R"x(# where TOKEN is not set
[flow]
name = "Demo"

[step.train]
run = "./train"
secrets = { TOKEN = "cmd:pass show token" }
)x"},
    {"AMP1607", "more ranks than one machine can have",
     "On the backend local a gang's nodes are all this machine, and each of its ranks is a process: at most "
     "1024.",
     R"x(# on one machine
[flow]
name = "Demo"

[step.train]
run = "./train"
nodes = 2048
resources = { cpu = 0.001 }
)x",
     R"x(# on one machine
[flow]
name = "Demo"

[step.train]
run = "./train"
nodes = 4
resources = { cpu = 0.25 }
)x"},
    {"AMP1608", "a container without an image",
     "A step with `container = true` runs its tasks in a container, and `image` says what is in that.",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
container = true
)x",
     R"x([flow]
name = "Demo"

[step.train]
run = "./train"
container = true
image = "python:3.12"
)x"},
    {"AMP1609", "an environment without its file",
     "A step's Python environment is made from a file of the project: uv.lock beside its pyproject.toml, a "
     "requirements file, or an environment file of conda. It is looked for from the project's folder.",
     R"x(# where there is no requirements/train.txt, but a requirements.txt
[flow]
name = "Demo"

[step.train]
run = "python train.py"
environment = { requirements = "requirements/train.txt" }
)x",
     R"x(# where there is no requirements/train.txt, but a requirements.txt
[flow]
name = "Demo"

[step.train]
run = "python train.py"
environment = { requirements = "requirements.txt" }
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> requests() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
