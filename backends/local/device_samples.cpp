#include "backends/local/device_samples.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <utility>

#include "backends/system/spawn.hpp"
#include "core/base/text.hpp"
#include "core/task/container.hpp"

namespace amp {
namespace {

constexpr double k_rest_s = 300;
constexpr std::size_t k_most_report = std::size_t{4} << 20;
constexpr std::size_t k_words_told = 200;
constexpr int k_most_rubbish = 20;  // lines in a row
constexpr std::string_view k_neuron_monitor = "neuron-monitor";
constexpr const char* k_neuron_folder = "/opt/aws/neuron/bin";  // which is not in everybody's PATH

/// What a tool has printed instead of an answer.
std::string first_words(std::string_view printed) {
    const std::string_view line = trim(printed.substr(0, printed.find('\n')));
    return line.empty() ? "it printed nothing" : to_utf8(line.substr(0, k_words_told));
}

}  // namespace

void ToolTrouble::meet(const std::string& what) {
    until_ = loop_.now() + k_rest_s;
    if (!std::exchange(told_, true)) {
        say_(what);
    }
}

GpuSampler::GpuSampler(EventLoop& loop, std::function<void(const std::string&)> say, double patience_s)
    : loop_(loop), patience_s_(patience_s), calls_(loop, patience_s), trouble_(loop, std::move(say)) {}

void GpuSampler::ask(std::function<void(const std::vector<GpuUse>&)> then) {
    std::vector<std::string> words = gpu_use_words();
    if (open_ || trouble_.rests() || find_engine_program(words.front(), calls_.environment()).empty()) {
        return;
    }
    open_ = true;
    asked_at_ = loop_.now();
    calls_.ask(std::move(words),
               [this, then = std::move(then)](const EngineAnswer& answer) { heard(answer, then); });
}

void GpuSampler::heard(const EngineAnswer& answer,
                       const std::function<void(const std::vector<GpuUse>&)>& then) {
    open_ = false;
    const std::vector<GpuUse> gpus = parse_gpu_use(answer.printed);
    if (!gpus.empty()) {
        then(gpus);
    } else if (loop_.now() - asked_at_ >= patience_s_) {
        trouble_.meet(
            fmt::format("GPUs are not sampled: nvidia-smi has not answered for {:g} s", patience_s_));
    } else {
        trouble_.meet(
            fmt::format("GPUs are not sampled: nvidia-smi has no answer ({})", first_words(answer.printed)));
    }
}

NeuronSampler::NeuronSampler(EventLoop& loop, std::function<void(const std::string&)> say, std::string folder,
                             std::string dev)
    : loop_(loop),
      trouble_(loop, std::move(say)),
      folder_(std::move(folder)),
      dev_(std::move(dev)),
      environment_(own_environment(), true, {}, {}) {}

NeuronSampler::~NeuronSampler() {
    stop();
}

void NeuronSampler::listen(double period_s) {
    if (output_ || trouble_.rests() || access((dev_ + "/neuron0").c_str(), F_OK) != 0) {
        return;
    }
    std::string unusable;
    const std::string path = fmt::format("{}:{}", environment_.get("PATH"), k_neuron_folder);
    if (const std::string program = find_program(k_neuron_monitor, path, "/", unusable); !program.empty()) {
        start(program, period_s);
    }
}

void NeuronSampler::start(const std::string& program, double period_s) {
    std::string config = folder_ + "/neuron-monitor.json";
    std::ofstream(config) << neuron_config(period_s);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return;  // no descriptors now
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    std::string name(k_neuron_monitor);
    std::string option = "-c";
    const std::array<char*, 4> argv = {name.data(), option.data(), config.data(), nullptr};
    TaskEnvironment environment(environment_);
    environment.set("AMP_TOKEN", k_engine_token);
    const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    SpawnRequest request{program.c_str(), argv.data(), environment.block(), "/"};
    request.input = null.get();
    request.output = theirs.get();
    pid_ = spawn(request).pid;
    if (pid_ > 0) {
        output_ = std::move(ours);
        loop_.watch(output_.get(), EPOLLIN, [this](std::uint32_t) { heard(); });
    }
}

void NeuronSampler::heard() {
    std::array<char, 65536> buffer{};
    const ssize_t n = read(output_.get(), buffer.data(), buffer.size());
    if (n > 0) {
        text_.append(buffer.data(), static_cast<std::size_t>(n));
        read_lines();
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        give_up(fmt::format("has ended ({})", first_words(text_)));
    }
}

void NeuronSampler::read_lines() {
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text_.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string_view line = std::string_view(text_).substr(begin, end - begin);
        if (auto report = parse_neuron_report(line)) {
            latest_ = std::move(*report);
            rubbish_ = 0;
        } else if (++rubbish_ > k_most_rubbish) {  // some of it may be warnings
            give_up(fmt::format("prints no reports ({})", first_words(line)));
            return;
        }
    }
    text_.erase(0, begin);
    if (text_.size() > k_most_report) {
        give_up("prints reports without end");
    }
}

void NeuronSampler::give_up(const std::string& why) {
    stop();
    trouble_.meet(fmt::format("Neuron devices are not sampled: neuron-monitor {}", why));
}

void NeuronSampler::stop() {
    if (output_) {
        loop_.forget(output_.get());
        output_.reset();
        siginfo_t info{};
        const auto whose = static_cast<id_t>(pid_);
        if (waitid(P_PID, whose, &info, WEXITED | WNOHANG | WNOWAIT) ==
            0) {  // else the number may be another's
            kill(-pid_, SIGKILL);
        }
    }
    rubbish_ = 0;
    text_.clear();
    latest_.clear();
}

std::vector<NeuronUse> NeuronSampler::take() {
    return std::exchange(latest_, {});
}

}  // namespace amp
