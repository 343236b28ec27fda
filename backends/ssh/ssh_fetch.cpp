#include "backends/ssh/ssh_fetch.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "backends/ssh/arriving_ends.hpp"
#include "backends/ssh/own_binary.hpp"
#include "backends/system/event_loop.hpp"
#include "core/base/text.hpp"
#include "core/store/far_notes.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr int k_most_doublings = 10;
constexpr double k_idle_s = 20;

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        throw Error::system("create", "an epoll", errno);
    }
}

/// Would it be the same the next time?
bool is_final(const Error& why) {
    return why.code() != ExitCode::infrastructure;
}

}  // namespace

SshFetch::SshFetch(ObjectStore& objects, SshFetchOptions options)
    : objects_(objects),
      options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      taker_(objects, [this](const std::string& sha256) {
          const auto found = needed_.find(sha256);
          return found == needed_.end() ? std::nullopt : std::optional(found->second.object);
      }) {
    if (const std::string mistake = ssh::host_mistake(options_.place.host); !mistake.empty()) {
        throw Error(ExitCode::invalid, mistake, options_.place.host);
    }
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
    watch(epoll_.get(), timer_.get());
}

SshFetch::~SshFetch() = default;

void SshFetch::want(const Artifact& artifact) {
    if (!wanted_.try_emplace(artifact.sha256, Wanted{artifact, {}}).second) {
        return;
    }
    if (visits_) {
        ask(artifact.sha256);
    }
    arm_timer();
}

std::vector<FarArrival> SshFetch::events() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(timer_.get(), &count, sizeof count);
    work();
    arm_timer();
    return std::exchange(arrivals_, {});
}

void SshFetch::connect() {
    const FarPlace& place = options_.place;
    FarLineOptions line{place.host, place.root, options_.command, options_.command.empty()};
    if (line.bootstraps) {
        line.command = ssh::arguments(place.host);
    }
    line_ = std::make_unique<FarLine>(std::move(line));
    watch(epoll_.get(), line_->event_fd());
}

/// Nothing is wanted: more may be soon.
void SshFetch::rest() {
    if (!leaves_ && steady_now() >= idle_at_ + k_idle_s && line_->state() == FarLine::State::up) {
        leaves_ = true;
        visits_ = false;
        line_->channel().send(Kind::close, "{}");
    }
}

void SshFetch::work() {
    if (!line_) {
        if (wanted_.empty() || steady_now() < connect_at_) {
            return;
        }
        try {
            connect();
        } catch (const Error& error) {
            line_down(error);
            return;
        }
    }
    line_->work();
    receive();
    if (line_->state() == FarLine::State::up) {
        if (wanted_.empty()) {
            rest();
        }
        line_->flush();
    }
    if (line_->state() != FarLine::State::down && !visits_ && !leaves_ &&
        steady_now() > line_->moved_at() + options_.silence_s) {
        line_->fail(Error(ExitCode::infrastructure, fmt::format("{} does not answer", options_.place.host),
                          options_.place.host, fmt::format("try `ssh {} true`", options_.place.host)));
    }
    if (line_->state() == FarLine::State::down) {
        line_down(Error(line_->why()));
    }
}

// Of what it has said before its end nothing is lost.
void SshFetch::receive() {
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
        if (error.code() != ExitCode::mismatch && error.code() != ExitCode::usage) {
            throw;  // of our own store
        }
        line_->fail(error);
    }
}

void SshFetch::handle(const agent::Frame& frame) {
    switch (static_cast<Kind>(frame.kind)) {
        case Kind::agent:
            if (options_.command.empty() &&
                agent::far_greeting_from(frame.payload).binary != own_binary_hash()) {
                throw Error(ExitCode::mismatch,
                            fmt::format("the amp on {} is another one than was sent", options_.place.host));
            }
            line_->channel().send(Kind::visit, "{}");
            break;
        case Kind::visited:
            visited(agent::text_from(frame.payload, "store"));
            break;
        case Kind::object:
            taker_.begin(frame.payload);
            break;
        case Kind::data:
            taker_.data(frame.payload);
            break;
        case Kind::object_end: {
            const agent::ObjectTrouble taken = taker_.end(frame.payload);
            if (taken.ours) {
                throw Error(taken.code, taken.error);
            }
            taken.error.empty() ? came(taken.sha256) : gone(taken);
            break;
        }
        case Kind::gone:
            gone(agent::object_trouble_from(frame.payload));
            break;
        case Kind::refused:
            line_->fail(Error(agent::refusal_code(frame.payload), agent::text_from(frame.payload, "message"),
                              options_.place.host));
            break;
        default:
            throw Error(ExitCode::mismatch, fmt::format("amp on {} says {}, which is not known",
                                                        options_.place.host, frame.kind));
    }
}

