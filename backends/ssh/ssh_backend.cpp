#include "backends/ssh/ssh_backend.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <utility>

#include "backends/local/keeper_history.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/store/objects.hpp"
#include "core/store/packs.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr std::size_t k_window_a_worker = 8;
constexpr std::size_t k_window_more = 64;
constexpr double k_adopt_patience_s = 20;
constexpr double k_close_patience_s = 2;
constexpr int k_slice_ms = 100;

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        throw Error::system("create", "an epoll", errno);
    }
}

AttemptResult result_of(const AttemptId& id, Cause cause, const std::string& message) {
    AttemptResult result;
    result.task = id.task;
    result.attempt = id.attempt;
    result.cause = cause;
    result.exit = -1;
    result.message = message;
    result.started = result.ended = SystemClock().now();
    return result;
}

}  // namespace

SshBackend::SshBackend(ObjectStore& objects, AppendFiles& files, SshBackendOptions options)
    : objects_(objects),
      files_(files),
      options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      mirror_(files, options_.run, options_.number_base + 1, last_number(options_.number_base)),
      taker_(objects, [this](const std::string& sha256) { return ends_.wanted(sha256); }),
      ends_(
          objects,
          [this](const std::vector<agent::SizedObject>& wanted, bool stay) {
              if (may_speak()) {
                  agent::send_objects(line_->channel(), stay ? Kind::have : Kind::fetch, wanted);
              }
          },
          options_.keep_above),
      uploads_(objects),
      sync_at_(HUGE_VAL) {
    if (options_.code && options_.code->mode == CodeMode::image) {
        options_.code.reset();  // nothing of it is here
    }
    if (const std::string mistake = ssh::host_mistake(options_.host); !mistake.empty()) {
        throw Error(ExitCode::invalid, mistake, options_.host);
    }
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
    watch(epoll_.get(), timer_.get());
    watch(epoll_.get(), wake_.get());
    if (!options_.secrets.empty()) {
        prctl(PR_SET_DUMPABLE, 0);  // as LocalBackend
    }
}

SshBackend::~SshBackend() = default;

std::size_t SshBackend::window() {
    return k_window_a_worker * welcome_.workers + k_window_more;
}

void SshBackend::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

void SshBackend::tell(BackendEvent event) {
    news_.push_back(std::move(event));
    wake();
}

void SshBackend::open() {
    if (fenced_) {
        throw Error(ExitCode::busy, fmt::format("a later driver has taken over run {}", options_.run),
                    options_.run);
    }
    if (!ever_met_) {
        contact();
    }
    if (lost_ && lost_told_) {
        lost_.reset();
        if (may_speak()) {
            line_->channel().send(Kind::open, "{}");
            line_->flush();
        }
    }
}

Adoption SshBackend::adopt() {
    contact();
    const double deadline = steady_now() + k_adopt_patience_s;
    const auto all = [](const AttemptId&) { return true; };
    while ((!adopted_ || ends_.waits(all)) && steady_now() < deadline && !fenced_) {
        pollfd wait{epoll_.get(), POLLIN, 0};
        poll(&wait, 1, k_slice_ms);
        work();
    }
    std::vector<AttemptResult> ended = ends_.take(all);
    make_durable(ended);
    Adoption adoption;
    adoption.running = welcome_.running;
    adoption.lost = welcome_.lost;
    for (AttemptResult& result : ended) {
        held_.erase({result.task, result.attempt});
        adoption.ended.push_back(std::move(result));
    }
    std::erase_if(adoption.running,
                  [this](const AttemptStarted& started) { return !held_.contains(started.id); });
    return adoption;
}

void SshBackend::submit(std::span<const TaskSpec> specs) {
    for (const TaskSpec& spec : specs) {
        const AttemptId id{spec.task, spec.attempt};
        const auto added = held_.try_emplace(id);
        if (!added.second) {
            continue;
        }
        Held& held = added.first->second;
        if (ends_.contains(id)) {  // it has ended under an earlier driver, and its outputs are on their way
            held.state = State::sent;
            wake();
            continue;
        }
        try {
            held.spec = make_far(
                spec, options_.project_folder,
                [this](const Artifact& value) {
                    Objects(objects_).put(
                        read_piece(files_, {value.pack, value.pack_offset, value.size_bytes, value.sha256}));
                },
                [this](const Artifact& folder) { return files_of_folder(objects_, folder.sha256); });
            unsent_.push_back(id);
        } catch (const Error& error) {
            end(id, Cause::infra, fmt::format("its inputs cannot be sent: {}", error.message()));
        }
    }
    if (may_speak()) {
        ask_for_objects();
        send_ready();
        pump();
    } else if (out_since_) {
        for (const TaskSpec& spec : specs) {
            tell(AttemptQueued{{spec.task, spec.attempt}, fmt::format("no contact with {}", options_.host)});
        }
    }
}

void SshBackend::cancel(std::span<const AttemptId> attempts) {
    ask_to_end(Kind::cancel, attempts);
}

