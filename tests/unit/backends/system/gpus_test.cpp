#include "backends/system/gpus.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

/// A driver's files, as far as they are looked at.
class Machine {
  public:
    Machine() {
        sources.proc = folder_ / "proc";
        sources.dev = folder_ / "dev";
    }
    void add_card(const std::string& place, unsigned minor, const std::string& uuid) {
        write(sources.proc + "/gpus/" + place + "/information", "Model: \t\t NVIDIA H200\nGPU UUID: \t " +
                                                                    uuid + "\nDevice Minor: \t " +
                                                                    std::to_string(minor) + "\n");
    }
    void add_device(const std::string& name) { write(sources.dev + "/" + name, ""); }
    static void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << text;
    }
    std::vector<Gpu> find(const char* visible = nullptr) {
        sources.visible = visible;
        return find_gpus(sources);
    }

    GpuSources sources;

  private:
    TempFolder folder_;
};

using Gpus = std::vector<Gpu>;

}  // namespace

TEST_CASE("a machine without a driver has none") {
    Machine machine;
    CHECK(machine.find().empty());
}

TEST_CASE("GPUs in the order of the bus, with what tells them apart wherever they are seen from") {
    Machine machine;
    machine.add_card("0000:41:00.0", 0, "GPU-bbbb-2");
    machine.add_card("0000:01:00.0", 1, "GPU-aaaa-1");
    for (const char* name : {"nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps"}) {
        machine.add_device(name);
    }
    CHECK(machine.find() == Gpus{{"0", "0000:01:00.0"}, {"1", "0000:41:00.0"}});
    CHECK(machine.find("1") == Gpus{{"1", "0000:41:00.0"}});
    CHECK(machine.find("GPU-bbbb") == Gpus{{"GPU-bbbb", "0000:41:00.0"}});
    CHECK(machine.find("").empty());
    CHECK(machine.find("7") == Gpus{{"7", "7"}});
}

TEST_CASE("GPUs that nobody has used yet are told apart") {
    Machine machine;
    const std::string unknown = "GPU-" + std::string(8, '?') + "-" + std::string(4, '?');
    machine.add_card("0000:01:00.0", 0, unknown);
    machine.add_card("0000:41:00.0", 1, unknown);
    machine.add_device("nvidia0");
    machine.add_device("nvidia1");
    CHECK(machine.find() == Gpus{{"0", "0000:01:00.0"}, {"1", "0000:41:00.0"}});
}

TEST_CASE("a container counts from 0, whichever GPUs it was given") {
    Machine machine;
    machine.add_device("nvidia3");
    CHECK(machine.find() == Gpus{{"0", "0"}});
    machine.add_card("0000:01:00.0", 0, "GPU-aaaa-1");
    machine.add_card("0000:41:00.0", 3, "GPU-bbbb-2");
    CHECK(machine.find() == Gpus{{"0", "0000:41:00.0"}});
}

TEST_CASE("without device files the tool is asked: a container sees its host's driver") {
    Machine machine;
    machine.add_card("0000:01:00.0", 0, "GPU-aaaa-1");
    CHECK(machine.find().empty());
    machine.sources.list_parts = [] { return std::string(); };
    CHECK(machine.find().empty());
    machine.sources.list_parts = [] { return std::string("GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\n"); };
    CHECK(machine.find() == Gpus{{"0", "0000:01:00.0"}});
}

TEST_CASE("a GPU that is parted counts as its parts") {
    Machine machine;
    machine.add_card("0000:01:00.0", 0, "GPU-aaaa-1");
    machine.add_card("0000:41:00.0", 1, "GPU-bbbb-2");
    machine.add_device("nvidia0");
    machine.add_device("nvidia1");
    int asked = 0;
    machine.sources.list_parts = [&asked] {
        ++asked;
        return std::string(
            "GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\n  MIG 3g.71gb     Device  0: (UUID: MIG-1111)\n"
            "  MIG 3g.71gb     Device  1: (UUID: MIG-2222)\nGPU 1: NVIDIA H200 (UUID: GPU-bbbb-2)\n");
    };
    CHECK(machine.find().size() == 2);
    CHECK(asked == 0);
    std::filesystem::create_directories(machine.sources.proc + "/capabilities/gpu0/mig/gi1/ci0");
    CHECK(machine.find() == Gpus{{"MIG-1111", "MIG-1111"}, {"MIG-2222", "MIG-2222"}, {"1", "0000:41:00.0"}});
    CHECK(asked == 1);
    CHECK(machine.find("MIG-2222") == Gpus{{"MIG-2222", "MIG-2222"}});
    CHECK(machine.find("MIG-GPU-aaaa-1/1/0") == Gpus{{"MIG-GPU-aaaa-1/1/0", "MIG-GPU-aaaa-1/1/0"}});
}

TEST_CASE("lists of GPUs") {
    using Names = std::vector<std::string>;
    CHECK(parse_gpu_list("0, 2") == Names{"0", "2"});
    CHECK(parse_gpu_list("GPU-abc") == Names{"GPU-abc"});
    CHECK(parse_gpu_list("1,-1,2") == Names{"1"});
    CHECK(parse_gpu_list("1,1") == Names{"1"});
    CHECK(parse_gpu_list("").empty());
    CHECK(parse_gpu_list("../x").empty());
    CHECK(parse_gpu_list("MIG-../x").empty());
}
