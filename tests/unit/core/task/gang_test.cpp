#include "core/task/gang.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace amp;

namespace {

RankPlace place(Launcher launcher, std::uint32_t rank, Resources node = {2, 0, 0}) {
    RankPlace place{{2, 2, launcher}, rank, "127.0.0.1", {}, node};
    for (std::size_t i = 0; i < port_count(place.gang); ++i) {
        place.ports.push_back(static_cast<std::uint16_t>(21000 + i));
    }
    return place;
}

std::map<std::string, std::string> variables(Launcher launcher, std::uint32_t rank) {
    std::map<std::string, std::string> out;
    for (const auto& [name, value] : rank_variables(place(launcher, rank))) {
        CHECK(out.emplace(name, value).second);
    }
    return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("each rank knows who it is and where the others are") {
    const auto third = variables(Launcher::none, 3);
    CHECK(third == std::map<std::string, std::string>{{"AMP_RANK", "3"},
                                                      {"AMP_WORLD_SIZE", "4"},
                                                      {"AMP_NODE_RANK", "1"},
                                                      {"AMP_NODES", "2"},
                                                      {"AMP_LOCAL_RANK", "1"},
                                                      {"MASTER_ADDR", "127.0.0.1"},
                                                      {"MASTER_PORT", "21000"}});
}

TEST_CASE("PyTorch's launchers: what torchrun would tell") {
    for (const Launcher launcher : {Launcher::torchrun, Launcher::accelerate, Launcher::deepspeed}) {
        auto third = variables(launcher, 3);
        CHECK(third["RANK"] == "3");
        CHECK(third["WORLD_SIZE"] == "4");
        CHECK(third["LOCAL_RANK"] == "1");
        CHECK(third["LOCAL_WORLD_SIZE"] == "2");
        CHECK(third["GROUP_RANK"] == "1");
        CHECK(third["GROUP_WORLD_SIZE"] == "2");
        CHECK(third["MASTER_PORT"] == "21000");
        CHECK(third.contains("LOCAL_SIZE") == (launcher == Launcher::deepspeed));
        CHECK(launcher_words(place(launcher, 3)).empty());
    }
    CHECK_FALSE(variables(Launcher::none, 0).contains("RANK"));
    CHECK(rank_defaults(place(Launcher::torchrun, 0, {8, 0, 0})) == Variables{{"OMP_NUM_THREADS", "4"}});
    CHECK(rank_defaults(place(Launcher::torchrun, 0, {1, 0, 0})) == Variables{{"OMP_NUM_THREADS", "1"}});
}

TEST_CASE("tensorflow: a port for each worker") {
    CHECK(port_count({2, 2, Launcher::tensorflow}) == 4);
    CHECK(
        variables(Launcher::tensorflow, 2)["TF_CONFIG"] ==
        R"({"cluster":{"worker":["127.0.0.1:21000","127.0.0.1:21001","127.0.0.1:21002","127.0.0.1:21003"]},)"
        R"("task":{"index":2,"type":"worker"}})");
}

TEST_CASE("mpi: one mpirun starts them all") {
    CHECK(process_count({2, 2, Launcher::mpi}) == 1);
    const auto words = launcher_words(place(Launcher::mpi, 0));
    CHECK(Names(words.begin(), words.begin() + 3) == Names{"mpirun", "-np", "4"});
    CHECK(words.back() == "amp-mpi");
    CHECK(runs_command(place(Launcher::mpi, 0)));
}

TEST_CASE("ray: a process a node; the first runs the command, and with it all end") {
    CHECK(process_count({2, 2, Launcher::ray}) == 2);
    CHECK(first_ends_all({2, 1, Launcher::ray}));
    CHECK_FALSE(first_ends_all({2, 1, Launcher::torchrun}));
    CHECK(runs_command(place(Launcher::ray, 0)));
    CHECK_FALSE(runs_command(place(Launcher::ray, 1)));
    auto second = variables(Launcher::ray, 1);
    CHECK(second["AMP_WORLD_SIZE"] == "2");
    CHECK(second["AMP_NODE_RANK"] == "1");
    CHECK(second["RAY_ADDRESS"] == "127.0.0.1:21000");
}

TEST_CASE("GPUs: a node's for those who count devices by the local rank, else dealt out") {
    const Names gpus = {"0", "1", "2", "3"};
    const auto share = [&](Launcher launcher, std::uint32_t rank, Resources node) {
        return visible_share(place(launcher, rank, node), gpus);
    };
    CHECK(share(Launcher::torchrun, 0, {2, 0, 2}) == Names{"0", "1"});
    CHECK(share(Launcher::torchrun, 3, {2, 0, 2}) == Names{"2", "3"});
    CHECK(share(Launcher::none, 0, {2, 0, 2}) == Names{"0"});
    CHECK(share(Launcher::none, 3, {2, 0, 2}) == Names{"3"});
    CHECK(share(Launcher::tensorflow, 2, {2, 0, 2}) == Names{"2"});
    CHECK(share(Launcher::ray, 1, {2, 0, 2}) == Names{"2", "3"});
    CHECK(share(Launcher::mpi, 0, {2, 0, 2}) == gpus);
    CHECK(visible_share(place(Launcher::none, 3, {2, 0, 1}), {"0", "1"}) == Names{"1"});
}
