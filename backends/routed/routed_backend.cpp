#include "backends/routed/routed_backend.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.hpp"

namespace amp {
namespace {

/// A backend that has much to do must not keep tasks from the others, so it may hold many.
constexpr std::size_t k_window = 4096;

}  // namespace

RoutedBackend::RoutedBackend(std::vector<Place> places,
                             std::function<std::unique_ptr<KeeperLogWriter>()> make_log)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), make_log_(std::move(make_log)) {
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
    for (Place& place : places) {
        epoll_event event{};
        event.events = EPOLLIN;
        if (const int fd = place.backend->event_fd();
            fd >= 0 && epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
            throw Error::system("watch", place.profile, errno);
        }
        members_.push_back({std::move(place)});
    }
}

Capacity RoutedBackend::capacity() {
    return members_.front().place.backend->capacity();
}

std::size_t RoutedBackend::window() {
    return k_window;
}

int RoutedBackend::event_fd() {
    return epoll_.get();
}

Adoption RoutedBackend::adopt() {
    Adoption all;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        Adoption found = members_[i].place.backend->adopt();
        for (const AttemptStarted& running : found.running) {
            held_[running.id] = i;
            note(i, "start", running.id, running.at);
        }
        members_[i].used = members_[i].used || !found.running.empty();
        std::move(found.running.begin(), found.running.end(), std::back_inserter(all.running));
        std::move(found.ended.begin(), found.ended.end(), std::back_inserter(all.ended));
        std::move(found.lost.begin(), found.lost.end(), std::back_inserter(all.lost));
    }
    flush_notes();
    return all;
}

void RoutedBackend::open() {
    for (Member& member : members_) {
        if (member.used || member.place.sure) {
            member.used = true;
            member.place.backend->open();
        }
    }
}

RoutedBackend::Member& RoutedBackend::member_of(const std::string& profile) {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const Member& member) { return member.place.profile == profile; });
    if (found == members_.end()) {
        throw Error(ExitCode::bug, fmt::format("no backend was made for profile '{}'", profile));
    }
    return *found;
}

void RoutedBackend::submit(std::span<const TaskSpec> specs) {
    std::vector<std::vector<TaskSpec>> parts(members_.size());
    for (const TaskSpec& spec : specs) {
        const auto member = static_cast<std::size_t>(&member_of(spec.profile) - members_.data());
        held_[{spec.task, spec.attempt}] = member;
        parts[member].push_back(spec);
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
        if (!parts[i].empty()) {
            if (!std::exchange(members_[i].used, true)) {
                members_[i].place.backend->open();
            }
            members_[i].place.backend->submit(parts[i]);
        }
    }
}

std::vector<std::vector<AttemptId>> RoutedBackend::by_member(std::span<const AttemptId> attempts) {
    std::vector<std::vector<AttemptId>> parts(members_.size());
    for (const AttemptId& id : attempts) {
        if (const auto found = held_.find(id); found != held_.end()) {
            parts[found->second].push_back(id);
            continue;
        }
        if (const auto place = places_.extract(id); !place.empty()) {
            parts[place.mapped()].push_back(id);
            continue;
        }
        for (std::size_t i = 0; i < members_.size(); ++i) {  // it has ended under another driver
            if (members_[i].used) {
                parts[i].push_back(id);
            }
        }
    }
    return parts;
}

void RoutedBackend::cancel(std::span<const AttemptId> attempts) {
    const auto parts = by_member(attempts);
    for (std::size_t i = 0; i < members_.size(); ++i) {
        members_[i].place.backend->cancel(parts[i]);
    }
}

void RoutedBackend::kill(std::span<const AttemptId> attempts) {
    const auto parts = by_member(attempts);
    for (std::size_t i = 0; i < members_.size(); ++i) {
        members_[i].place.backend->kill(parts[i]);
    }
}

void RoutedBackend::go_on() {
    for (Member& member : members_) {
        member.place.backend->go_on();
    }
}

void RoutedBackend::answer(const SpawnAnswer& answer) {
    if (const auto found = tickets_.find(answer.ticket); found != tickets_.end()) {
        SpawnAnswer theirs = answer;
        theirs.ticket = found->second.second;
        members_[found->second.first].place.backend->answer(theirs);
    }
}

std::vector<BackendEvent> RoutedBackend::events() {
    std::vector<BackendEvent> out;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        for (BackendEvent& event : members_[i].place.backend->events()) {
            take(i, std::move(event), out);
        }
    }
    flush_notes();
    return out;
}

/// What cannot be written is not: the run goes on without onlookers.
void RoutedBackend::note(std::size_t member, std::string_view type, const AttemptId& id, Timestamp at) {
    if (members_[member].place.profile.empty() || !make_log_) {
        return;
    }
    try {
        if (!log_) {
            log_ = make_log_();
        }
        log_->append(type, Object{{"task", id.task.text()},
                                  {"attempt", std::uint64_t{id.attempt}},
                                  {"at", format_time(at)}});
        noted_ = true;
    } catch (const Error&) {
        make_log_ = {};
    }
}

void RoutedBackend::flush_notes() {
    try {
        if (std::exchange(noted_, false)) {
            log_->flush();
        }
    } catch (const Error&) {
        make_log_ = {};
    }
}

void RoutedBackend::take(std::size_t member, BackendEvent event, std::vector<BackendEvent>& out) {
    if (const auto* started = std::get_if<AttemptStarted>(&event)) {
        note(member, "start", started->id, started->at);
    } else if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
        const AttemptId id{ended->result.task, ended->result.attempt};
        held_.erase(id);
        if (!ended->result.succeeded()) {
            places_[id] = member;
        }
        note(member, "end", id, ended->result.ended);
    } else if (auto* asked = std::get_if<SpawnAsked>(&event)) {
        const std::pair theirs{member, asked->ticket};
        const auto known = std::find_if(tickets_.begin(), tickets_.end(),
                                        [&](const auto& ticket) { return ticket.second == theirs; });
        const std::uint64_t ticket = known == tickets_.end() ? ++last_ticket_ : known->first;
        tickets_[ticket] = theirs;
        asked->ticket = ticket;
    } else if (auto* lost = std::get_if<BackendLost>(&event)) {
        lost->held.emplace();
        for (auto it = held_.begin(); it != held_.end();) {
            if (it->second == member) {
                note(member, "end", it->first);
                lost->held->push_back(it->first);
                it = held_.erase(it);
            } else {
                ++it;
            }
        }
        std::erase_if(places_, [&](const auto& place) {
            if (place.second == member) {
                lost->held->push_back(place.first);
            }
            return place.second == member;
        });
    } else if (auto* note = std::get_if<BackendNote>(&event)) {
        if (const std::string& profile = members_[member].place.profile; !profile.empty()) {
            note->text = profile + ": " + note->text;
        }
    }
    out.push_back(std::move(event));
}

void RoutedBackend::close() {
    for (Member& member : members_) {
        member.place.backend->close();
    }
}

}  // namespace amp
