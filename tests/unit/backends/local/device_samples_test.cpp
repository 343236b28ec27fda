#include "backends/local/device_samples.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace amp;
using namespace amp::test;

namespace {

/// Stand-ins for tools in a folder that is all of PATH but the system's; and what is said of them.
struct Tools {
    TempFolder folder;
    EventLoop loop;
    std::vector<std::string> said;
    std::string path_before = std::getenv("PATH");

    Tools() { setenv("PATH", (folder.path() + ":" + path_before).c_str(), 1); }
    ~Tools() {
        setenv("PATH", path_before.c_str(), 1);
        while (waitpid(-1, nullptr, 0) > 0) {  // they have all been ended
        }
    }
    Tools(const Tools&) = delete;
    Tools& operator=(const Tools&) = delete;

    void make(const std::string& name, const std::string& script) const {
        std::ofstream(folder / name) << "#!/bin/sh\n" << script << "\n";
        chmod((folder / name).c_str(), 0755);
    }
    std::function<void(const std::string&)> say() {
        return [this](const std::string& text) { said.push_back(text); };
    }
    /// False: not within some seconds.
    bool wait(const std::function<bool()>& condition) {
        const double until = steady_now() + 20;
        while (!condition()) {
            if (steady_now() > until) {
                return false;
            }
            loop.run_once(0.05);
        }
        return true;
    }
};

constexpr const char* k_gpus = "echo '0, GPU-a, 50, 1'; echo '1, GPU-b, 70, 2'";
constexpr const char* k_report =
    R"(echo '{"neuron_runtime_data":[{"pid":7,"report":{"neuroncore_counters":{"neuroncores_in_use":)"
    R"({"0":{"neuroncore_utilization":42}}}}}]}')";

}  // namespace

TEST_CASE("nvidia-smi is asked once at a time") {
    Tools tools;
    tools.make("nvidia-smi",
               fmt::format("echo $* >> {0}/asked; while ! test -e {0}/go; do sleep 0.01; done; {1}",
                           tools.folder.path(), k_gpus));
    GpuSampler sampler(tools.loop, tools.say());
    std::vector<std::vector<GpuUse>> answers;
    for (int i = 0; i < 3; ++i) {
        sampler.ask([&](const std::vector<GpuUse>& gpus) { answers.push_back(gpus); });
    }
    std::ofstream(tools.folder / "go") << "";
    REQUIRE(tools.wait([&] { return !answers.empty(); }));
    CHECK(answers.front().size() == 2);
    sampler.ask([&](const std::vector<GpuUse>& gpus) { answers.push_back(gpus); });
    REQUIRE(tools.wait([&] { return answers.size() == 2; }));
    std::ifstream asked(tools.folder / "asked");
    std::string line;
    REQUIRE(std::getline(asked, line));
    CHECK(line == "--query-gpu=index,uuid,utilization.gpu,memory.used --format=csv,noheader,nounits");
    CHECK(std::getline(asked, line));
    CHECK_FALSE(std::getline(asked, line));
    CHECK(tools.said.empty());
}

TEST_CASE("an nvidia-smi that hangs is ended, told once, and left alone") {
    Tools tools;
    tools.make("nvidia-smi", fmt::format("echo x >> {}/asked; sleep 1000", tools.folder.path()));
    GpuSampler sampler(tools.loop, tools.say(), 0.2);
    bool answered = false;
    sampler.ask([&](const std::vector<GpuUse>&) { answered = true; });
    REQUIRE(tools.wait([&] { return !tools.said.empty(); }));
    CHECK(tools.said ==
          std::vector<std::string>{"GPUs are not sampled: nvidia-smi has not answered for 0.2 s"});
    sampler.ask([&](const std::vector<GpuUse>&) { answered = true; });
    CHECK_FALSE(answered);
    CHECK(std::filesystem::file_size(tools.folder / "asked") == 2);
}

TEST_CASE("an nvidia-smi that fails says why, once; without one nothing is said") {
    Tools tools;
    GpuSampler none(tools.loop, tools.say());
    if (access("/usr/bin/nvidia-smi", X_OK) != 0) {
        none.ask([](const std::vector<GpuUse>&) {});
        CHECK(tools.said.empty());
    }
    tools.make("nvidia-smi", "echo 'NVIDIA-SMI has failed: no driver'; exit 9");
    GpuSampler sampler(tools.loop, tools.say());
    sampler.ask([](const std::vector<GpuUse>&) {});
    REQUIRE(tools.wait([&] { return !tools.said.empty(); }));
    CHECK(tools.said.front() ==
          "GPUs are not sampled: nvidia-smi has no answer (NVIDIA-SMI has failed: no driver)");
}

TEST_CASE("neuron-monitor is listened to while there are devices and tasks") {
    Tools tools;
    tools.make("neuron-monitor",
               fmt::format("echo $1 $(cat $2) > {}/asked; echo a warning >&2\n{}\nexec sleep 1000",
                           tools.folder.path(), k_report));
    NeuronSampler sampler(tools.loop, tools.say(), tools.folder.path(), tools.folder.path());
    sampler.listen(10);
    CHECK(waitpid(-1, nullptr, WNOHANG) < 0);  // nobody was started: there is no device
    std::ofstream(tools.folder / "neuron0") << "";
    sampler.listen(10);
    sampler.listen(10);
    std::vector<NeuronUse> uses;
    REQUIRE(tools.wait([&] {
        uses = sampler.take();
        return !uses.empty();
    }));
    CHECK(uses.front().pid == 7);
    CHECK(uses.front().utilization == std::map<int, double>{{0, 42}});
    CHECK(sampler.take().empty());
    std::ifstream file(tools.folder / "asked");
    std::string asked;
    std::getline(file, asked);
    CHECK(asked == "-c " + neuron_config(10));
    sampler.stop();
    CHECK(waitpid(-1, nullptr, 0) > 0);
    CHECK(tools.said.empty());
}

TEST_CASE("a neuron-monitor that prints rubbish, or ends, is told once and rests") {
    for (const char* script : {"while true; do echo rubbish; done", "echo no device found; exit 1",
                               "head -c 9000000 /dev/zero; exec sleep 1000"}) {
        CAPTURE(script);
        Tools tools;
        tools.make("neuron-monitor", script);
        std::ofstream(tools.folder / "neuron0") << "";
        NeuronSampler sampler(tools.loop, tools.say(), tools.folder.path(), tools.folder.path());
        sampler.listen(1);
        REQUIRE(tools.wait([&] { return !tools.said.empty(); }));
        CHECK(tools.said.front().starts_with("Neuron devices are not sampled: neuron-monitor "));
        sampler.listen(1);
        while (waitpid(-1, nullptr, 0) > 0) {
        }
        CHECK(errno == ECHILD);
        CHECK(tools.said.size() == 1);
        CHECK(sampler.take().empty());
    }
}
