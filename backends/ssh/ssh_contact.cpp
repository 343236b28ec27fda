// The connection: made, greeted, heard, lost, and made again.

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <utility>

#include "backends/ssh/own_binary.hpp"
#include "backends/ssh/ssh_backend.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr int k_slice_ms = 100;
constexpr double k_sync_s = 2;
constexpr int k_most_doublings = 10;

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

/// The driver's loop takes signals, and does not run while we wait: has one come that would end it?
std::optional<ExitCode> told_to_end() {
    sigset_t pending;
    if (sigpending(&pending) != 0) {
        return std::nullopt;
    }
    if (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1) {
        return ExitCode::terminated;
    }
    return sigismember(&pending, SIGINT) == 1 ? std::optional(ExitCode::interrupted) : std::nullopt;
}

/// Not all at once, where many have lost the same machine.
double with_jitter(double seconds) {
    constexpr double k_least = 0.75;
    const double chance = static_cast<double>(random_bits() >> 11) / static_cast<double>(1ULL << 53);
    return seconds * (k_least + (1 - k_least) * chance);
}

}  // namespace

void SshBackend::contact() {
    if (fenced_ || ever_met_) {
        return;
    }
    while (!ever_met_) {
        if (first_failure_) {
            throw *std::exchange(first_failure_, std::nullopt);
        }
        if (!line_) {
            connect();
        }
        arm_timer();
        pollfd wait{epoll_.get(), POLLIN, 0};
        poll(&wait, 1, k_slice_ms);
        if (const auto code = told_to_end()) {
            throw Error(*code, fmt::format("told to end before {} has answered", options_.host),
                        options_.host);
        }
        work();
        if (fenced_) {
            throw Error(ExitCode::busy, fmt::format("a later driver has taken over run {}", options_.run),
                        options_.run);
        }
    }
}

void SshBackend::connect() {
    FarLineOptions line{options_.host, options_.root, options_.command, options_.command.empty()};
    if (line.bootstraps) {
        line.command = ssh::arguments(options_.host);
    }
    line_ = std::make_unique<FarLine>(std::move(line));
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, line_->event_fd(), &event) != 0) {
        throw Error::system("watch", "a connection", errno);
    }
}

void SshBackend::work() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(timer_.get(), &count, sizeof count);
    const double now = steady_now();
    if (now >= sync_at_) {
        sync_packs();
    }
    if (!line_) {
        if (fenced_ || closed_ || !ever_met_ || now < reconnect_at_) {
            return;
        }
        try {
            connect();
        } catch (const Error& error) {
            tell_of_outage(error);
            return;
        }
    }
    line_->work();
    receive();
    pump();
    if (line_->state() != FarLine::State::down && !met_ && now > line_->moved_at() + options_.silence_s) {
        line_->fail(Error(ExitCode::infrastructure, fmt::format("{} does not answer", options_.host),
                          options_.host, fmt::format("try `ssh {} true`", options_.host)));
    }
    if (line_->state() == FarLine::State::down) {
        line_down();
    }
}

// Of what it has said before its end nothing is lost.
void SshBackend::receive() {
    if (!line_->has_channel()) {
        return;
    }
    try {
        bool there = true;
        do {
            there = line_->channel().receive();
            while (const auto frame = line_->channel().next()) {
                line_->heard();
                handle(*frame);
            }
        } while (there && line_->state() == FarLine::State::down && line_->ended_by_itself() &&
                 agent::wait_ready(line_->channel(), 0));
        if (!there) {
            line_->hang_up();
        }
    } catch (const Error& error) {
        const bool theirs = error.code() == ExitCode::mismatch || error.code() == ExitCode::busy ||
                            error.code() == ExitCode::usage;
        if (!theirs) {
            throw;  // of our own store
        }
        line_->fail(error);
    }
}

