#include "backends/local/local_backend.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <utility>

#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/gpus.hpp"
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
    options.gpus = visible_gpus();
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
    if (!epoll_ || !wake_) {
        throw Error::system("create", "an epoll", errno);
    }
    fill_in(options_);
    if (!options_.secrets.empty()) {
        prctl(PR_SET_DUMPABLE, 0);  // no core file of ours, and no other process of the user reads our memory
    }
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
        throw Error::system("create", "an epoll", errno);
    }
}

LocalBackend::~LocalBackend() = default;

Capacity LocalBackend::capacity() {
    return {options_.cpu, options_.memory_bytes, static_cast<std::uint32_t>(options_.gpus.size())};
}

std::size_t LocalBackend::window() {
    return k_window_a_worker * options_.workers + k_window_more;
}

int LocalBackend::event_fd() {
    return epoll_.get();
}

void LocalBackend::note(std::string text) {
    local_events_.emplace_back(BackendNote{std::move(text)});
    wake();
}

void LocalBackend::connect(agent::Channel channel) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, channel.fd(), &event) != 0) {
        throw Error::system("watch", "the keeper", errno);
    }
    channel_ = std::move(channel);
    if (!options_.secrets.empty()) {  // before all specs: they refer to these
        channel_->send(Kind::secrets, agent::encode(options_.secrets));
    }
    watches_room_ = false;
    unheard_ = false;
    failures_ = 0;
    wake();  // what came together with the welcome was read already, and makes the socket ready no more
}

void LocalBackend::wake() {
    awake_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

// A keeper that ends leaves its number behind: each log has one writer. False when it died at once.
bool LocalBackend::start() {
    const auto numbers = keeper_numbers(files_, options_.run, options_.number_base);
    number_ = std::max(options_.number_base + options_.epoch, numbers.empty() ? 0 : numbers.back() + 1);
    KeeperOptions keeper;
    keeper.store_dir = options_.store_dir;
    keeper.run = options_.run;
    keeper.number = number_;
    keeper.workers = options_.workers;
    keeper.cpu = options_.cpu;
    keeper.memory_bytes = options_.memory_bytes;
    keeper.gpus = options_.gpus;
    keeper.project_dir = options_.project_dir;
    keeper.linger_s = options_.linger_s;
    agent::Channel channel = start_keeper(keeper, options_.run_keeper);
    if (!greet(channel, {options_.run, options_.epoch, {}}, k_greet_patience_s)) {
        return false;
    }
    connect(std::move(channel));
    return true;
}

void LocalBackend::open() {
    if (fenced_) {
        throw Error(ExitCode::busy, fmt::format("a later driver has taken over run {}", options_.run),
                    options_.run);
    }
    if (!channel_ && !start()) {
        lose("the keeper ended at its start", local_events_);
        wake();
    }
}

void LocalBackend::submit(std::span<const TaskSpec> specs) {
    std::vector<TaskSpec> fresh;
    for (const TaskSpec& spec : specs) {
        const AttemptId id{spec.task, spec.attempt};
        if (held_.emplace(id, Held::submitted).second) {
            unstarted_.emplace(id, spec);
            fresh.push_back(spec);
        }
    }
    if (fresh.empty()) {
        return;
    }
    open();
    if (channel_) {
        send(fresh);
    }
}

void LocalBackend::send(std::span<const TaskSpec> specs) {
    for (const TaskSpec* large : agent::send_specs(*channel_, specs)) {
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
    if (channel_ && std::exchange(resubmit_on_go_on_, false)) {
        resubmit();
    }
}

void LocalBackend::answer(const SpawnAnswer& answer) {
    if (channel_) {
        channel_->send(Kind::answer, agent::encode(answer));
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

// A keeper that is gone shows to events(), which is called next.
void LocalBackend::flush() {
    if (!channel_->flush()) {
        unheard_ = true;
        wake();
    }
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
    bool there = channel_->receive() && !unheard_;
    try {
        while (const auto frame = channel_->next()) {
            handle(*frame, out);
        }
    } catch (const Error& error) {  // bytes that are no frames: nothing more can be understood
        out.emplace_back(BackendNote{fmt::format("the keeper cannot be understood: {}", error.message())});
        there = false;
    }
    if (!there) {
        connection_gone(out);
    }
    return out;
}

void LocalBackend::handle(const agent::Frame& frame, std::vector<BackendEvent>& out) {
    try {
        switch (static_cast<Kind>(frame.kind)) {
            case Kind::events: {
                std::vector<std::string> remarks;
                auto events = agent::events_from(frame.payload, remarks);
                for (std::string& remark : remarks) {
                    out.emplace_back(BackendNote{std::move(remark)});
                }
                for (BackendEvent& event : events) {
                    take(std::move(event), out);
                }
                break;
            }
            case Kind::cancel_asked:
                out.emplace_back(CancelAsked{agent::text_from(frame.payload, "who")});
                break;
            case Kind::fenced:
                fenced_ = true;
                break;
            case Kind::refused:
                out.emplace_back(BackendNote{agent::text_from(frame.payload, "message")});
                break;
            default:
                out.emplace_back(
                    BackendNote{fmt::format("the keeper says {}, which is not known", frame.kind)});
        }
    } catch (const Error& error) {
        out.emplace_back(
            BackendNote{fmt::format("a message of the keeper cannot be read: {}", error.message())});
    }
}

/// Lets an event through if it is of an attempt that we hold.
void LocalBackend::take(BackendEvent event, std::vector<BackendEvent>& out) {
    if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
        const AttemptId id{ended->result.task, ended->result.attempt};
        if (held_.erase(id) == 0) {
            return;
        }
        unstarted_.erase(id);
        failures_ += is_failure(ended->result.cause) ? 1 : 0;
    } else if (const auto* started = std::get_if<AttemptStarted>(&event)) {
        const auto held = held_.find(started->id);
        if (held == held_.end() || held->second == Held::started) {
            return;
        }
        held->second = Held::started;
        unstarted_.erase(started->id);
    } else if (const auto* queued = std::get_if<AttemptQueued>(&event)) {
        if (!held_.contains(queued->id)) {
            return;
        }
    }
    broken_ = 0;
    out.push_back(std::move(event));
}

}  // namespace amp
