#include "core/task/usage_sample.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace amp;

namespace {

constexpr const char* k_report = R"({"neuron_runtime_data":[
 {"pid":20843,"neuron_runtime_tag":"1","error":"","report":{
  "memory_used":{"period":5.0,"neuron_runtime_used_bytes":{"host":2605992,"neuron_device":63105088},"error":""},
  "neuroncore_counters":{"period":5.0,"neuroncores_in_use":{"0":{"neuroncore_utilization":2.5},
   "1":{"neuroncore_utilization":0}},"error":""}}},
 {"pid":21050,"report":{"memory_used":{"neuron_runtime_used_bytes":{"neuron_device":1000}},
  "neuroncore_counters":{"neuroncores_in_use":{"0":{"neuroncore_utilization":0},
   "1":{"neuroncore_utilization":300}}}}},
 {"pid":7,"error":"gone","report":null}],"system_data":{},"instance_data":{}})";

double value_of(const std::vector<UsagePoint>& points, const std::string& name) {
    for (const UsagePoint& point : points) {
        if (point.name == name) {
            return point.value;
        }
    }
    return -1;
}

}  // namespace

TEST_CASE("processes belong to the root that they descend from") {
    // 10 and 20 are roots; 13 has lost its parent and is of 10's group; 14 has lost both.
    const std::vector<ProcessFacts> all = {{1, 0, 1},    {10, 5, 10}, {11, 10, 10}, {12, 11, 12},
                                           {13, 5, 10},  {14, 5, 14}, {15, 13, 15}, {20, 5, 20},
                                           {21, 20, 20}, {5, 1, 5},   {30, 14, 30}, {99, 77, 99}};
    ProcessOwners owners(all, {{10, 0}, {20, 1}});
    for (const std::int64_t pid : {10, 11, 12, 13, 15}) {
        CAPTURE(pid);
        CHECK(owners.of(pid) == std::size_t{0});
    }
    CHECK(owners.of(21) == std::size_t{1});
    for (const std::int64_t pid : {1, 5, 14, 30, 99, 77, 12345}) {
        CAPTURE(pid);
        CHECK_FALSE(owners.of(pid));
    }
}

TEST_CASE("processes that are each other's parents belong to nobody, and a long line to its root") {
    std::vector<ProcessFacts> all = {{2, 3, 0}, {3, 2, 0}, {4, 4, 0}};
    constexpr std::int64_t k_first = 100;
    constexpr std::int64_t k_last = 100'000;
    for (std::int64_t pid = k_last; pid > k_first; --pid) {
        all.push_back({pid, pid - 1, 0});
    }
    ProcessOwners owners(all, {{k_first, 3}});
    CHECK_FALSE(owners.of(2));
    CHECK_FALSE(owners.of(3));
    CHECK_FALSE(owners.of(4));
    CHECK(owners.of(k_last) == std::size_t{3});
    CHECK(owners.of(k_first + 1) == std::size_t{3});
}

TEST_CASE("/proc/PID/io") {
    const auto io = parse_process_io(
        "rchar: 9\nwchar: 8\nsyscr: 1\nread_bytes: 4096\nwrite_bytes: 12\n"
        "cancelled_write_bytes: 7\n");
    REQUIRE(io);
    CHECK(io->read_bytes == 4096);
    CHECK(io->write_bytes == 12);
    CHECK_FALSE(parse_process_io(""));
    CHECK_FALSE(parse_process_io("read_bytes: -1\nwrite_bytes: 1\n"));
    CHECK_FALSE(parse_process_io("read_bytes: 99999999999999999999\nwrite_bytes: 1\n"));
}