void SshBackend::handle(const agent::Frame& frame) {
    switch (static_cast<Kind>(frame.kind)) {
        case Kind::agent:
            greet(agent::far_greeting_from(frame.payload));
            break;
        case Kind::met:
            met(agent::far_welcome_from(frame.payload));
            break;
        case Kind::adopted:
            adopted(agent::adopted_from(frame.payload));
            break;
        case Kind::events:
            handle_events(frame.payload);
            break;
        case Kind::lost:
            lost_ = agent::text_from(frame.payload, "reason");
            lost_told_ = false;
            break;
        case Kind::cancel_asked:
            tell(CancelAsked{agent::text_from(frame.payload, "who")});
            break;
        case Kind::fenced:
            let_go("a later driver has taken over");
            break;
        case Kind::refused:
            refusal_.emplace(agent::refusal_code(frame.payload),
                             fmt::format("amp on {} refuses: {}", options_.host,
                                         agent::text_from(frame.payload, "message")),
                             options_.host);
            line_->fail(*refusal_);
            break;
        case Kind::pack:
            mirror_.take(frame.payload);
            sync_at_ = std::min(sync_at_, steady_now() + k_sync_s);
            break;
        default:
            handle_object(frame);
    }
}

void SshBackend::handle_events(std::string_view payload) {
    std::vector<std::string> remarks;
    for (BackendEvent& event : agent::events_from(payload, remarks)) {
        if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
            failures_of_line_ += is_failure(ended->result.cause) ? 1 : 0;
            add_end(ended->result);
        } else if (const auto* started = std::get_if<AttemptStarted>(&event)) {
            take_started(*started);
        } else if (const auto* queued = std::get_if<AttemptQueued>(&event)) {
            if (held_.contains(queued->id)) {
                tell(std::move(event));
            }
        } else {
            tell(std::move(event));
        }
    }
    for (std::string& remark : remarks) {
        tell(BackendNote{std::move(remark)});
    }
}

/// It has started: who we are.
void SshBackend::greet(const agent::FarGreeting& greeting) {
    if (options_.command.empty() && greeting.binary != own_binary_hash()) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the amp on {} is another one than was sent", options_.host), options_.host);
    }
    agent::FarHello hello;
    hello.run = options_.run;
    hello.epoch = options_.epoch;
    hello.number_base = options_.number_base;
    hello.workers = options_.workers;
    hello.packs = mirror_.lengths();
    hello.code = options_.code != nullptr ? options_.code->hash : std::string();
    adopts_all_ = !ever_adopted_;
    if (ever_adopted_) {
        hello.held.emplace();
        for (const auto& [id, held] : held_) {
            hello.held->push_back(id);
        }
    }
    if (!options_.secrets.empty()) {
        line_->channel().send(Kind::secrets, agent::encode(options_.secrets));
    }
    line_->channel().send(Kind::meet, agent::encode(hello));
}

void SshBackend::met(agent::FarWelcome welcome) {
    const bool first = !std::exchange(ever_met_, true);
    met_ = true;
    welcome_ = std::move(welcome);
    failures_of_line_ = 0;
    if (welcome_.code_ready) {
        code_ = Code::ready;
    }
    if (first) {
        for (const AttemptStarted& running : welcome_.running) {
            Held& held = held_[running.id];
            held.state = State::started;
            held.told = true;  // by adopt
        }
    }
    if (!line_->folder().empty() && line_->folder() != welcome_.root && !std::exchange(place_told_, true)) {
        tell(BackendNote{fmt::format("programs cannot be executed below {} on {}: amp lies in {} there",
                                     welcome_.root, options_.host, line_->folder())});
    }
    ends_.ask_again();
    tell_of_contact();
}

void SshBackend::adopted(const agent::ReadAdopted& read) {
    for (const AttemptResult& result : read.results) {
        const AttemptId id{result.task, result.attempt};
        if (const auto held = held_.find(id); held != held_.end()) {
            if (held->second.state == State::unsent) {  // submitted before this could be told
                held->second.state = State::sent;
                std::erase(unsent_, id);
            }
            add_end(result);
        } else if (adopts_all_) {
            ends_.add(result);
        }
    }
    if (read.last) {
        adopted_ = ever_adopted_ = true;
        settle_unsure();
        use_what_stays();
        ask_for_objects();
        send_ready();
    }
}

