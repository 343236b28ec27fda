#include "core/task/gang.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/json.hpp"

namespace amp {
namespace {

/// Whose ranks meet as those of torchrun do, by these variables.
bool is_torch(Launcher launcher) {
    return launcher == Launcher::torchrun || launcher == Launcher::accelerate ||
           launcher == Launcher::deepspeed;
}

int whole_cpus(const Resources& node) {
    return std::max(1, static_cast<int>(std::floor(node.cpu)));
}

void add_torch(Variables& out, const RankPlace& place) {
    const std::string rank = std::to_string(place.rank);
    const std::string world = std::to_string(place.gang.world());
    const std::string per_node = std::to_string(place.gang.tasks_per_node);
    const std::string node = std::to_string(place.node_rank());
    const std::string local = std::to_string(place.local_rank());
    for (auto& variable : Variables{{"RANK", rank},
                                    {"WORLD_SIZE", world},
                                    {"LOCAL_RANK", local},
                                    {"LOCAL_WORLD_SIZE", per_node},
                                    {"GROUP_RANK", node},
                                    {"GROUP_WORLD_SIZE", std::to_string(place.gang.nodes)},
                                    {"NODE_RANK", node},
                                    {"ROLE_RANK", rank},
                                    {"ROLE_WORLD_SIZE", world},
                                    {"ROLE_NAME", "default"}}) {
        out.push_back(std::move(variable));
    }
    if (place.gang.launcher == Launcher::deepspeed) {
        out.emplace_back("LOCAL_SIZE", per_node);
        out.emplace_back("CROSS_RANK", node);
        out.emplace_back("CROSS_SIZE", std::to_string(place.gang.nodes));
    }
}

std::string tensorflow_cluster(const RankPlace& place) {
    List workers;
    for (const std::uint16_t port : place.ports) {
        workers.emplace_back(fmt::format("{}:{}", place.address, port));
    }
    return json::dump(Object{{"cluster", Object{{"worker", std::move(workers)}}},
                             {"task", Object{{"index", std::int64_t{place.rank}}, {"type", "worker"}}}});
}

/// Its processes learn of mpirun who they are; amp's variables follow from that.
std::string mpi_script(const RankPlace& place) {
    const std::uint32_t per_node = place.gang.tasks_per_node;
    std::string script = fmt::format(
        "AMP_RANK=${{OMPI_COMM_WORLD_RANK:-${{PMIX_RANK:-${{PMI_RANK:-0}}}}}}\n"
        "AMP_NODE_RANK=$((AMP_RANK / {0})) AMP_LOCAL_RANK=$((AMP_RANK % {0}))\n"
        "test \"$AMP_RANK\" = 0 || AMP_OUT=$AMP_TASK_DIR/rank-$AMP_RANK/out\n"
        "export AMP_RANK AMP_NODE_RANK AMP_LOCAL_RANK AMP_OUT\n",
        per_node);
    if (place.node.gpu > 0 && place.gang.nodes > 1) {
        script += fmt::format(
            "CUDA_VISIBLE_DEVICES=$(echo \"$CUDA_VISIBLE_DEVICES\" | cut -d, "
            "-f$((AMP_NODE_RANK * {0} + 1))-$((AMP_NODE_RANK * {0} + {0})))\n"
            "export CUDA_VISIBLE_DEVICES\n",
            place.node.gpu);
    }
    return script + "exec \"$@\"\n";
}

std::string ray_limits(const Resources& node) {
    return fmt::format("--num-cpus={} --num-gpus={} --disable-usage-stats", whole_cpus(node), node.gpu);
}

/// The first node runs the command beside the cluster's head; `ray` itself goes into the background.
std::string ray_head_script(const Resources& node) {
    return fmt::format(
        "ray start --head --node-ip-address=\"$MASTER_ADDR\" --port=\"$MASTER_PORT\" "
        "--include-dashboard=false {} >&2\n"
        "exec \"$@\"\n",
        ray_limits(node));
}

/// The head may not be up yet.
std::string ray_worker_script(const Resources& node) {
    return fmt::format(
        "tries=0\n"
        "until ray start --address=\"$MASTER_ADDR:$MASTER_PORT\" --block {}; do\n"
        "  tries=$((tries + 1)); test $tries -lt 60; sleep 1\n"
        "done\n",
        ray_limits(node));
}

}  // namespace

std::uint32_t process_count(const Gang& gang) {
    switch (gang.launcher) {
        case Launcher::mpi:
            return 1;
        case Launcher::ray:
            return gang.nodes;
        default:
            return gang.world();
    }
}

std::size_t port_count(const Gang& gang) {
    return gang.launcher == Launcher::tensorflow ? gang.world() : 1;
}

bool first_ends_all(const Gang& gang) {
    return gang.launcher == Launcher::ray;
}

std::uint32_t RankPlace::processes_per_node() const {
    return gang.launcher == Launcher::ray ? 1 : gang.tasks_per_node;
}

Variables rank_variables(const RankPlace& place) {
    const std::uint32_t world = place.gang.launcher == Launcher::ray ? place.gang.nodes : place.gang.world();
    Variables out = {{"AMP_RANK", std::to_string(place.rank)},
                     {"AMP_WORLD_SIZE", std::to_string(world)},
                     {"AMP_NODE_RANK", std::to_string(place.node_rank())},
                     {"AMP_NODES", std::to_string(place.gang.nodes)},
                     {"AMP_LOCAL_RANK", std::to_string(place.local_rank())},
                     {"MASTER_ADDR", place.address},
                     {"MASTER_PORT", std::to_string(place.ports.empty() ? 0 : place.ports.front())}};
    if (is_torch(place.gang.launcher)) {
        add_torch(out, place);
    } else if (place.gang.launcher == Launcher::tensorflow) {
        out.emplace_back("TF_CONFIG", tensorflow_cluster(place));
    } else if (place.gang.launcher == Launcher::ray) {
        out.emplace_back("RAY_ADDRESS", out[5].second + ":" + out[6].second);
    }
    return out;
}

Variables rank_defaults(const RankPlace& place) {
    if (is_torch(place.gang.launcher) && place.gang.tasks_per_node > 1) {
        const int threads = whole_cpus({place.node.cpu / place.gang.tasks_per_node, 0, 0});
        return {{"OMP_NUM_THREADS", std::to_string(threads)}};
    }
    if (place.gang.launcher == Launcher::mpi) {  // one machine stands for all nodes, maybe a container's
        return {{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                {"PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"}};
    }
    return {};
}

std::vector<std::string> launcher_words(const RankPlace& place) {
    switch (place.gang.launcher) {
        case Launcher::mpi:
            return {"mpirun",          "-np",    std::to_string(place.gang.world()), "sh", "-eu", "-c",
                    mpi_script(place), "amp-mpi"};
        case Launcher::ray:
            return {"sh", "-eu", "-c",
                    place.rank == 0 ? ray_head_script(place.node) : ray_worker_script(place.node), "amp-ray"};
        default:
            return {};
    }
}

bool runs_command(const RankPlace& place) {
    return place.gang.launcher != Launcher::ray || place.rank == 0;
}

std::vector<std::string> visible_share(const RankPlace& place, const std::vector<std::string>& gpus) {
    const std::size_t of_node = place.node.gpu;
    if (place.gang.launcher == Launcher::mpi || of_node == 0) {
        return gpus;
    }
    std::size_t first = place.node_rank() * of_node;
    std::size_t count = of_node;
    const bool dealt_out =
        place.gang.launcher == Launcher::none || place.gang.launcher == Launcher::tensorflow;
    if (dealt_out && of_node % place.gang.tasks_per_node == 0) {
        count = of_node / place.gang.tasks_per_node;
        first += place.local_rank() * count;
    }
    first = std::min(first, gpus.size());
    count = std::min(count, gpus.size() - first);
    return {gpus.begin() + static_cast<std::ptrdiff_t>(first),
            gpus.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

}  // namespace amp
