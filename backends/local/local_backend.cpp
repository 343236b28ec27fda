#include "backends/local/local_backend.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <utility>

#include "backends/local/gpu_claims.hpp"
#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr double k_greet_patience_s = 20;
constexpr std::size_t k_window_a_worker = 4;
constexpr std::size_t k_window_more = 16;

void fill_in(LocalBackendOptions& options) {
    const Machine machine = measure_machine();
    options.cpu = options.cpu > 0 ? options.cpu : machine.cpu;
    options.memory_bytes = options.memory_bytes != 0 ? options.memory_bytes : machine.memory_bytes;
    if (options.workers == 0) {
        options.workers = static_cast<std::size_t>(std::max(1.0, std::ceil(options.cpu)));
    }
    options.gpu = static_cast<std::uint32_t>(visible_gpus().size());
    options.store_dir = std::filesystem::absolute(options.store_dir).string();
}

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

}  // namespace

LocalBackend::LocalBackend(AppendFiles& files, LocalBackendOptions options)
    : files_(files),
      options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    fill_in(options_);
    epoll_event event{};
    event.events = EPOLLIN;
    if (!epoll_ || !wake_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
        throw Error::system("create", "an epoll", errno);
    }
}

LocalBackend::~LocalBackend() = default;

Capacity LocalBackend::capacity() {
    return {options_.cpu, options_.memory_bytes, options_.gpu};
}

std::size_t LocalBackend::window() {
    return k_window_a_worker * options_.workers + k_window_more;
}

int LocalBackend::event_fd() {
    return epoll_.get();
}

std::vector<std::string> LocalBackend::notes() {
    return std::exchange(notes_, {});
}

void LocalBackend::connect(agent::Channel channel) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, channel.fd(), &event) != 0) {
        throw Error::system("watch", "the keeper", errno);
    }
    channel_ = std::move(channel);
    watches_room_ = false;
    failures_ = 0;
    wake();  // what came together with the welcome was read already, and makes the socket ready no more
}

void LocalBackend::wake() {
    awake_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

// A keeper that ends leaves its number behind: each log has one writer.
void LocalBackend::start() {
    const auto numbers = keeper_numbers(files_, options_.run);
    number_ = std::max(options_.epoch, numbers.empty() ? 0 : numbers.back() + 1);
    KeeperOptions keeper;
    keeper.store_dir = options_.store_dir;
    keeper.run = options_.run;
    keeper.number = number_;
    keeper.workers = options_.workers;
    keeper.cpu = options_.cpu;
    keeper.memory_bytes = options_.memory_bytes;
    keeper.gpu = options_.gpu;
    keeper.project_dir = options_.project_dir;
    keeper.linger_s = options_.linger_s;
    agent::Channel channel = start_keeper(keeper, options_.run_keeper);
    if (!greet(channel, {options_.run, options_.epoch, {}}, k_greet_patience_s)) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("the keeper of run {} ended at its start", options_.run));
    }
    connect(std::move(channel));
}

void LocalBackend::submit(std::span<const TaskSpec> specs) {
    if (fenced_) {
        throw Error(ExitCode::busy, fmt::format("a later driver has taken over run {}", options_.run),
                    options_.run);
    }
    std::vector<TaskSpec> fresh;
    for (const TaskSpec& spec : specs) {
        if (held_.emplace(AttemptId{spec.task, spec.attempt}, Held::submitted).second) {
            fresh.push_back(spec);
        }
    }
    if (fresh.empty()) {
        return;
    }
    if (!channel_) {
        start();
    }
    for (const TaskSpec* large : agent::send_specs(*channel_, fresh)) {
        end({large->task, large->attempt}, Cause::infra, "its description is over 16 MiB");
    }
    flush();
}

void LocalBackend::cancel(std::span<const AttemptId> attempts) {
    ask_to_end(Kind::cancel, attempts);
}

void LocalBackend::kill(std::span<const AttemptId> attempts) {
    ask_to_end(Kind::kill, attempts);
}

void LocalBackend::ask_to_end(Kind kind, std::span<const AttemptId> attempts) {
    if (channel_ && !attempts.empty()) {
        channel_->send(kind, agent::encode_attempts(attempts));
        flush();
    }
}

void LocalBackend::go_on() {
    if (channel_) {
        channel_->send(Kind::go_on, agent::encode_number("failures", failures_));
        flush();
    }
}

void LocalBackend::close() {
    if (channel_ && !closed_) {
        channel_->send(Kind::close, "{}");
        flush();
    }
    closed_ = true;
}

// A keeper that is gone shows when its end is read, by events().
void LocalBackend::flush() {
    channel_->flush();
    const bool wants_room = channel_->has_unsent();
    if (wants_room != watches_room_) {
        watches_room_ = wants_room;
        epoll_event event{};
        event.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
        epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, channel_->fd(), &event);
    }
}

void LocalBackend::end(const AttemptId& id, Cause cause, const std::string& message) {
    AttemptResult result;
    result.task = id.task;
    result.attempt = id.attempt;
    result.cause = cause;
    result.exit = -1;
    result.message = message;
    result.started = result.ended = SystemClock().now();
    local_events_.emplace_back(AttemptEnded{std::move(result)});
    wake();
}

std::vector<BackendEvent> LocalBackend::events() {
    std::vector<BackendEvent> out;
    if (std::exchange(awake_, false)) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t n = read(wake_.get(), &count, sizeof count);
    }
    for (BackendEvent& event : std::exchange(local_events_, {})) {
        take(std::move(event), out);
    }
    if (!channel_) {
        return out;
    }
    flush();
    bool there = channel_->receive();
    try {
        while (const auto frame = channel_->next()) {
            handle(*frame, out);
        }
    } catch (const Error& error) {  // bytes that are no frames: nothing more can be understood
        notes_.push_back(error.message());
        there = false;
    }
    if (!there) {
        keeper_gone(out);
    }
    return out;
}

void LocalBackend::handle(const agent::Frame& frame, std::vector<BackendEvent>& out) {
    try {
        switch (static_cast<Kind>(frame.kind)) {
            case Kind::events:
                for (BackendEvent& event : agent::events_from(frame.payload, notes_)) {
                    take(std::move(event), out);
                }
                break;
            case Kind::cancel_asked:
                out.emplace_back(CancelAsked{agent::text_from(frame.payload, "who")});
                break;
            case Kind::fenced:
                fenced_ = true;
                break;
            case Kind::refused:
                notes_.push_back(agent::text_from(frame.payload, "message"));
                break;
            default:
                notes_.push_back(fmt::format("the keeper says {}, which is not known", frame.kind));
        }
    } catch (const Error& error) {
        notes_.push_back(fmt::format("a message of the keeper cannot be read: {}", error.message()));
    }
}

/// Lets an event through if it is of an attempt that we hold.
void LocalBackend::take(BackendEvent event, std::vector<BackendEvent>& out) {
    if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
        if (held_.erase({ended->result.task, ended->result.attempt}) == 0) {
            return;
        }
        failures_ += is_failure(ended->result.cause) ? 1 : 0;
    } else if (const auto* started = std::get_if<AttemptStarted>(&event)) {
        const auto held = held_.find(started->id);
        if (held == held_.end() || held->second == Held::started) {
            return;
        }
        held->second = Held::started;
    } else if (const auto* queued = std::get_if<AttemptQueued>(&event)) {
        if (!held_.contains(queued->id)) {
            return;
        }
    }
    out.push_back(std::move(event));
}

}  // namespace amp
