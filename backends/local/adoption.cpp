// What earlier drivers and dead keepers left behind.

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "backends/local/container_remains.hpp"
#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_history.hpp"
#include "backends/local/keeper_process.hpp"
#include "backends/local/local_backend.hpp"
#include "backends/local/remains.hpp"
#include "backends/system/event_loop.hpp"
#include "backends/system/process.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_dying_s =
    0.1;  // its lock falls when its last descriptor is closed, a moment after the connection
constexpr double k_kill_patience_s = 5;
constexpr useconds_t k_look_us = 2000;
constexpr useconds_t k_longest_look_us = 200'000;
constexpr int k_most_broken = 3;

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
        remove_containers(history, run);
        remove_remains(history.scratch, run);
        remove_remains(history.socket, run);
    }
}

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

std::string LocalBackend::log_path(std::uint32_t number) const {
    return options_.store_dir + "/" + layout::keeper_log(options_.run, number);
}

// One keeper works for a run and profile at a time. Should there ever be two, then the one with the higher
// number goes on.
Adoption LocalBackend::adopt() {
    Adoption adoption;
    const auto numbers = keeper_numbers(files_, options_.run, options_.number_base);
    std::optional<std::uint32_t> living;
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
        if (!keeper_lives(files_, options_.run, *number)) {
            continue;
        }
        if (living) {
            end_living(*number);
        } else {
            living = *number;
        }
    }
    for (const std::uint32_t number : numbers) {
        if (living == number) {
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
    auto reached = reach(number);
    if (!reached) {
        bury(number, adoption);
        return;
    }
    // The log is read now: what ended before the welcome stands there, what ends later is reported to us.
    const KeeperHistory history = read_history(files_, options_.run, number);
    for (const AttemptStarted& running : reached->welcome.running) {
        held_[running.id] = Held::started;
        adoption.running.push_back(running);
    }
    for (const AttemptResult& result : history.ended) {
        if (!held_.contains({result.task, result.attempt})) {
            adoption.ended.push_back(result);
        }
    }
    number_ = number;
    connect(std::move(reached->channel));
}

/// A connection to a keeper, or nullopt when it is dead: one that lives but stays out of reach is ended.
/// @throws Error(busy) when it runs on another host, or a later driver is in charge
std::optional<LocalBackend::Reached> LocalBackend::reach(std::uint32_t number) {
    const double began = steady_now();
    useconds_t pause = k_look_us;
    while (keeper_lives(files_, options_.run, number)) {
        const KeeperHistory history = read_history(files_, options_.run, number);
        if (!history.host.empty() && history.host != host_name()) {
            throw Error(ExitCode::busy,
                        fmt::format("the tasks of run {} still run on {}", options_.run, history.host),
                        options_.run, "resume it there, or wait for their end");
        }
        const double left = began + options_.patience_s - steady_now();
        if (left < 0) {
            end_living(number);
            return std::nullopt;
        }
        if (auto channel = reach_keeper(history)) {
            if (auto welcome = try_greet(*channel, {options_.run, options_.epoch, history.secret}, left)) {
                return Reached{std::move(*channel), std::move(*welcome)};
            }
        } else if (steady_now() - began > k_dying_s) {
            ask_for_socket(history, log_path(number));
        }
        usleep(pause);
        pause = std::min(2 * pause, k_longest_look_us);
    }
    return std::nullopt;
}

/// Returns when it is proven dead.
void LocalBackend::end_living(std::uint32_t number) {
    const KeeperHistory history = read_history(files_, options_.run, number);
    note(fmt::format("the keeper (process {}) lives but cannot be reached, so it is ended", history.pid));
    const bool ended =
        end_keeper(history, log_path(number), std::min(options_.patience_s, k_kill_patience_s));
    if (!wait_for_death(files_, options_.run, number, ended ? k_kill_patience_s : 0)) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("the keeper of run {} (process {}) lives but cannot be reached", options_.run,
                                history.pid),
                    options_.run, fmt::format("end it: kill {}", history.pid));
    }
}

/// Is the keeper dead, or only out of touch? What it has started is lost only in the former case.
void LocalBackend::connection_gone(std::vector<BackendEvent>& out) {
    channel_.reset();
    if (fenced_) {
        lose("a later driver has taken over", out);
        return;
    }
    if (!wait_for_death(files_, options_.run, number_, closed_ ? k_kill_patience_s : k_dying_s)) {
        if (closed_) {  // it works on, for whoever comes next
            lose({}, out);
            return;
        }
        if (++broken_ > k_most_broken) {
            end_living(number_);
        } else if (auto reached = reach(number_)) {
            go_on_with(std::move(*reached), out);
            return;
        }
    }
    keeper_gone(out);
}

/// A keeper that says welcome has forgotten what had not started, and told what ended to its log alone.
void LocalBackend::go_on_with(Reached reached, std::vector<BackendEvent>& out) {
    const KeeperHistory history = read_history(files_, options_.run, number_);
    const std::uint64_t failures = failures_;
    for (const AttemptResult& result : history.ended) {
        take(AttemptEnded{result}, out);
    }
    for (const AttemptStarted& running : reached.welcome.running) {
        take(running, out);
    }
    resubmit_on_go_on_ = resubmit_on_go_on_ || failures_ != failures;
    connect(std::move(reached.channel));
    out.emplace_back(BackendNote{"the connection to the keeper was broken, and made again"});
    if (!resubmit_on_go_on_) {
        resubmit();
    }
}

void LocalBackend::resubmit() {
    std::vector<TaskSpec> specs;
    for (const auto& [id, spec] : unstarted_) {
        specs.push_back(spec);
    }
    if (!specs.empty()) {
        send(specs);
    }
}

/// Its log says what it could not tell us any more.
void LocalBackend::keeper_gone(std::vector<BackendEvent>& out) {
    const KeeperHistory history = read_history(files_, options_.run, number_);
    for (const AttemptResult& result : history.ended) {
        take(AttemptEnded{result}, out);
    }
    clear_away(history, options_.run);
    for (const auto& [id, token] : history.started) {
        take(AttemptStarted{id, history.host, {}}, out);
    }
    lose(fmt::format("the keeper (process {}) is gone{}{}", history.pid,
                     history.last_words.empty() ? "" : ": ", history.last_words),
         out);
}

void LocalBackend::lose(std::string reason, std::vector<BackendEvent>& out) {
    held_.clear();
    unstarted_.clear();
    resubmit_on_go_on_ = false;
    broken_ = 0;
    if (!closed_) {
        out.emplace_back(BackendLost{std::move(reason)});
    }
}

}  // namespace amp