void SshBackend::kill(std::span<const AttemptId> attempts) {
    ask_to_end(Kind::kill, attempts);
}

void SshBackend::ask_to_end(Kind kind, std::span<const AttemptId> attempts) {
    std::vector<AttemptId> there;
    for (const AttemptId& id : attempts) {
        const auto held = held_.find(id);
        if (held == held_.end()) {  // it has ended, and its place may be kept there
            freed_.insert(id);
            there.push_back(id);
            continue;
        }
        if (held->second.state == State::unsent) {
            end(id, Cause::cancelled, "cancelled before it started");
        } else {
            cancels_[id] = kind;
            there.push_back(id);
        }
    }
    if (!there.empty() && may_speak()) {
        line_->channel().send(kind, agent::encode_attempts(there));
        pump();
    }
}

// As long as the driver has not heard of all failures, its word is not about all of them.
void SshBackend::go_on() {
    failures_known_ = failures_told_;
    if (!may_speak() || failures_seen_ != failures_told_) {
        return;
    }
    line_->channel().send(Kind::go_on, agent::encode_number("failures", failures_of_line_));
    send_ready();
    pump();
}

void SshBackend::answer(const SpawnAnswer& answer) {
    if (may_speak()) {  // else it is asked again
        line_->channel().send(Kind::answer, agent::encode(answer));
        pump();
    }
}

std::vector<BackendEvent> SshBackend::events() {
    std::uint64_t count = 0;
    [[maybe_unused]] ssize_t n = read(wake_.get(), &count, sizeof count);
    n = read(timer_.get(), &count, sizeof count);
    work();
    deliver();
    arm_timer();
    std::uint64_t again = 0;
    n = read(wake_.get(), &again, sizeof again);  // all that was told goes out now
    return std::exchange(news_, {});
}

void SshBackend::take_started(const AttemptStarted& started) {
    const auto held = held_.find(started.id);
    if (held == held_.end()) {
        return;
    }
    held->second.state = State::started;
    held->second.spec.reset();
    if (!std::exchange(held->second.told, true)) {
        tell(started);
    }
}

void SshBackend::add_end(const AttemptResult& result) {
    const AttemptId id{result.task, result.attempt};
    if (lost_ || !held_.contains(id)) {
        return;
    }
    if (ends_.add(result) && is_failure(result.cause)) {
        ++failures_seen_;
        held_.at(id).counted = true;
    }
}

/// Of an attempt of which the other machine knows nothing.
void SshBackend::end(const AttemptId& id, Cause cause, const std::string& message) {
    held_.erase(id);
    std::erase(unsent_, id);
    cancels_.erase(id);
    if (is_failure(cause)) {
        ++failures_seen_;
        ++failures_told_;
    }
    tell(AttemptEnded{result_of(id, cause, message)});
}

/// Ends whose outputs are here, and durable.
void SshBackend::deliver() {
    const auto is_held = [this](const AttemptId& id) { return held_.contains(id); };
    std::vector<AttemptResult> complete = ends_.take(is_held);
    make_durable(complete);
    for (AttemptResult& result : complete) {
        const AttemptId id{result.task, result.attempt};
        const Held held = std::move(held_.extract(id).mapped());
        cancels_.erase(id);
        if (is_failure(result.cause)) {
            failures_seen_ += held.counted ? 0 : 1;
            ++failures_told_;
        }
        news_.emplace_back(AttemptEnded{std::move(result)});
    }
    if (lost_ && !lost_told_ && !ends_.waits(is_held)) {
        lost_told_ = true;
        held_.clear();
        unsent_.clear();
        cancels_.clear();
        news_.emplace_back(BackendLost{*lost_});
    }
}

/// What these ends name. Their logs may follow: should a power cut take them, the other machine has them.
void SshBackend::make_durable(const std::vector<AttemptResult>& results) {
    bool in_packs = false;
    for (const AttemptResult& result : results) {
        for (const auto& [name, artifact] : result.artifacts) {
            in_packs = in_packs || !artifact.pack.empty();
        }
    }
    if (in_packs) {
        mirror_.sync();
    }
    if (!results.empty() && std::exchange(unsynced_, false)) {
        objects_.sync_pending();
    }
    note_what_stays(results);
}

void SshBackend::sync_packs() {
    mirror_.sync();
    sync_at_ = HUGE_VAL;
}

void SshBackend::close() {
    if (std::exchange(closed_, true)) {
        return;
    }
    const double deadline = steady_now() + k_close_patience_s;
    if (may_speak()) {
        line_->channel().send(Kind::close, "{}");
        line_->flush();
        while (line_->channel().has_unsent() && steady_now() < deadline) {
            pollfd room{line_->channel().fd(), POLLOUT, 0};
            poll(&room, 1, k_slice_ms);
            line_->flush();
        }
    }
    try {
        sync_packs();
    } catch (const Error&) {
        // What is only in the kernel's memory is also on the other machine.
    }
}

}  // namespace amp
