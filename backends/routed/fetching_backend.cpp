#include "backends/routed/fetching_backend.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.hpp"

namespace amp {

FetchingBackend::FetchingBackend(std::unique_ptr<Backend> inner, ObjectStore& objects,
                                 std::map<std::string, FarPlace> places,
                                 std::function<std::unique_ptr<FarFetch>(const FarPlace&)> make_fetch,
                                 std::function<Timestamp()> now)
    : inner_(std::move(inner)),
      objects_(objects),
      places_(std::move(places)),
      make_fetch_(std::move(make_fetch)),
      now_(std::move(now)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_) {
        throw Error::system("create", "an epoll", errno);
    }
    watch(wake_.get(), "an event");
    watch(inner_->event_fd(), "a backend");
}

void FetchingBackend::watch(int fd, const std::string& what) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (fd >= 0 && epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        throw Error::system("watch", what, errno);
    }
}

void FetchingBackend::tell(BackendEvent event) {
    news_.push_back(std::move(event));
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

/// What must come here before the task can start. Where its own machine has it, that sees to it.
std::vector<FarNote> FetchingBackend::far_inputs(const TaskSpec& spec) {
    std::vector<FarNote> found;
    const auto place = places_.find(spec.profile);
    for (const TaskInput& input : spec.inputs) {
        auto note = find_far(objects_, input.artifact);
        if (note && (place == places_.end() || !place->second.same_place(note->place))) {
            found.push_back(std::move(*note));
        }
    }
    return found;
}

void FetchingBackend::submit(std::span<const TaskSpec> specs) {
    std::vector<TaskSpec> through;
    for (const TaskSpec& spec : specs) {
        const AttemptId id{spec.task, spec.attempt};
        if (held_.contains(id)) {
            continue;
        }
        const std::vector<FarNote> far = far_inputs(spec);
        if (far.empty()) {
            through.push_back(spec);
            continue;
        }
        Held& held = held_[id];
        held.spec = spec;
        for (const FarNote& note : far) {
            held.lacks.insert(note.artifact.sha256);
        }
        tell(AttemptQueued{id, fmt::format("an input is on its way from {}", far.front().place.profile)});
        for (const FarNote& note : far) {
            fetch(note);
        }
    }
    if (!through.empty()) {
        inner_->submit(through);
    }
}

void FetchingBackend::fetch(const FarNote& note) {
    auto found = std::find_if(fetches_.begin(), fetches_.end(),
                              [&note](const auto& known) { return known.first == note.place; });
    try {
        if (found == fetches_.end()) {
            auto made = make_fetch_(note.place);
            watch(made->event_fd(), note.place.profile);
            found = fetches_.insert(fetches_.end(), {note.place, std::move(made)});
        }
        found->second->want(note.artifact);
    } catch (const Error& error) {
        take({note.artifact.sha256, error.message(), error.hint(), error.code()});
    }
}

void FetchingBackend::take(const FarArrival& arrival) {
    std::vector<std::pair<AttemptId, std::string>> failed;
    for (auto& [id, held] : held_) {
        if (held.lacks.erase(arrival.sha256) == 0 || arrival.error.empty()) {
            continue;
        }
        const auto& inputs = held.spec.inputs;
        const auto input = std::find_if(inputs.begin(), inputs.end(), [&arrival](const TaskInput& each) {
            return each.artifact.sha256 == arrival.sha256;
        });
        failed.emplace_back(id, fmt::format("its input '{}': {}{}{}", input->path, arrival.error,
                                            arrival.hint.empty() ? "" : "; ", arrival.hint));
    }
    for (const auto& [id, message] : failed) {
        end(id, Cause::infra, message);
    }
}

void FetchingBackend::end(const AttemptId& id, Cause cause, const std::string& message) {
    held_.erase(id);
    AttemptResult result;
    result.task = id.task;
    result.attempt = id.attempt;
    result.cause = cause;
    result.exit = -1;
    result.message = message;
    result.started = result.ended = now_();
    failures_seen_ += cause == Cause::cancelled ? 0 : 1;
    tell(AttemptEnded{std::move(result)});
}

/// What has all that it needs.
void FetchingBackend::hand_on() {
    if (failures_seen_ != failures_known_) {
        return;
    }
    std::vector<TaskSpec> ready;
    for (auto it = held_.begin(); it != held_.end();) {
        if (it->second.lacks.empty()) {
            ready.push_back(std::move(it->second.spec));
            it = held_.erase(it);
        } else {
            ++it;
        }
    }
    if (!ready.empty()) {
        inner_->submit(ready);
    }
}

std::vector<AttemptId> FetchingBackend::end_held(std::span<const AttemptId> attempts) {
    std::vector<AttemptId> others;
    for (const AttemptId& id : attempts) {
        if (held_.contains(id)) {
            end(id, Cause::cancelled, "cancelled before it started");
        } else {
            others.push_back(id);
        }
    }
    return others;
}

void FetchingBackend::cancel(std::span<const AttemptId> attempts) {
    inner_->cancel(end_held(attempts));
}

void FetchingBackend::kill(std::span<const AttemptId> attempts) {
    inner_->kill(end_held(attempts));
}

void FetchingBackend::go_on() {
    failures_known_ = failures_told_;
    inner_->go_on();
    hand_on();
}

std::vector<BackendEvent> FetchingBackend::events() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = read(wake_.get(), &count, sizeof count);
    std::vector<BackendEvent> out = inner_->events();
    const bool all_lost = std::any_of(out.begin(), out.end(), [](const BackendEvent& event) {
        const auto* lost = std::get_if<BackendLost>(&event);
        return lost != nullptr && !lost->held;
    });
    if (all_lost) {
        held_.clear();  // the driver submits them again
        news_.clear();
        failures_seen_ = failures_known_ = failures_told_;
    }
    for (const auto& [place, fetch] : fetches_) {
        for (const FarArrival& arrival : fetch->events()) {
            take(arrival);
        }
    }
    hand_on();
    std::move(news_.begin(), news_.end(), std::back_inserter(out));
    news_.clear();
    failures_told_ = failures_seen_;
    return out;
}

}  // namespace amp