/// What became of that which was held over a connection that is gone.
void SshBackend::settle_unsure() {
    for (const AttemptStarted& running : welcome_.running) {
        take_started(running);
    }
    for (const AttemptId& lost : welcome_.lost) {
        if (held_.contains(lost) && !ends_.contains(lost)) {
            end(lost, Cause::lost, "its keeper died");
        }
    }
    std::set<AttemptId> running;
    for (const AttemptStarted& started : welcome_.running) {
        running.insert(started.id);
    }
    std::vector<AttemptId> vanished;
    for (auto& [id, held] : held_) {
        if (held.state == State::unsent || running.contains(id) || ends_.contains(id)) {
            continue;
        }
        if (held.state == State::unsure && held.spec) {
            held.state = State::unsent;
            unsent_.push_back(id);
        } else if (held.state != State::sent) {
            vanished.push_back(id);
        }
    }
    for (const AttemptId& id : vanished) {
        end(id, Cause::lost, fmt::format("{} knows nothing of it any more", options_.host));
    }
    for (const auto& [id, kind] : std::map(cancels_)) {
        ask_to_end(kind, {&id, 1});
    }
    // Said before it may have been lost with the connection.
    const std::vector<AttemptId> freed(freed_.begin(), freed_.end());
    ask_to_end(Kind::cancel, freed);
}

void SshBackend::line_down() {
    const Error why = refusal_ ? *refusal_ : line_->why();  // its end may have been seen before its words
    refusal_.reset();
    line_.reset();
    met_ = adopted_ = false;
    uploads_.forget();
    taker_.forget();
    code_ = Code::unknown;
    if (lost_ && !lost_told_) {
        lost_.reset();  // the next agent finds out what that means for each
    }
    for (auto& [id, held] : held_) {
        held.state = held.state == State::sent ? State::unsure : held.state;
    }
    if (fenced_ || closed_) {
        return;
    }
    if (!ever_met_) {
        first_failure_ = why;
        return;
    }
    tell_of_outage(why);
}

/// Loss of contact alone fails nothing: all that is held stays held, for as long as it takes.
void SshBackend::tell_of_outage(const Error& why) {
    const double pause = std::min(options_.longest_pause_s,
                                  options_.first_pause_s * std::pow(2, std::min(pauses_, k_most_doublings)));
    ++pauses_;
    reconnect_at_ = steady_now() + with_jitter(pause);
    if (out_since_) {
        return;
    }
    out_since_ = SystemClock().now();
    tell(BackendNote{fmt::format("no contact with {} since {} ({}): trying again; what runs there goes on",
                                 options_.host, format_time(*out_since_), why.message())});
    for (const auto& [id, held] : held_) {
        if (held.state != State::started) {
            tell(AttemptQueued{id, fmt::format("no contact with {}", options_.host)});
        }
    }
}

void SshBackend::tell_of_contact() {
    pauses_ = 0;
    if (const auto since = std::exchange(out_since_, std::nullopt)) {
        tell(BackendNote{fmt::format("contact with {} again, after {:.0f} s", options_.host,
                                     SystemClock().now().seconds_since(*since))});
    }
}

/// A later driver is in charge: nothing of it is ours any more.
void SshBackend::let_go(const std::string& reason) {
    fenced_ = true;
    held_.clear();
    unsent_.clear();
    tell(BackendLost{reason});
    line_->fail(Error(ExitCode::busy, reason, options_.run));
}

double SshBackend::next_deadline() const {
    double deadline = sync_at_;
    if (line_) {
        deadline = std::min(deadline, line_->hung_up_until());
        if (!met_) {
            deadline = std::min(deadline, line_->moved_at() + options_.silence_s);
        }
    } else if (ever_met_ && !fenced_ && !closed_) {
        deadline = std::min(deadline, reconnect_at_);
    }
    return deadline;
}

void SshBackend::arm_timer() {
    const double deadline = next_deadline();
    itimerspec when{};
    if (!std::isinf(deadline)) {
        const double at = std::max(deadline + 0.001, 0.001);
        when.it_value.tv_sec = static_cast<time_t>(at);
        when.it_value.tv_nsec = static_cast<long>((at - std::floor(at)) * 1e9);
    }
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace amp
