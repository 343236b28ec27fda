#include "backends/local/engine_calls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "backends/system/spawn.hpp"
#include "core/task/container.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_printed = std::size_t{64} << 10;

}  // namespace

EngineCalls::EngineCalls(EventLoop& loop, double patience_s)
    : loop_(loop), patience_s_(patience_s), environment_(own_environment(), true, {}, {}) {}

EngineCalls::~EngineCalls() {
    for (const auto& entry : calls_) {
        loop_.forget(entry.first);
        loop_.cancel(entry.second->timer);
    }
}

void EngineCalls::ask(std::vector<std::string> words, Then then) {
    const std::string program = find_engine_program(words.front(), environment_);
    std::array<int, 2> ends{};
    if (program.empty() || pipe2(ends.data(), O_CLOEXEC) != 0) {
        then({false, fmt::format("there is no {}", words.front())});
        return;
    }
    auto call = std::make_shared<Call>();
    call->output = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    TaskEnvironment environment(environment_);
    environment.set("AMP_TOKEN", k_engine_token);
    SpawnRequest request{program.c_str(), argv.data(), environment.block(), "/"};
    const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    request.input = null.get();
    request.output = theirs.get();
    const SpawnOutcome outcome = spawn(request);
    if (outcome.pid < 0) {
        then({false, fmt::format("cannot start {}: {}", words.front(), std::strerror(outcome.error))});
        return;
    }
    call->pid = outcome.pid;
    call->then = std::move(then);
    call->timer = loop_.after(patience_s_, [call] {
        call->timer = 0;
        kill(-call->pid, SIGKILL);
    });
    calls_[call->output.get()] = call;
    loop_.watch(call->output.get(), EPOLLIN, [this, call](std::uint32_t) { heard(call); });
}

void EngineCalls::heard(const std::shared_ptr<Call>& call) {
    std::array<char, 4096> buffer{};
    const ssize_t n = read(call->output.get(), buffer.data(), buffer.size());
    if (n > 0) {
        if (call->answer.printed.size() < k_max_printed) {
            call->answer.printed.append(buffer.data(), static_cast<std::size_t>(n));
        }
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        end(call);
    }
}

void EngineCalls::end(const std::shared_ptr<Call>& call) {
    loop_.forget(call->output.get());
    loop_.cancel(call->timer);
    calls_.erase(call->output.get());
    call->answer.came = true;
    call->then(call->answer);
}

std::string find_engine_program(const std::string& engine, const BaseEnvironment& environment) {
    std::string unusable;
    return find_program(engine, environment.get("PATH"), "/", unusable);
}

}  // namespace amp
