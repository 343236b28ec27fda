// What earlier drivers and dead keepers left behind.

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/local/local_backend.hpp"
#include "backends/local/remains.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/process.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr double k_greet_patience_s = 20;
constexpr double k_take_over_patience_s = 20;
constexpr double k_death_patience_s = 5;
constexpr useconds_t k_look_us = 2000;

std::set<std::string> tokens_of(const KeeperHistory& history) {
    std::set<std::string> tokens;
    for (const auto& [id, token] : history.started) {
        if (!token.empty()) {
            tokens.insert(token);
        }
    }
    return tokens;
}

/// Ends what a dead keeper's tasks have left running, and removes its scratch folder and socket.
void clear_away(const KeeperHistory& history, const std::string& run) {
    if (history.host == host_name()) {
        kill_processes_with_token(tokens_of(history));
        remove_remains(history.scratch, run);
        remove_remains(history.socket, run);
    }
}

/// Its lock falls when its last descriptor is closed, a moment after the connection.
bool wait_for_death(AppendFiles& files, const std::string& run, std::uint32_t number, double patience_s) {
    const double deadline = steady_now() + patience_s;
    while (keeper_lives(files, run, number)) {
        if (steady_now() > deadline) {
            return false;
        }
        usleep(k_look_us);
    }
    return true;
}

}  // namespace

Adoption LocalBackend::adopt() {
    Adoption adoption;
    for (const std::uint32_t number : keeper_numbers(files_, options_.run)) {
        if (keeper_lives(files_, options_.run, number)) {
            take_over(number, adoption);
        } else {
            bury(number, adoption);
        }
    }
    return adoption;
}

/// A dead keeper: its tasks die with it, but what they have started may live.
void LocalBackend::bury(std::uint32_t number, Adoption& adoption) {
    const KeeperHistory history = read_history(files_, options_.run, number);
    clear_away(history, options_.run);
    adoption.ended.insert(adoption.ended.end(), history.ended.begin(), history.ended.end());
    for (const auto& [id, token] : history.started) {
        adoption.lost.push_back(id);
    }
}

void LocalBackend::take_over(std::uint32_t number, Adoption& adoption) {
    const double deadline = steady_now() + k_take_over_patience_s;
    while (keeper_lives(files_, options_.run, number)) {
        const KeeperHistory before = read_history(files_, options_.run, number);
        if (!before.host.empty() && before.host != host_name()) {
            throw Error(ExitCode::busy,
                        fmt::format("the tasks of run {} still run on {}", options_.run, before.host),
                        options_.run, "resume it there, or wait for their end");
        }
        auto channel = reach_keeper(before);
        const auto welcome =
            channel ? greet(*channel, {options_.run, options_.epoch, before.secret}, k_greet_patience_s)
                    : std::nullopt;
        if (welcome) {
            // The log is read again: what ended before the welcome stands there, what ends later is reported
            // to us.
            const KeeperHistory now = read_history(files_, options_.run, number);
            for (const AttemptStarted& running : welcome->running) {
                held_[running.id] = Held::started;
                adoption.running.push_back(running);
            }
            for (const AttemptResult& result : now.ended) {
                if (!held_.contains({result.task, result.attempt})) {
                    adoption.ended.push_back(result);
                }
            }
            number_ = number;
            connect(std::move(*channel));
            return;
        }
        if (steady_now() > deadline) {
            throw Error(ExitCode::infrastructure,
                        fmt::format("the keeper of run {} (process {}) lives but cannot be reached",
                                    options_.run, before.pid),
                        options_.run, fmt::format("end it: kill {}", before.pid));
        }
        usleep(k_look_us);
    }
    bury(number, adoption);
}

/// The connection has ended. Is the keeper dead? Then its log says what it could not tell us any more.
void LocalBackend::keeper_gone(std::vector<BackendEvent>& out) {
    channel_.reset();
    if (fenced_) {
        held_.clear();
        out.emplace_back(BackendLost{"a later driver has taken over"});
        return;
    }
    if (!wait_for_death(files_, options_.run, number_, k_death_patience_s)) {
        held_.clear();
        fenced_ = true;
        out.emplace_back(BackendLost{"the keeper has broken the connection"});
        return;
    }
    const KeeperHistory history = read_history(files_, options_.run, number_);
    for (const AttemptResult& result : history.ended) {
        take(AttemptEnded{result}, out);
    }
    clear_away(history, options_.run);
    for (const auto& [id, token] : history.started) {
        take(AttemptStarted{id, history.host, {}}, out);
    }
    held_.clear();
    if (!closed_) {
        out.emplace_back(BackendLost{fmt::format("the keeper (process {}) is gone", history.pid)});
    }
}

}  // namespace amp
