#include "core/flow/catalogue_parts.hpp"

#include <array>

// Codes AMP16xx: requests.

namespace amp::catalogue_parts {
namespace {

constexpr std::array<CatalogueEntry, 3> k_entries = {{
    {"AMP1601", "more processors than there are", "The task could never start there.",
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
    {"AMP1602", "more memory than there is", "The task could never start there.",
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
    {"AMP1603", "more GPUs than there are", "The task could never start there.",
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
}};

}  // namespace

std::span<const CatalogueEntry> requests() {
    return k_entries;
}

}  // namespace amp::catalogue_parts