void SshFetch::visited(const std::string& store) {
    if (store != options_.place.store) {
        line_->fail(Error(ExitCode::not_found,
                          store.empty() ? fmt::format("amp has no store on {} any more", options_.place.host)
                                        : fmt::format("the store of amp on {} is another one than it was",
                                                      options_.place.host),
                          options_.place.host, "is a disk not mounted there?"));
        return;
    }
    visits_ = true;
    std::vector<std::string> artifacts;
    for (const auto& [sha256, wanted] : wanted_) {
        artifacts.push_back(sha256);
    }
    for (const std::string& sha256 : artifacts) {
        ask(sha256);
    }
}

/// For what it lacks. Of a folder that may be its manifest first.
void SshFetch::ask(const std::string& artifact) {
    Wanted& wanted = wanted_.at(artifact);
    std::vector<agent::SizedObject> objects;
    try {
        objects = objects_of(objects_, wanted.artifact);
    } catch (const Error& error) {
        if (error.code() != ExitCode::mismatch) {
            throw;
        }
        decide(artifact, {artifact, error.message(), {}, error.code()});
        return;
    }
    std::vector<agent::SizedObject> asked;
    for (const agent::SizedObject& object : objects) {
        if (agent::object_present(objects_, object)) {
            continue;
        }
        wanted.lacks.insert(object.sha256);
        Needed& needed = needed_[object.sha256];
        if (needed.by.empty()) {
            needed.object = object;
            asked.push_back(object);
        }
        needed.by.insert(artifact);
    }
    if (wanted.lacks.empty()) {
        home(artifact);
    } else {
        agent::send_objects(line_->channel(), Kind::fetch, asked);
    }
}

void SshFetch::came(const std::string& object) {
    failures_ = 0;
    const auto found = needed_.extract(object);
    if (found.empty()) {
        return;
    }
    for (const std::string& artifact : found.mapped().by) {
        const auto wanted = wanted_.find(artifact);
        if (wanted != wanted_.end() && wanted->second.lacks.erase(object) > 0 &&
            wanted->second.lacks.empty()) {
            ask(artifact);  // whether that was all of it
        }
    }
}

void SshFetch::home(const std::string& artifact) {
    objects_.sync_pending();
    forget_far(objects_, artifact);
    decide(artifact, {artifact, {}, {}, ExitCode::ok});
}

/// It cannot be read there. Where it is not there or damaged, it is nowhere.
void SshFetch::gone(const agent::ObjectTrouble& trouble) {
    const auto found = needed_.extract(trouble.sha256);
    if (found.empty()) {
        return;
    }
    const bool nowhere = trouble.code == ExitCode::not_found || trouble.code == ExitCode::mismatch;
    for (const std::string& artifact : found.mapped().by) {
        FarArrival arrival{artifact, {}, {}, ExitCode::infrastructure};
        if (nowhere) {
            forget_far(objects_, artifact);
            arrival.code = ExitCode::not_found;
            arrival.error = fmt::format("it stayed on {} and is there no more", options_.place.profile);
            arrival.hint = "`amp resume` makes it again";
        } else {
            arrival.error = fmt::format("it cannot be read on {}: {}", options_.place.profile, trouble.error);
        }
        decide(artifact, std::move(arrival));
    }
}

void SshFetch::decide(const std::string& artifact, FarArrival arrival) {
    const auto found = wanted_.extract(artifact);
    if (found.empty()) {
        return;
    }
    for (const std::string& object : found.mapped().lacks) {
        const auto needed = needed_.find(object);
        if (needed != needed_.end() && needed->second.by.erase(artifact) > 0 && needed->second.by.empty()) {
            needed_.erase(needed);
        }
    }
    arrivals_.push_back(std::move(arrival));
    idle_at_ = steady_now();
}

/// It is made again, unless that would be of no use. What was on its way is sent again from its start.
void SshFetch::line_down(const Error& why) {
    line_.reset();
    taker_.forget();
    visits_ = false;
    needed_.clear();
    for (auto& [sha256, wanted] : wanted_) {
        wanted.lacks.clear();
    }
    if (std::exchange(leaves_, false) || wanted_.empty()) {
        return;
    }
    ++failures_;
    if (!is_final(why) && failures_ < options_.patience) {
        connect_at_ = steady_now() + std::min(options_.longest_pause_s,
                                              options_.first_pause_s *
                                                  std::pow(2, std::min(failures_ - 1, k_most_doublings)));
        return;
    }
    failures_ = 0;
    while (!wanted_.empty()) {
        const std::string sha256 = wanted_.begin()->first;
        decide(sha256,
               {sha256, fmt::format("it stayed on {}, and: {}", options_.place.profile, why.message()),
                why.hint(), why.code()});
    }
}

double SshFetch::next_deadline() const {
    if (!arrivals_.empty()) {
        return 0;
    }
    if (!line_) {
        return wanted_.empty() ? HUGE_VAL : connect_at_;
    }
    double deadline = line_->hung_up_until();
    if (!visits_ && !leaves_) {
        deadline = std::min(deadline, line_->moved_at() + options_.silence_s);
    }
    return wanted_.empty() && !leaves_ ? std::min(deadline, idle_at_ + k_idle_s) : deadline;
}

void SshFetch::arm_timer() {
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
