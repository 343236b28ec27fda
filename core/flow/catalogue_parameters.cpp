#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP15xx: parameters and configuration.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 17> k_entries = {{
    {"AMP1502", "a default of another type",
     "The default, or one of the choices, is not of the parameter's type. Numbers and dates that are meant "
     "as text need quotes. nan and inf can be no parameter: the run's record is JSON, which has neither.",
     R"x([flow]
name = "Demo"

[params]
n = { type = "int", default = "3" }

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
n = { type = "int", default = 3 }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1503", "a default that the parameter does not allow",
     "The default breaks the parameter's own choices, min, max or pattern.",
     R"x([flow]
name = "Demo"

[params]
lr = { default = -1.0, min = 0.0 }

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
lr = { default = 1.0, min = 0.0 }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1504", "a constraint that does not fit",
     "`min` and `max` are for numbers, the first not above the second; `pattern` is for texts.",
     R"x([flow]
name = "Demo"

[params]
name = { default = "a", min = 3 }

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
name = { default = "a", pattern = "^[a-z]" }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1505", "parameters that differ only in case",
     "A task gets its parameters as AMP_PARAM_NAME, in capitals, so names must differ in more than case.",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1
LR = 0.2

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1
lr_max = 0.2

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1506", "a required parameter with a default",
     "A required parameter must be given for each run; a default says what it is when nobody does. Keep "
     "one of the two.",
     R"x([flow]
name = "Demo"

[params]
lr = { required = true, default = 0.1 }

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
lr = { default = 0.1 }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1507", "a secret with a default",
     "The file is read by everyone who sees the project. A secret is given by the environment, or by a "
     "file with --params.",
     R"x([flow]
name = "Demo"

[params]
token = { type = "secret", default = "hunter2" }

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
token = { type = "secret", env = "TOKEN" }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1509", "a parameter that no step uses",
     "No expression mentions it and no step lists it in `params`, so giving it changes nothing. A command "
     "that reads $AMP_PARAM_NAME must list the parameter: only what a step uses is given to it.",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
)x",
     R"x([flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
params = ["lr"]
)x"},
    {"AMP1510", "a parameter with the name of an option",
     "`amp run --NAME` means the option of amp. The parameter can be given by -p NAME=…; or rename it.",
     R"x([flow]
name = "Demo"

[params]
profile = "a"

[step.train]
run = "./train"
params = "*"
)x",
     R"x([flow]
name = "Demo"

[params]
variant = "a"

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1511", "a value of another type is given",
     "The text cannot be read as the parameter's type. Lists and objects are written as JSON or TOML, and "
     "--NAME alone is for parameters of the type bool.",
     R"x(# amp run -p n=many
[flow]
name = "Demo"

[params]
n = 3

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run -p n=5
[flow]
name = "Demo"

[params]
n = 3

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1512", "a value that the parameter does not allow",
     "The value breaks the parameter's own choices, min, max or pattern; the message says which.",
     R"x(# amp run -p lr=-1
[flow]
name = "Demo"

[params]
lr = { default = 0.1, min = 0.0 }

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run -p lr=0.5
[flow]
name = "Demo"

[params]
lr = { default = 0.1, min = 0.0 }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1513", "a parameter without a value",
     "A required parameter, or a secret, was not given: by -p NAME=…, --NAME …, --params FILE, "
     "$AMP_PARAM_NAME, or the variable named by `env`.",
     R"x(# amp run
[flow]
name = "Demo"

[params]
lr = { type = "float", required = true }

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run -p lr=0.1
[flow]
name = "Demo"

[params]
lr = { type = "float", required = true }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1514", "a parameter that the flow does not have",
     "A value was given for a parameter that [params] does not have. The message names the nearest one, or "
     "all of them.",
     R"x(# amp run -p lrr=0.2
[flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run -p lr=0.2
[flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1515", "a file of values that cannot be read",
     "Files of --params and [config] are TOML, YAML or JSON, told apart by their names' endings: .toml, "
     ".yaml or "
     ".yml, .json.",
     R"x(# amp run --params values.txt
[flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run --params values.toml
[flow]
name = "Demo"

[params]
lr = 0.1

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1516", "a file that does not exist",
     "The value of a parameter of type file is the path of a file, which the run stores by its content. "
     "`amp validate` warns of a default that does not exist: another may be given.",
     R"x(# amp run -p data=gone.csv
[flow]
name = "Demo"

[params]
data = { type = "file" }

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# amp run -p data=data.csv
[flow]
name = "Demo"

[params]
data = { type = "file" }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1517", "a secret on the command line",
     "Command lines are seen by all users of a machine, and kept in the shell's history. Give the secret "
     "in the environment, or in a file by --params.",
     R"x(# amp run -p token=hunter2
[flow]
name = "Demo"

[params]
token = { type = "secret" }

[step.train]
run = "./train"
params = "*"
)x",
     R"x(# AMP_PARAM_TOKEN=hunter2 amp run
[flow]
name = "Demo"

[params]
token = { type = "secret" }

[step.train]
run = "./train"
params = "*"
)x"},
    {"AMP1520", "a file of configuration that does not exist",
     "The files of [config] are read before the run. A file that may be missing has required = false.",
     R"x(# amp run
[flow]
name = "Demo"

[config]
data = "gone.toml"

[step.train]
run = "./train"
)x",
     R"x(# amp run
[flow]
name = "Demo"

[config]
data = "config.toml"

[step.train]
run = "./train"
)x"},
    {"AMP1521", "a config that the flow does not have",
     "--config NAME=FILE swaps the file of an entry of [config], and there is none of this name.",
     R"x(# amp run --config date=config.toml
[flow]
name = "Demo"

[config]
data = "config.toml"

[step.train]
run = "./train"
)x",
     R"x(# amp run --config data=config.toml
[flow]
name = "Demo"

[config]
data = "config.toml"

[step.train]
run = "./train"
)x"},
}};

}  // namespace

std::span<const CatalogueEntry> parameters() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
