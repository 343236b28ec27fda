#include "backends/local/keeper_contact.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr int k_channel_fd = 3;
constexpr double k_answer_patience_s = 5;
constexpr std::string_view k_self = "/proc/self/exe";

/// What the grandchild needs, made before the fork: after it, system calls only.
struct Command {
    std::vector<std::string> words;
    std::vector<char*> argv;

    explicit Command(const KeeperOptions& options) : words(keeper_arguments(options)) {
        words.insert(words.begin(), {"amp", "keeper"});
        for (std::string& word : words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
    }
};

[[noreturn]] void become_keeper(int channel, const Command& command) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < k_channel_fd; ++fd) {  // a keeper must not hold the caller's terminal or pipes
        dup2(null, fd);
    }
    if (channel == k_channel_fd) {
        fcntl(channel, F_SETFD, 0);
    } else {
        dup2(channel, k_channel_fd);
    }
    execv(k_self.data(), command.argv.data());
    _exit(127);
}

/// Forks twice, so that the keeper is nobody's zombie, and whoever reaps it is not us.
void fork_keeper(int channel, const KeeperOptions& options,
                 const std::function<int(const KeeperOptions&)>& run_in_child) {
    const Command command(options);
    const pid_t child = fork();
    if (child < 0) {
        throw Error::system("start", "the keeper", errno);
    }
    if (child == 0) {
        const pid_t keeper = fork();
        if (keeper != 0) {
            _exit(keeper < 0 ? 1 : 0);
        }
        if (run_in_child) {
            _exit(run_in_child(options));
        }
        become_keeper(channel, command);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        throw Error(ExitCode::infrastructure, "cannot start the keeper: too many processes");
    }
}

/// The next frame, waiting for it; nullopt at the end of the connection or of the time.
std::optional<agent::Frame> wait_frame(agent::Channel& channel, double deadline) {
    bool there = true;
    while (true) {
        if (auto frame = channel.next()) {
            return frame;
        }
        const double left = deadline - steady_now();
        if (!there || left <= 0 || !channel.flush()) {
            return std::nullopt;
        }
        if (agent::wait_ready(channel, left)) {
            there = channel.receive();
        }
    }
}

std::optional<agent::Channel> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return std::nullopt;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return std::nullopt;
    }
    return agent::Channel(std::move(socket));
}

}  // namespace

agent::Channel start_keeper(const KeeperOptions& options,
                            const std::function<int(const KeeperOptions&)>& run_in_child) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::system("create", "a socket pair", errno);
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    KeeperOptions with_channel = options;
    with_channel.channel_fd = run_in_child ? theirs.get() : k_channel_fd;
    fork_keeper(theirs.get(), with_channel, run_in_child);
    return agent::Channel(std::move(ours));
}

std::optional<agent::Channel> reach_keeper(const KeeperHistory& history) {
    return connect_to(history.socket);
}

SpawnAnswer ask_keeper_to_spawn(const std::string& socket, const Value& request,
                                const std::function<void(const SpawnAnswer&)>& told) {
    constexpr double k_for_ever = 1e9;
    auto channel = connect_to(socket);
    if (channel) {
        channel->send(Kind::spawn, json::dump_record(request));
        while (const auto frame = wait_frame(*channel, steady_now() + k_for_ever)) {
            if (static_cast<Kind>(frame->kind) == Kind::refused) {
                throw Error(
                    ExitCode::infrastructure,
                    fmt::format("the keeper refuses: {}", agent::text_from(frame->payload, "message")));
            }
            SpawnAnswer answer = agent::spawn_answer_from(frame->payload);
            if (!answer.error.empty() || answer.exit || !get_bool(request, "wait")) {
                return answer;
            }
            told(answer);
        }
    }
    throw Error(ExitCode::infrastructure, "the keeper of this task does not answer", socket);
}

std::optional<agent::Welcome> greet(agent::Channel& channel, const agent::Hello& hello, double patience_s) {
    const double deadline = steady_now() + patience_s;
    auto welcome = try_greet(channel, hello, patience_s);
    if (!welcome && steady_now() >= deadline) {
        throw Error(ExitCode::infrastructure, fmt::format("the keeper of run {} does not answer", hello.run));
    }
    return welcome;
}

std::optional<agent::Welcome> try_greet(agent::Channel& channel, const agent::Hello& hello,
                                        double patience_s) {
    channel.send(Kind::hello, agent::encode(hello));
    const auto frame = wait_frame(channel, steady_now() + patience_s);
    if (!frame) {
        return std::nullopt;
    }
    switch (static_cast<Kind>(frame->kind)) {
        case Kind::welcome:
            return agent::welcome_from(frame->payload);
        case Kind::fenced:
            throw Error(ExitCode::busy, fmt::format("a later driver has taken over run {}", hello.run),
                        hello.run);
        case Kind::refused:
            throw Error(agent::refusal_code(frame->payload),
                        fmt::format("the keeper of run {} refuses: {}", hello.run,
                                    agent::text_from(frame->payload, "message")),
                        hello.run);
        default:
            throw Error(ExitCode::mismatch,
                        fmt::format("the keeper of run {} answers with nonsense", hello.run));
    }
}

namespace {

/// What the first living keeper of a run here says to a question, that answers in the way that is wanted.
std::optional<agent::Frame> ask_keepers(AppendFiles& files, const std::string& run, Kind question,
                                        Kind wanted,
                                        const std::function<std::string(const KeeperHistory&)>& payload,
                                        std::optional<agent::Channel>& channel) {
    for (const std::uint32_t number : keeper_numbers(files, run)) {
        if (!keeper_lives(files, run, number)) {
            continue;
        }
        const KeeperHistory history = read_history(files, run, number);
        channel = reach_keeper(history);
        if (!channel) {
            continue;
        }
        channel->send(question, payload(history));
        const auto frame = wait_frame(*channel, steady_now() + k_answer_patience_s);
        if (frame && static_cast<Kind>(frame->kind) == wanted) {
            return frame;
        }
    }
    return std::nullopt;
}

}  // namespace

bool ask_keeper_to_cancel(AppendFiles& files, const std::string& run, const std::string& who) {
    std::optional<agent::Channel> channel;
    return ask_keepers(
               files, run, Kind::cancel_run, Kind::accepted,
               [&](const KeeperHistory&) {
                   return agent::encode(agent::CancelRun{run, who});
               },
               channel)
        .has_value();
}

std::optional<agent::OpenPlace> ask_keeper_for_place(AppendFiles& files, const std::string& run,
                                                     const AttemptId& id) {
    std::optional<agent::Channel> channel;
    const auto frame = ask_keepers(
        files, run, Kind::enter, Kind::place,
        [&](const KeeperHistory& keeper) {
            return agent::encode(agent::EnterPlace{run, keeper.secret, id});
        },
        channel);
    return frame ? std::optional(agent::open_place_from(frame->payload)) : std::nullopt;
}

}  // namespace amp