TEST_CASE("what was used since the last sample, and what is used now") {
    const Usage before{10, 5000, 100, 50, 3};
    const auto points = usage_points(before, {16, 7000, 300, 20, 2}, 2);
    CHECK(value_of(points, "system/cpu") == doctest::Approx(3));
    CHECK(value_of(points, "system/memory") == 7000);
    CHECK(value_of(points, "system/read") == 300);
    CHECK(value_of(points, "system/write") == 50);  // who wrote is gone, what was written stays
    CHECK(value_of(usage_points(before, {9, 0, 0, 0, 1}, 2), "system/cpu") == 0);
    CHECK(value_of(usage_points(before, {16, 0, 0, 0, 1}, 0), "system/cpu") == -1);
}

TEST_CASE("GPUs as nvidia-smi tells of them") {
    const auto gpus =
        parse_gpu_use("0, GPU-aa11, 87, 1024\n1, GPU-bb22, [N/A], 2048\n2, GPU-cc33, 5, [N/A]\n");
    REQUIRE(gpus.size() == 3);
    const auto points = gpu_points(gpus, {"2", "GPU-aa", "1", "MIG-x", "7"});
    CHECK(points == std::vector<UsagePoint>{{"system/gpu/0/utilization", 5},
                                            {"system/gpu/1/utilization", 87},
                                            {"system/gpu/1/memory", 1024.0 * 1024 * 1024},
                                            {"system/gpu/2/memory", 2048.0 * 1024 * 1024}});
    CHECK(gpu_points(gpus, {}).size() == 4);
}

TEST_CASE("what else nvidia-smi may print is no GPU") {
    for (const char* text :
         {"", "\n\n", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
          "No devices were found\n", "index, uuid, utilization.gpu [%], memory.used [MiB]\n", "0, GPU-a, 1\n",
          "-1, GPU-a, 1, 2\n", "0,1,2,3,4\n", "\xff\xfe,\0,,\n"}) {
        CAPTURE(text);
        CHECK(parse_gpu_use(text).empty());
    }
    const auto odd = parse_gpu_use("0, GPU-a, nan, inf\n1, GPU-b, 1e9, 1e300\n2, GPU-c, -5, -5\n");
    CHECK(gpu_points(odd, {"0"}).empty());
    CHECK(value_of(gpu_points(odd, {"1"}), "system/gpu/0/utilization") == 100);
    CHECK(gpu_points(odd, {"2"}).empty());
    CHECK(gpu_points(odd, {"GPU-"}).empty());  // names nobody
}

TEST_CASE("a report of neuron-monitor") {
    const auto uses = parse_neuron_report(k_report);
    REQUIRE(uses);
    REQUIRE(uses->size() == 3);
    CHECK((*uses)[0].pid == 20843);
    CHECK((*uses)[0].utilization == std::map<int, double>{{0, 2.5}, {1, 0}});
    CHECK((*uses)[2].utilization.empty());
    const auto points = neuron_points(*uses);
    CHECK(value_of(points, "system/neuron/0/utilization") == 2.5);
    CHECK(value_of(points, "system/neuron/1/utilization") == 100);
    CHECK(value_of(points, "system/neuron/memory") == 63106088);
    CHECK(neuron_points({}).empty());
    CHECK(neuron_config(10).find(R"("period":"10s")") != std::string::npos);
    CHECK(neuron_config(0.2).find(R"("period":"1s")") != std::string::npos);
}

TEST_CASE("what is no report of neuron-monitor, or an odd one") {
    for (const char* text : {"", "{", "[]", "7", R"({"error":"no devices"})", "neuron-monitor: starting"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_neuron_report(text));
    }
    CHECK(parse_neuron_report(R"({"neuron_runtime_data":null})")->empty());
    const auto odd = parse_neuron_report(
        R"({"neuron_runtime_data":[7,null,{"pid":"x","report":{"neuroncore_counters":{"neuroncores_in_use":)"
        R"({"a":{"neuroncore_utilization":1},"-1":{"neuroncore_utilization":1},"5000":{"neuroncore_utilization":1},)"
        R"("2":{"neuroncore_utilization":"high"},"3":7}}}}]})");
    REQUIRE(odd);
    for (const NeuronUse& use : *odd) {
        CHECK(use.utilization.empty());
        CHECK(use.memory_bytes == 0);
    }
}
