#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/task_spec.hpp"

namespace amp {

// A gang on one machine: what each of its processes is told. Pure functions; what each launcher means, and
// why, stands in core/flow/README.md.

/// The processes that amp itself starts: one a rank; of ray one a node; of mpi `mpirun` alone.
std::uint32_t process_count(const Gang& gang);
/// How many ports it needs: MASTER_PORT, which is the first; of tensorflow one a rank.
std::size_t port_count(const Gang& gang);
/// Do the others end when the first process has ended well? (They serve it.)
bool first_ends_all(const Gang& gang);

/// One process of a gang.
struct RankPlace {
    Gang gang;
    std::uint32_t rank = 0;
    std::string address;               ///< where rank 0 is reached
    std::vector<std::uint16_t> ports;  ///< port_count of them
    Resources node;                    ///< what each node has

    std::uint32_t node_rank() const { return rank / processes_per_node(); }
    std::uint32_t local_rank() const { return rank % processes_per_node(); }
    std::uint32_t processes_per_node() const;
};

using Variables = std::vector<std::pair<std::string, std::string>>;

/// AMP_RANK and its like, MASTER_ADDR, MASTER_PORT, and what the framework expects.
Variables rank_variables(const RankPlace& place);
/// Those that hold unless the task has them already (OMP_NUM_THREADS).
Variables rank_defaults(const RankPlace& place);
/// The words in front of the task's command.
std::vector<std::string> launcher_words(const RankPlace& place);
/// False: this process runs those words alone (a node that serves the first).
bool runs_command(const RankPlace& place);

/// The GPUs that one process sees, of those of the whole gang: its node's; with launcher `none` and
/// `tensorflow`, where they can be dealt out evenly, its own part of them.
std::vector<std::string> visible_share(const RankPlace& place, const std::vector<std::string>& gpus);

}  // namespace amp
